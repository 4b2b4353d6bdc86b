package gha

import (
	"encoding/base64"
	"strings"

	"github.com/org/promote/pkg/mask"
)

// Mask keeps a secret out of everything that this action emits, in every form (see package mask), and tells the runner its
// lines and JSON leaves, so that it masks them in what other steps print. It is not whole when the value, or a text in the JSON
// that it holds, is too short to be masked: say then, by name, which secret that is.
//
// It is called with each secret before anything else is done with it: what is printed earlier is not masked.
func (a *Action) Mask(secret string) (whole bool) {
	whole = a.out.secrets.Add([]byte(secret))
	encoded := mask.Lines([]byte(secret))
	for _, line := range encoded {
		a.addMask(line)
	}
	// What is encoded may be the value of several lines too, with its last newline or without.
	if trimmed := strings.TrimSpace(secret); strings.ContainsAny(trimmed, "\r\n") {
		encoded = append(encoded, secret, trimmed)
	}
	for _, text := range encoded {
		// Padding is left out, so that both forms match.
		a.addMask(base64.RawStdEncoding.EncodeToString([]byte(text)))
		a.addMask(base64.RawURLEncoding.EncodeToString([]byte(text)))
	}
	return whole
}

func (a *Action) addMask(value string) {
	a.mu.Lock()
	told := a.told[value]
	a.told[value] = true
	a.mu.Unlock()
	if !told {
		a.inner.AddMask(value)
	}
}

// Redact takes the masked secrets out of text. Whatever else tells of this run (statuses, comments, statements, state) is given
// it, since only what this package emits is masked by itself.
func (a *Action) Redact(text string) string { return a.out.secrets.Text(text) }
