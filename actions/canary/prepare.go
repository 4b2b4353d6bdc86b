package main

import (
	"context"
	"errors"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/traffic"
	"github.com/org/promote/pkg/verdict"
)

// prepare is what every release needs, and the pods that a canary of this one starts with.
func prepare(ctx context.Context, a *gha.Action, in inputs, ch change.Change, from surroundings) (release.Deps, release.Request, error) {
	deps, req, err := job.Prepare(ctx, a, in.Inputs, ch, from.Environ)
	if err != nil {
		return deps, req, err
	}
	req.Bake, req.Stepwise, req.Own = in.rules.Bake, true, owns[in.traffic]
	cl := deps.Cluster
	deps.Entrance = reopen(a, in, cl)
	state, err := cl.LoadState(ctx, in.Service)
	if err != nil {
		return deps, req, better(err, cl.Preflight(ctx, in.Environment, nil))
	}
	if state.Serving != nil {
		req.Replicas = func(baseline int) int { return firstCandidates(in, baseline) }
	}
	return deps, req, nil
}

// better is the preflight's error when it finds one, such as a right that is missing: the first one only comes of it.
func better(first, preflight error) error {
	if preflight != nil {
		return preflight
	}
	return first
}

// firstCandidates is how many pods the candidate starts with. A plan that can't be is refused later, with its reason.
func firstCandidates(in inputs, baseline int) int {
	p, err := in.plan(baseline)
	if err != nil {
		return 1
	}
	return p.Steps[0].Candidate
}

// setting is all that a rollout needs, and what its verdicts rest on.
type setting struct {
	plan  rollout.Plan
	edge  rollout.Edge
	basis metrics.Basis
}

// ready lays out the plan and proves that traffic can be moved and judged. Nothing has moved yet.
func ready(ctx context.Context, a *gha.Action, in inputs, cl *cluster.Cluster, c *release.Candidate, w release.Witness, from *taken) (setting, error) {
	plan, err := from.plan(in, c)
	if err != nil {
		return setting{}, err
	}
	for i, s := range plan.Steps {
		a.Infof("plan, step %d: %s", i+1, s)
	}
	judge, err := newJudge(ctx, in, cl, c.Release.ID, c.Baseline.ID, from != nil)
	if err != nil {
		return setting{}, err
	}
	cfg, sharedErr := shared(c, in, a)
	if sharedErr == nil {
		sharedErr = traffic.Check(ctx, cl, cfg)
	}
	if err := errors.Join(sharedErr, judge.Prove(ctx, time.Now())); err != nil {
		return setting{}, err
	}
	a.Infof("every check answers for the baseline %s and tells it from the candidate", c.Baseline.ID)
	var begin rollout.State
	if from != nil {
		// The run that held it has applied what is shared, and weights stand in it by now.
		begin = from.State
		for _, why := range judge.Resume(from.Kept) {
			a.Warningf("Its evidence begins afresh, with an error rate of its own: %v.", why)
		}
	} else if err := c.ApplyShared(ctx); err != nil {
		return setting{}, err
	}
	// The routes of a gateway may have come with this very release.
	fleet, err := newFleet(ctx, a, in, cl, c, cfg)
	if err != nil {
		return setting{}, err
	}
	ask := func(ctx context.Context) error {
		_, err := w.Gate.May(ctx, w.Change)
		return err
	}
	return setting{plan: plan, basis: judge.Basis(), edge: rollout.Edge{
		May:   func(ctx context.Context) error { return stillMay(ctx, ask, a, in.rules.StepLimit, askPause) },
		Fleet: fleet, Judge: judging{judge}, Log: a, Record: recorder(cl, c, plan, judge, a, a.Redact), From: begin,
		LockLost: func(cause error) bool { return errors.Is(cause, cluster.ErrLockLost) },
	}}, nil
}

// plan is the one that a rollout began with; nil lays one out.
func (t *taken) plan(in inputs, c *release.Candidate) (rollout.Plan, error) {
	if t == nil {
		return in.plan(c.BaselineReplicas)
	}
	return *t.Plan, nil
}

// wish is who wanted the promotion before the run began.
func (t *taken) wish() *rollout.Ask {
	if t == nil {
		return nil
	}
	return t.ask
}

// judging is a metrics.Judge as a rollout asks it.
type judging struct{ *metrics.Judge }

func (j judging) Observe(ctx context.Context, w rollout.Window) ([]verdict.Result, error) {
	return j.Judge.Observe(ctx, metrics.Window{Since: w.Since, Now: w.Now, Full: w.Full}), nil
}

func newJudge(ctx context.Context, in inputs, cl *cluster.Cluster, candidate, baseline string, reached bool) (*metrics.Judge, error) {
	monitor, err := in.monitor.open(ctx, cl)
	if err != nil {
		return nil, err
	}
	return metrics.NewJudge(monitor, in.checks, metrics.Subject{
		Candidate: candidate, Baseline: baseline, Namespace: in.Namespace, Service: in.Service, Reached: reached,
	}, metrics.Rules{MinRequests: in.minRequests, Alpha: falseAlarms, Warmup: in.rules.StepDuration}), nil
}
