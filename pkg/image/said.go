package image

import (
	"errors"

	"github.com/org/promote/pkg/report"
)

// saidCap bounds, in characters, what is repeated of a registry's answer: whoever answers in its place says what they like, and a proxy
// says it with a whole page.
const saidCap = 500

// saidError is an error that quotes a registry: one line, in which all can be seen. The error itself is still found behind it.
type saidError struct{ err error }

func (e *saidError) Error() string {
	text := []rune(report.Plain(firstOf(e.err.Error(), 4*saidCap)))
	if len(text) > saidCap {
		return string(text[:saidCap]) + "…"
	}
	return string(text)
}

func (e *saidError) Unwrap() error { return e.err }

// said is an error whose text may be a registry's.
func said(err error) error {
	if err == nil || errors.As(err, new(*saidError)) {
		return err
	}
	return &saidError{err}
}

// firstOf is the beginning of a text, in bytes.
func firstOf(text string, most int) string { return text[:min(len(text), most)] }
