package gha

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"strconv"
	"syscall"

	"github.com/org/promote/pkg/change"
)

// Cancelled is the cause of a context that a signal ended: context.Cause(ctx) gives it.
type Cancelled struct{ Signal os.Signal }

func (c *Cancelled) Error() string {
	return fmt.Sprintf("the run was cancelled (%s)", c.Signal)
}

// Run runs an action and gives the exit code of the process: 0, also for a *change.Neutral, which becomes a notice; the code
// of an *ExitError; 128 + the signal's number when the run failed after a signal; else 1. Every problem of an error is shown
// by itself, and a panic is an error with its stack in the log.
//
// The first SIGINT or SIGTERM cancels the context. GitHub kills 10 s after it asks to cancel, so what is left to do must be
// done in less. A second signal ends the process at once.
func Run(getenv func(string) string, stdout io.Writer, run func(ctx context.Context, a *Action) error) int {
	a := New(getenv, stdout)
	ctx, stop := a.listen(context.Background())
	defer stop()
	return a.finish(ctx, guarded(ctx, a, run))
}

// listen cancels the context at the first signal and then leaves signals to their default, which ends the process.
func (a *Action) listen(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&Cancelled{Signal: s})
			a.Infof("received %s: stopping in order; a second signal stops at once", s)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// guarded turns a panic into an error, with the stack in the log.
func guarded(ctx context.Context, a *Action, run func(context.Context, *Action) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			end := a.Group("Stack of the panic")
			a.Infof("%s", debug.Stack())
			end()
			err = fmt.Errorf("internal error: %v; please report it with the log of this run", p)
		}
	}()
	return run(ctx, a)
}

// neutralOf finds the Neutral that err is or wraps. Joined errors are neutral only if each of them is: one among several does
// not make the others harmless.
func neutralOf(err error) *change.Neutral {
	for err != nil {
		if neutral, ok := err.(*change.Neutral); ok { //nolint:errorlint // errors.As would find one among joined errors
			return neutral
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			var first *change.Neutral
			for _, each := range joined.Unwrap() {
				neutral := neutralOf(each)
				if neutral == nil {
					return nil
				}
				first = cmp.Or(first, neutral)
			}
			return first
		}
		err = errors.Unwrap(err)
	}
	return nil
}

// placeShape is how an error about a line of a manifest template in the checkout begins.
var placeShape = regexp.MustCompile(`^([\w.][\w./ -]*\.(?:ya?ml|tpl)):(\d+)\b`)

// placeIn finds the file and line that a message begins with, so that GitHub shows it where it is to be mended.
func placeIn(message string) (file string, line int) {
	found := placeShape.FindStringSubmatch(message)
	if found == nil {
		return "", 0
	}
	line, err := strconv.Atoi(found[2])
	if err != nil {
		return "", 0
	}
	return found[1], line
}

// finish shows how the run ended and gives its exit code.
func (a *Action) finish(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	if neutral := neutralOf(err); neutral != nil {
		a.Noticef("Nothing to do: %s", neutral.Reason)
		return 0
	}
	for _, problem := range problems(err) {
		// Past the cap too: the log must say in red why the run failed.
		file, line := placeIn(problem.Error())
		a.annotate(Annotation{Level: Error, File: file, Line: line, Message: problem.Error()})
	}
	var exit *ExitError
	if errors.As(err, &exit) && exit.Code != 0 {
		return exit.Code
	}
	var cancelled *Cancelled
	if errors.As(context.Cause(ctx), &cancelled) {
		if s, ok := cancelled.Signal.(syscall.Signal); ok {
			return 128 + int(s)
		}
	}
	return 1
}
