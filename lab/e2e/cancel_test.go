//go:build lab

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/org/promote/lab/fault"
)

// The runner's timing when a run is cancelled: SIGINT to the step's first process, SIGTERM after 7.5 s, and the end 2.5 s later.
const (
	untilTerm = 7500 * time.Millisecond
	untilKill = 2500 * time.Millisecond
)

// cancelled is what became of one cancelled run.
type cancelled struct {
	met    bool
	result result
	took   time.Duration
}

// cancelledAt starts the action as the runner does, through bash, and cancels it as the runner does at its request n.
func (f *faulty) cancelledAt(commit string, n int) (c cancelled) {
	f.t.Helper()
	script := filepath.Join(f.t.TempDir(), "step.sh")
	ended := make(chan struct{})
	var began time.Time
	c.result = f.tryAs(commit, func(cmd *exec.Cmd) {
		f.must(os.WriteFile(script, fmt.Appendf(nil, "exec %q\n", cmd.Path), 0o600))
		bash, err := exec.LookPath("bash")
		f.must(err)
		cmd.Path, cmd.Args = bash, []string{"bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script}
	}, func(p *os.Process) func(int, fault.Request) fault.Fault {
		return func(number int, _ fault.Request) fault.Fault {
			if number != n {
				return fault.Fault{}
			}
			c.met, began = true, time.Now()
			return fault.Fault{After: func() { go cancel(p, ended) }}
		}
	})
	close(ended)
	c.took = time.Since(began)
	return c
}

// cancel is the runner's.
func cancel(p *os.Process, ended <-chan struct{}) {
	for _, step := range []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGINT, untilTerm}, {syscall.SIGTERM, untilKill}, {syscall.SIGKILL, 0}} {
		_ = p.Signal(step.signal)
		select {
		case <-ended:
			return
		case <-time.After(step.grace):
		}
	}
}

// TestDeployThatIsCancelled cancels the action at one request after the other. It ends by itself before the second signal, and
// what it leaves the next run brings to its end.
func TestDeployThatIsCancelled(t *testing.T) {
	atRequests(t, 40, 2, 4, func(f *faulty, n int) bool {
		commit := f.next()
		got := f.cancelledAt(commit, n)
		if !got.met {
			return false
		}
		what := f.last
		if got.took > untilTerm {
			f.t.Errorf("cancelled at request %d, %s, it took %s to end:\n%s", n, what, got.took, got.result.output)
		}
		// One that had nothing left to do but to tell has succeeded.
		if code := got.result.code; code != 130 && code != 0 {
			f.t.Errorf("cancelled at request %d, %s, it ended with exit code %d:\n%s", n, what, code, got.result.output)
		}
		if err := f.converged(f.try(commit, nil)); err != nil {
			f.t.Errorf("cancelled at request %d, %s: %v", n, what, err)
		}
		return true
	})
}
