package image

import (
	"bytes"
	"io"
	"strings"
)

const (
	// keptLines bounds what is searched for a failing step; BuildKit repeats the step's output at the end.
	keptLines = 400
	// longestLine in bytes, of a kept or a passed-on line: a build must not fill the memory with a line that never ends.
	longestLine = 16 << 10
)

// tail passes a builder's output on line by line and remembers its end. Values of build secrets are cut out first: a
// Dockerfile can print what it mounts, and errors quote these lines.
type tail struct {
	next    io.Writer
	secrets *strings.Replacer
	pending []byte
	lines   []string
}

func newTail(next io.Writer, secrets *strings.Replacer) *tail {
	return &tail{next: next, secrets: secrets}
}

// Write implements [io.Writer]. A log that cannot be written does not fail the build.
func (t *tail) Write(p []byte) (int, error) {
	t.pending = append(t.pending, p...)
	for {
		end := bytes.IndexByte(t.pending, '\n')
		if end < 0 && len(t.pending) < longestLine {
			return len(p), nil
		}
		if end < 0 || end > longestLine {
			t.line(string(t.pending[:longestLine]))
			t.pending = t.pending[longestLine:]
			continue
		}
		t.line(string(t.pending[:end]))
		t.pending = t.pending[end+1:]
	}
}

// flush passes on a last line that has no newline.
func (t *tail) flush() {
	if len(t.pending) > 0 {
		t.line(string(t.pending))
		t.pending = nil
	}
}

func (t *tail) line(text string) {
	text = t.secrets.Replace(strings.TrimRight(text, "\r"))
	_, _ = io.WriteString(t.next, text+"\n")
	t.lines = append(t.lines, text)
	if len(t.lines) > 2*keptLines {
		t.lines = append(t.lines[:0], last(t.lines, keptLines)...)
	}
}

func (t *tail) failure() Failure { return failureIn(last(t.lines, keptLines)) }
