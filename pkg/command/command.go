// Package command runs a command of the workflow's author: with bash, in a process group of its own, within a time limit, and so
// that nothing of it is left running. The command runs code of a pull request, so it gets a clean environment: [Environ].
//
// It refuses nothing that bash takes. A failure of the command is no error of this package; that it could not be started is.
//
//	ended, err := command.Run(ctx, command.Command{Line: "make e2e", Dir: dir, Environ: environ, Timeout: 10 * time.Minute}, out, out)
//	if err != nil { return err }
//	if ended.Code != 0 { … }
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/org/promote/pkg/group"
)

// grace is how long a command may take to end by itself after it was asked to, where the caller does not say. GitHub kills 10 s
// after a cancel, and what happened is still to be told in that time.
const grace = 3 * time.Second

// afterwards is how long what the command left behind may still print.
const afterwards = 500 * time.Millisecond

// Command is what is run, and how.
type Command struct {
	// Line is for bash, with the options that GitHub runs a step with.
	Line string
	Dir  string
	// Environ is the whole environment, in the form of os.Environ.
	Environ []string
	// Timeout is when the command is ended.
	Timeout time.Duration
	// Grace is how long it may then take to end by itself before it is killed; 0 is 3 s.
	Grace time.Duration
	// Mark is an entry of Environ that no other process has; "" for none. By it what left the process group is found, and ended
	// with a command that is cancelled or out of time.
	Mark string
}

// Ended is how a command came to its end.
type Ended struct {
	// Code is its exit code: 124 after the time limit, as timeout(1) has it, and 128 + the number of a signal that ended it.
	Code     int
	TimedOut bool
	Took     time.Duration
	// Left names what a command that ended by itself had left running, for instance "sleep (4711)". It was ended then.
	Left []string
}

// Run runs a command in a process group of its own, so that the time limit and a cancel reach whatever it started. The error is
// about starting the command or about ctx, never about a failure of the command itself. stdout and stderr are written to one at a
// time, so they may be the same.
func Run(ctx context.Context, c Command, stdout, stderr io.Writer) (Ended, error) {
	shield()
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	// The options are those with which GitHub runs a step of its own.
	cmd := exec.CommandContext(limited, "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", c.Line)
	cmd.Dir, cmd.Env = c.Dir, c.Environ
	group.Own(cmd)
	cmd.Cancel = func() error { return group.Signal(cmd.Process.Pid, syscall.SIGTERM) }
	if cmd.WaitDelay = c.Grace; c.Grace == 0 {
		cmd.WaitDelay = grace
	}
	// Both may be one, as for os/exec; then a line of the one must not land in a line of the other.
	var one sync.Mutex
	out, err := pipe(&cmd.Stdout, &locked{to: stdout, mu: &one})
	if err != nil {
		return Ended{}, err
	}
	defer out.close()
	errs, err := pipe(&cmd.Stderr, &locked{to: stderr, mu: &one})
	if err != nil {
		return Ended{}, err
	}
	defer errs.close()
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return Ended{}, fmt.Errorf("starting the command with bash: %w", err)
	}
	out.started()
	errs.started()
	err = cmd.Wait()
	took := time.Since(started)
	left := end(cmd.Process.Pid, out, errs)
	if limited.Err() != nil { // a command that ended by itself may leave a daemon, as some builds do on purpose
		left = nil
		endEscaped(c.Mark)
	}
	ended, err := howEnded(ctx, limited, cmd.ProcessState, err)
	ended.Took, ended.Left = took, left
	return ended, err
}

// end ends what is left of a process group, after it had time to print what it has, and names it.
func end(leader int, streams ...*stream) (left []string) {
	held := false
	for _, s := range streams {
		held = !s.drained() || held
	}
	left = living(leader, held)
	_ = group.Signal(leader, syscall.SIGKILL)
	if !held {
		return left
	}
	for _, s := range streams {
		if !s.drained() {
			return append(left, "a process outside of its group, which holds its output")
		}
	}
	return left
}

func howEnded(ctx, limited context.Context, state *os.ProcessState, err error) (Ended, error) {
	end := Ended{Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		end.Code = 128 + int(status.Signal())
	}
	switch {
	case ctx.Err() != nil:
		return end, context.Cause(ctx)
	case errors.Is(limited.Err(), context.DeadlineExceeded) && err != nil:
		end.Code, end.TimedOut = 124, true
	}
	return end, nil
}
