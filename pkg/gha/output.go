package gha

import (
	"io"
	"strings"
	"sync"

	"github.com/org/promote/pkg/mask"
)

// output is the one writer to the log. A Write is never interrupted by another, and no error comes back: a log that is
// gone must not stop a rollback.
type output struct {
	mu      sync.Mutex
	w       io.Writer
	secrets mask.Set
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.w.Write(p)
	return len(p), nil
}

// line prints text that may hold anything: masked, harmless, and ended by exactly one newline.
func (o *output) line(text string) {
	var b strings.Builder
	for _, line := range splitLines(o.redact(text)) {
		b.WriteString(harmless(line))
		b.WriteByte('\n')
	}
	_, _ = o.Write([]byte(b.String()))
}

// redact replaces every secret.
func (o *output) redact(text string) string { return o.secrets.Text(text) }
