package tests

import (
	"bufio"
	"unicode/utf8"
)

// readable replaces what XML does not allow: control characters, which tests print and runners pass on, and bytes that are no
// UTF-8.
type readable struct {
	in   *bufio.Reader
	left []byte // of a character that did not fit
}

func (r *readable) Read(p []byte) (int, error) {
	n := copy(p, r.left)
	r.left = r.left[n:]
	for n < len(p) {
		if n > 0 && r.in.Buffered() == 0 {
			return n, nil
		}
		if text := r.ordinary(len(p) - n); len(text) > 0 {
			n += copy(p[n:], text)
			_, _ = r.in.Discard(len(text))
			continue
		}
		c, _, err := r.in.ReadRune()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if c < ' ' || c == 0xFFFE || c == 0xFFFF {
			c = ' '
		}
		encoded := utf8.AppendRune(nil, c)
		copied := copy(p[n:], encoded)
		r.left = encoded[copied:]
		n += copied
	}
	return n, nil
}

// ordinary gives what comes next up to the first byte that needs a look, at most so many bytes.
func (r *readable) ordinary(most int) []byte {
	text, _ := r.in.Peek(min(most, max(1, r.in.Buffered())))
	for i, b := range text {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' || b >= utf8.RuneSelf {
			return text[:i]
		}
	}
	return text
}
