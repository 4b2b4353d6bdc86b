package gha

import (
	"io"
	"sort"
	"strings"
	"sync"
)

// output is the one writer to the log. A Write is never interrupted by another, and no error comes back: a log that is
// gone must not stop a rollback.
type output struct {
	mu    sync.Mutex
	w     io.Writer
	masks []string // longest first, so that a part never spoils the whole
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

// addMask remembers a value to be replaced by *** and says whether it is new.
func (o *output) addMask(value string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, known := range o.masks {
		if known == value {
			return false
		}
	}
	o.masks = append(o.masks, value)
	sort.SliceStable(o.masks, func(i, j int) bool { return len(o.masks[i]) > len(o.masks[j]) })
	return true
}

// redact replaces every masked value.
func (o *output) redact(text string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, mask := range o.masks {
		text = strings.ReplaceAll(text, mask, "***")
	}
	return text
}

// holdsMask says whether a masked value stands in text.
func (o *output) holdsMask(text string) bool { return o.redact(text) != text }

// cut gives the largest length up to most at which text may be cut without cutting a masked value in two.
func (o *output) cut(text string, most int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := most
	for moved := true; moved; {
		moved = false
		for _, mask := range o.masks {
			from := max(0, at-len(mask)+1)
			to := min(len(text), at+len(mask)-1)
			if i := strings.Index(text[from:to], mask); i >= 0 && from+i < at {
				at, moved = from+i, true
			}
		}
	}
	return at
}
