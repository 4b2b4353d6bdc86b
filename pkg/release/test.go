package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/command"
)

const (
	// reportsVariable names a folder of the run's own in which JUnit files are read without being asked for.
	reportsVariable = "PROMOTE_REPORTS"
	// commandGrace is how long a command may take to end by itself when the run is cancelled or its time is up: the candidate is
	// still to be removed in the 10 s before the runner kills.
	commandGrace = time.Second
)

// TestFailedError says that a release's own tests did not pass.
type TestFailedError struct {
	// Tested has why, and what the tests reported.
	Tested Tested
	// ExitCode is that of the command; 0 when its report speaks against it.
	ExitCode int
	// Timeout is set when the tests did not end in time.
	Timeout time.Duration
}

func (e *TestFailedError) Error() string { return "testing the candidate: " + e.Tested.Problem }

// ResetFailedError says that the command before the tests failed. That says nothing about the candidate.
type ResetFailedError struct {
	ExitCode int
	// Timeout is set when it did not end in time.
	Timeout time.Duration
}

func (e *ResetFailedError) Error() string {
	if e.Timeout > 0 {
		return fmt.Sprintf("resetting before the tests: not done within %s; see the output of the input `reset-command` above, or raise the input `timeout`", e.Timeout)
	}
	return fmt.Sprintf("resetting before the tests: the input `reset-command` ended with exit code %d; its output is above, and no test was run", e.ExitCode)
}

// Judged says that an error is a verdict on the candidate itself: its pods did not come up, or its tests did not pass. What is
// left (a registry out of reach, a lost lock, a reset that failed, a cancelled run) says nothing about it.
func Judged(err error) bool {
	var tests *TestFailedError
	var pods *cluster.FailedError
	return errors.As(err, &tests) || errors.As(err, &pods)
}

// Verify runs the tests against a release that serves already, through the Service that clients use: its evidence is to be
// written again, and what is not proven anew is no proof.
func (c *Candidate) Verify(ctx context.Context) error { return c.testThrough(ctx, c.Services[0].Name) }

// test runs the tests against the candidate's own Service.
func (c *Candidate) test(ctx context.Context) error {
	return c.testThrough(ctx, candidateName(c.Services[0].Name))
}

// testThrough runs the reset command and the tests against a Service, through a port-forward.
func (c *Candidate) testThrough(ctx context.Context, service string) error {
	t := c.req.Test
	if t == nil || t.Command == "" {
		return nil
	}
	forward, err := c.deps.Cluster.Forward(ctx, service, "")
	if err != nil {
		return fmt.Errorf("reaching Service/%s/%s: %w", c.req.Namespace, service, err)
	}
	defer forward.Close()
	return c.testAt(ctx, forward.URL())
}

// testAt runs the reset command and the tests against a URL.
func (c *Candidate) testAt(ctx context.Context, url string) error {
	t := c.req.Test
	reports, err := os.MkdirTemp("", "promote-reports-")
	if err != nil {
		return fmt.Errorf("making a folder for test reports: %w", err)
	}
	defer func() { _ = os.RemoveAll(reports) }()
	environ, withheld := command.Environ(c.deps.Environ, t.Env)
	mark := reportsVariable + "=" + reports
	environ = append(environ,
		"PROMOTE_URL="+url,
		"PROMOTE_ENVIRONMENT="+c.req.Environment,
		"PROMOTE_RELEASE="+c.Release.ID,
		"PROMOTE_DIGEST="+c.Release.Digest,
		mark,
	)
	what := command.Command{Dir: t.Dir, Environ: environ, Timeout: c.req.Timeout, Grace: commandGrace, Mark: mark}
	if t.Reset != "" {
		what.Line = t.Reset
		if err := c.reset(ctx, what); err != nil {
			c.tellWithheld(err, withheld)
			return err
		}
	}
	what.Line = t.Command
	tested, err := c.runTests(ctx, what, reports)
	c.Tested = &tested
	c.tellWithheld(err, withheld)
	return err
}

// reset runs the command that brings the environment's data into a known state.
func (c *Candidate) reset(ctx context.Context, what command.Command) error {
	end := c.deps.Log.Group("Reset before the tests: " + firstOf(what.Line))
	out := c.deps.Log.Child()
	ended, err := command.Run(ctx, what, out, out)
	_ = out.Close()
	end()
	c.tellLeft(what.Line, ended)
	switch {
	case err != nil:
		return err
	case ended.TimedOut:
		return &ResetFailedError{ExitCode: ended.Code, Timeout: what.Timeout}
	case ended.Code != 0:
		return &ResetFailedError{ExitCode: ended.Code}
	}
	return nil
}

// tellLeft warns of processes that a command had left running: they may be what made the tests pass.
func (c *Candidate) tellLeft(line string, ended command.Ended) {
	if len(ended.Left) > 0 {
		c.deps.Log.Warningf("%q left processes running, which were ended: %s; let it end what it starts", firstOf(line), strings.Join(ended.Left, ", "))
	}
}

// tellWithheld says which variables a command that failed did not get: the lack of one may be why.
func (c *Candidate) tellWithheld(err error, names []string) {
	if err != nil && len(names) > 0 {
		c.deps.Log.Infof("of the runner's environment the command did not get %s; what it needs can be named in the input `test-env`", strings.Join(names, ", "))
	}
}
