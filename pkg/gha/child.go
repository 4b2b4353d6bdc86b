package gha

import (
	"bytes"
	"io"
	"sync"

	"github.com/org/promote/pkg/mask"
)

// longestLine bounds, in bytes, what is kept of a line that does not end.
const longestLine = 256 << 10

// Child gives a writer for the output of a child process. It prints whole lines, with masks applied and commands broken
// up; Close prints what is left, and takes out of the runner's command files what was not written here: nobody else has them, and
// who looks for them finds them. One writer may serve both stdout and stderr of a process.
func (a *Action) Child() io.WriteCloser {
	a.files.mu.Lock()
	defer a.files.mu.Unlock()
	a.files.begin(a.getenv)
	return &fenced{WriteCloser: &child{out: a.out}, action: a}
}

type child struct {
	mu  sync.Mutex
	out *output
	buf []byte
}

func (c *child) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = append(c.buf, p...)
	if end := whole(c.buf); end >= 0 {
		c.out.line(string(c.buf[:end]))
		c.buf = append(c.buf[:0], c.buf[end+1:]...)
	}
	// Only with the whole of the longest secret behind the cut is it certain that the cut goes through none.
	for len(c.buf) > longestLine+c.out.secrets.Longest() {
		end := c.out.secrets.Cut(string(c.buf), longestLine)
		if end == 0 { // a masked value longer than a line: it is printed as *** with all that is here
			end = len(c.buf)
		}
		c.out.line(string(c.buf[:end]))
		c.buf = append(c.buf[:0], c.buf[end:]...)
	}
	return len(p), nil
}

// whole gives the end of the last line that can be shown by itself, or -1. Lines of base64 wait for the next one: a secret may
// go on there.
func whole(buf []byte) int {
	end := bytes.LastIndexByte(buf, '\n')
	for end >= 0 {
		start := bytes.LastIndexByte(buf[:end], '\n')
		if !mask.Wrapped(string(buf[start+1 : end])) {
			return end
		}
		end = start
	}
	return end
}

func (c *child) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.buf) > 0 {
		c.out.line(string(c.buf))
		c.buf = nil
	}
	return nil
}
