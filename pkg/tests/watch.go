package tests

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// mostRetried bounds how many retried tests of one run are named.
const mostRetried = 1000

// watch passes on what a command prints for people, and remembers of it what reports do not tell: which tests were run again,
// what cargo's tests came to, and what was printed last. It serves stdout and stderr at once.
type watch struct {
	mu      sync.Mutex
	out     io.Writer
	pending []byte
	line    string // the last one that is not empty
	names   []string
	cargo   libtest
}

func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			// What is that long is neither a name nor of use for people.
			if room := 4<<10 - len(w.pending); room > 0 {
				w.pending = append(w.pending, rest[:min(room, len(rest))]...)
			}
			break
		}
		if len(w.pending) == 0 {
			w.take(rest[:end])
		} else {
			w.take(append(w.pending, rest[:end]...))
		}
		w.pending, rest = w.pending[:0], rest[end+1:]
	}
	return w.out.Write(p)
}

func (w *watch) take(line []byte) {
	w.cargo.take(strings.TrimRight(string(line), "\r"))
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	w.line = string(line[:min(len(line), 500)])
	if len(w.names) < mostRetried {
		if name := retriedTest(string(line)); name != "" && !slices.Contains(w.names, name) {
			w.names = append(w.names, name)
		}
	}
}

// last gives the last line that was printed, without colours.
func (w *watch) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := w.line
	if rest := bytes.TrimSpace(w.pending); len(rest) > 0 {
		line = string(rest[:min(len(rest), 500)])
	}
	return plain(line)
}

// retried gives the names of the tests that were run again.
func (w *watch) retried() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.names)
}

var colours = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

// plain leaves out colours and what else is not seen.
func plain(line string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(colours.ReplaceAllString(line, ""), "")))
}

// retriedForms are the lines by which runners say that they ran a test again and whose JUnit files do not. In this order:
// pytest-rerunfailures with -rR and with -v; vitest; jest with logErrorsBeforeRetry.
var retriedForms = []struct {
	sign string // is in every such line; looking for it is cheap
	form *regexp.Regexp
}{
	{"RERUN", regexp.MustCompile(`^RERUN (\S+?::.+?)(?: - .*)?$`)},
	{"RERUN", regexp.MustCompile(`^(\S+?::.+?) RERUN\b`)},
	{"(retry x", regexp.MustCompile(`^✓ (.+?)(?: ?\d+ ?ms)? \(retry x\d+\)$`)},
	{"LOGGING RETRY ERRORS", regexp.MustCompile(`^LOGGING RETRY ERRORS\s+(.+)$`)},
}

// retriedTest gives the test that a line says was run again, or "".
func retriedTest(line string) string {
	for _, f := range retriedForms {
		if strings.Contains(line, f.sign) {
			if m := f.form.FindStringSubmatch(plain(line)); m != nil {
				return strings.TrimSpace(m[1])
			}
		}
	}
	return ""
}
