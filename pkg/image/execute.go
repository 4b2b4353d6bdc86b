package image

import (
	"context"
	"io"
	"os/exec"
	"syscall"
	"time"

	"github.com/org/promote/pkg/group"
)

// killAfter is how long an interrupted builder may take to stop. The runner kills a cancelled job 7.5 s after it asked;
// we must have the time to say so before that.
const killAfter = 4 * time.Second

// commandError says that a builder's program could not be started or ended with an error. What it printed says more.
type commandError struct{ err error }

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// execute runs a command with both its outputs to out. When ctx ends the whole process group is interrupted, then killed:
// docker starts its plugins as children, and an interrupted client is what makes BuildKit stop a remote build. Its error is a
// *commandError.
func execute(ctx context.Context, command, env []string, out io.Writer) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = out, out
	group.Own(cmd)
	cmd.Cancel = func() error { return group.Signal(cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = killAfter
	if err := cmd.Start(); err != nil {
		return &commandError{err}
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		// Wait has killed the first process at most; ESRCH here means that nobody is left.
		_ = group.Signal(cmd.Process.Pid, syscall.SIGKILL)
	}
	if err != nil {
		return &commandError{err}
	}
	return nil
}
