package image

import (
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
)

// shortestSecret is the length in bytes below which a value is not cut out of the output: cutting out every "1" or "no"
// would only ruin the log.
const shortestSecret = 4

// readSecrets gives a replacer that cuts the values of build secrets out of text: each whole, each of its lines, and the
// base64 of both.
func readSecrets(paths map[string]string) (*strings.Replacer, error) {
	var forms []string
	for id, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading build secret %q: %w", id, reason(err))
		}
		for _, form := range append(strings.Split(string(data), "\n"), string(data)) {
			form = strings.TrimSpace(form)
			if len(form) < shortestSecret {
				continue
			}
			forms = append(forms, form,
				base64.StdEncoding.EncodeToString([]byte(form)), base64.URLEncoding.EncodeToString([]byte(form)))
		}
		if len(data) >= shortestSecret {
			forms = append(forms, base64.StdEncoding.EncodeToString(data), base64.URLEncoding.EncodeToString(data))
		}
	}
	// Longest first, or a short secret that begins a longer one would leave the rest of it standing.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range slices.Compact(forms) {
		pairs = append(pairs, form, "***")
	}
	return strings.NewReplacer(pairs...), nil
}
