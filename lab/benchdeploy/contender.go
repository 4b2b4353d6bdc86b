package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// contender is one way to bring objects into a namespace.
type contender struct {
	name string
	at   *namespace
	// first is when its first request came.
	first *firstRequest
	// words are its own for image and secret.
	words words
	// prepare comes before each run, off the clock: what a runner has before the deployment begins.
	prepare func(ctx context.Context, objects string) error
	// deploy brings out what was prepared and waits until it is ready; apply ends when the cluster has it. kubeconfig is one
	// of the namespace's.
	deploy func(ctx context.Context, kubeconfig string) (outcome, error)
	apply  func(ctx context.Context, kubeconfig string) (outcome, error)
}

// outcome is how one run went.
type outcome struct {
	began time.Time
	took  time.Duration
	// output is what it printed, serves and applied when promote's candidate had all traffic and when all its objects were in
	// the cluster; 0 where that is not known.
	output, trace   string
	serves, applied time.Duration
	failed          bool
	// first is from the start until the first request; known only of runs that were counted.
	first time.Duration
	usage
	// served is what promote's candidate cost until it had all traffic; whoever does not print that has ended then.
	served usage
}

// usage is what was asked of the API server.
type usage struct {
	requests int
	bytes    int64
}

// minus is what came after an earlier look.
func (u usage) minus(before usage) usage {
	return usage{u.requests - before.requests, u.bytes - before.bytes}
}

// used is what the namespace's runs have asked so far.
func (n *namespace) used() usage { return usage{len(n.counter.Seen()), n.counter.Bytes()} }

// once prepares and runs; the namespace is at rest before and after.
func (c *contender) once(ctx context.Context, objects string, do func(context.Context, string) (outcome, error), counted bool) (outcome, error) {
	if err := c.at.rest(ctx); err != nil {
		return outcome{}, err
	}
	if err := c.prepare(ctx, objects); err != nil {
		return outcome{}, fmt.Errorf("preparing %s: %w", c.name, err)
	}
	kubeconfig, before := c.at.direct, c.at.used()
	if counted {
		kubeconfig = c.at.counted
	}
	c.first.forget()
	c.at.first.forget()
	out, err := do(ctx, kubeconfig)
	if err != nil {
		return out, fmt.Errorf("running %s: %w", c.name, err)
	}
	out.first = c.first.since(out.began)
	if counted {
		out.trace += c.at.first.all.trace()
	}
	out.usage = c.at.used().minus(before)
	if out.served = out.served.minus(before); out.serves == 0 {
		out.served = out.usage
	}
	return out, c.at.rest(ctx)
}

// must is a run that has to succeed.
func (c *contender) must(ctx context.Context, objects string, do func(context.Context, string) (outcome, error), counted bool) (outcome, error) {
	out, err := c.once(ctx, objects, do, counted)
	if err == nil && out.failed {
		err = fmt.Errorf("running %s: it failed:\n%s", c.name, out.output)
	}
	return out, err
}

// step is one command of a run.
type step struct {
	program string
	args    []string
}

// commands runs one after the other with the given environment alone; a command that fails ends it and is the outcome's affair.
// used is asked when servesLine is printed; nil is nobody.
func commands(ctx context.Context, dir string, env []string, used func() usage, steps ...step) (outcome, error) {
	out := outcome{began: time.Now()}
	log := &stamped{began: out.began}
	if used != nil {
		log.then = func() { out.served = used() }
	}
	for _, s := range steps {
		cmd := exec.CommandContext(ctx, s.program, s.args...)
		cmd.Dir, cmd.Env = dir, env
		cmd.Stdout, cmd.Stderr = log, log
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return out, fmt.Errorf("running %s: %w", filepath.Base(s.program), err)
		}
		if err != nil {
			out.failed = true
			break
		}
	}
	out.took = time.Since(out.began)
	out.output, out.trace = log.String(), log.trace()
	out.serves, out.applied = log.when(servesLine), log.when("Wait for ")
	return out, ctx.Err()
}
