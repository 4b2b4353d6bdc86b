package gha

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/org/promote/pkg/regular"
)

// commandFiles are the runner's files through which a step steers the job. Their names are no secret: they lie in RUNNER_TEMP, and
// code that is tested runs as the same user.
var commandFiles = []string{"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"}

// commandFileCap bounds, in bytes, what is read of a file that somebody else may have written to. GitHub takes 1 MiB.
const commandFileCap = 4 << 20

// ledger knows what the command files have to hold: what they held at first, and what was added here.
type ledger struct {
	mu   sync.Mutex
	once sync.Once
	held map[string][]byte // by path; nil for a file that was not there
}

// begin remembers what the files hold.
func (l *ledger) begin(getenv func(string) string) {
	l.once.Do(func() {
		l.held = map[string][]byte{}
		for _, variable := range commandFiles {
			path := getenv(variable)
			if path == "" {
				continue
			}
			data, err := regular.Read(path, commandFileCap)
			if err == nil || os.IsNotExist(err) {
				l.held[path] = data
			}
		}
	})
}

// add notes what was appended to a file.
func (l *ledger) add(path, text string) {
	if held, known := l.held[path]; known {
		l.held[path] = append(held, text...)
	}
}

// restore takes out of the files what was not written here, and names the variables of those that held more.
func (l *ledger) restore(getenv func(string) string) (changed []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, variable := range commandFiles {
		path := getenv(variable)
		held, known := l.held[path]
		if !known {
			continue
		}
		data, err := regular.Read(path, commandFileCap)
		if err == nil && bytes.Equal(data, held) || os.IsNotExist(err) && held == nil {
			continue
		}
		changed = append(changed, variable)
		if err := replace(path, held); err != nil {
			return changed, fmt.Errorf("restoring the runner's file of %s: %w", variable, err)
		}
	}
	return changed, nil
}

// replace makes the file anew: what stands there may be a link to another one by now.
func replace(path string, data []byte) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	// The runner may be another user than a container's.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// fenced is the output of a child, after which the command files are as they were.
type fenced struct {
	io.WriteCloser
	action *Action
}

func (g *fenced) Close() error {
	err := g.WriteCloser.Close()
	changed, failed := g.action.files.restore(g.action.getenv)
	for _, variable := range changed {
		g.action.Warningf("what was run wrote to the runner's file of %s, through which later steps are steered; it was taken out again", variable)
	}
	if failed != nil {
		g.action.Errorf("%v", failed)
	}
	return err
}
