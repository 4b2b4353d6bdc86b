package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/source"
)

// surroundings are what main takes from the process.
type surroundings struct {
	Environ    []string
	Kubeconfig string
	MonitorURL string
}

// The results.
const (
	promoted   = "promoted"
	rolledBack = "rolled-back"
	refused    = "refused"
	unchanged  = "unchanged"
	held       = "held"
	abandoned  = "abandoned"
	planned    = "planned"
	recovered  = "recovered"
	aborted    = "aborted"
	busy       = "busy"
)

const (
	// cleanupTime bounds the removal of a candidate that takes no traffic.
	cleanupTime = 2 * time.Minute
	// hurriedTime is what is left of it in a run that was cancelled; the next run does the rest.
	hurriedTime = 2 * time.Second
	// entranceTime is what may come on top of it to lead clients to the shared Service alone again.
	entranceTime = 15 * time.Minute
	// tellTime bounds the last words.
	tellTime = 5 * time.Second
)

// run is the action: which commit, may it go, move its traffic, tell.
func run(ctx context.Context, a *gha.Action, from surroundings) error {
	in, err := readInputs(a, from)
	if err != nil {
		return err
	}
	switch {
	case in.dryRun:
		return lookAhead(ctx, a, in, from)
	case in.mode == modePlan:
		return showPlan(ctx, a, in)
	case in.mode == modeRecover, in.mode == modeAbort:
		return makeSafe(ctx, a, in)
	case in.mode == modeResume:
		return resume(ctx, a, in, nil)
	case in.mode == modePromote:
		return promoteNow(ctx, a, in)
	}
	gh, err := github.New(github.Config{APIURL: a.Env().APIURL, Token: in.Token, Repository: a.Env().Repository, Redact: a.Redact})
	if err != nil {
		return err
	}
	ch, err := theChange(ctx, a, gh)
	var neutral *change.Neutral
	if errors.As(err, &neutral) {
		return err
	}
	if err != nil {
		return errors.Join(err, a.SetOutput("result", refused))
	}
	return admitted(ctx, a, gh, in, ch, refused, func(g gate.Gate, t *tell) (outcome, error) {
		return canary(ctx, a, g, in, ch, from, t)
	})
}

// admitted asks whether the change may go, lets it, and tells. no is the result when it may not.
func admitted(ctx context.Context, a *gha.Action, gh *github.Client, in inputs, ch change.Change, no string, work func(gate.Gate, *tell) (outcome, error)) error {
	if err := thawed(ctx, a, gh, in, ch); err != nil {
		return errors.Join(err, a.SetOutput("result", no))
	}
	g, keyErr := in.Gate(ctx, a, gh, in.Environment)
	approvers, mayErr := g.May(ctx, ch)
	if err := errors.Join(keyErr, mayErr); err != nil {
		return errors.Join(err, a.SetOutput("result", no))
	}
	t := tell{action: a, github: gh, in: in, change: ch, started: time.Now()}
	t.start(ctx)
	out, err := work(g, &t)
	out.Approvers = approvers
	// What happened must be told even when the run was cancelled.
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	return errors.Join(err, t.end(told, out, err))
}

// theChange finds the pull request's head commit behind a commit on the base branch, and makes sure that the tree that was
// tested is the tree that is checked out.
func theChange(ctx context.Context, a *gha.Action, gh *github.Client) (change.Change, error) {
	name, payload, err := a.Event()
	if err != nil {
		return change.Change{}, err
	}
	pushed, err := change.FromEvent(name, payload)
	if err != nil {
		return change.Change{}, err
	}
	if !lands(name) {
		return change.Change{}, &change.Refusal{
			Subject: "event " + name, Reason: "only a commit that is on the base branch may go on",
			Fix: "run this workflow on push to the base branch, or use `mode: plan`",
		}
	}
	if pushed.Head == "" {
		if pushed, err = pushed.At(a.Env().SHA); err != nil {
			return change.Change{}, err
		}
	}
	merged, err := gh.MergedChange(ctx, pushed.Head, pushed.HeadRef)
	if err != nil {
		return change.Change{}, err
	}
	at, err := source.At(ctx, a.Env().Workspace)
	if err != nil {
		return change.Change{}, err
	}
	if at.Tree != merged.Tree {
		return change.Change{}, &change.Refusal{
			Subject: "the checkout in " + a.Env().Workspace,
			Reason:  fmt.Sprintf("its commit %s has another tree than %s, which was tested", change.Short(at.Hash), change.Short(merged.Head)),
			Fix:     "give actions/checkout `ref: ${{ github.sha }}`",
		}
	}
	return merged, nil
}

// lands says whether an event brings a commit of the base branch.
func lands(event string) bool { return event == "push" || event == "workflow_dispatch" }

// outcome is what the outputs, the summary and GitHub are told.
type outcome struct {
	Result, Release, Previous, Digest, URL string
	// First says that nothing served before, so there was nothing to share traffic with.
	First     bool
	Approvers []string
	// Chain is the evidence that was asked for.
	Chain     []evidence.Link
	Candidate *release.Candidate
	// Rollout is nil when no traffic was moved in steps; Report is the path of its page.
	Rollout *rollout.Result
	Report  string
}

// canary brings the candidate up and moves the traffic.
func canary(ctx context.Context, a *gha.Action, g gate.Gate, in inputs, ch change.Change, from surroundings, t *tell) (outcome, error) {
	out := outcome{Result: refused}
	deps, req, err := prepare(ctx, a, in, ch, from)
	if err != nil {
		return out, err
	}
	out.Digest = req.Image[len(in.Image)+1:]
	dog := newWatchdog(ctx, a, in)
	w := release.Witness{Gate: g, Change: ch, Image: req.Image, Environment: in.Environment, Run: a.Env().RunURL, RunID: a.Env().Run()}
	c, chain, err := release.Enter(ctx, deps, req, w)
	out.Chain = chain
	out.is(c)
	if err != nil {
		if job.GaveWay(err) {
			out.Result = release.Superseded
		}
		return out, err
	}
	if !c.Unchanged {
		if w.Approvers, err = g.May(ctx, ch); err != nil {
			return out, errors.Join(err, discard(ctx, c, err.Error()), c.Close(context.WithoutCancel(ctx)))
		}
	}
	out.Approvers = w.Approvers
	err = move(ctx, a, in, deps.Cluster, c, w, dog, &out, t)
	return served(ctx, a, deps.Cluster, c, w, out, err)
}

// served writes down what became of the candidate, and looks where the service is.
func served(ctx context.Context, a *gha.Action, cl *cluster.Cluster, c *release.Candidate, w release.Witness, out outcome, err error) (outcome, error) {
	err = errors.Join(err, testify(ctx, w, c, out, err))
	// Others wait for the lock; a load balancer's address may take minutes.
	job.Unlock(ctx, a, c)
	if ctx.Err() == nil {
		url, missing := cl.Address(ctx, c.Services[0].Name, out.First)
		if out.URL = url; missing != nil && err == nil {
			a.Warningf("looking for the service's address: %v", missing)
		}
	}
	return out, err
}

// is notes what can be said of the candidate; nil says nothing.
func (o *outcome) is(c *release.Candidate) {
	if c == nil {
		return
	}
	o.Candidate, o.Release = c, c.Release.ID
	if c.Baseline != nil {
		o.Previous = c.Baseline.ID
	}
}

// testify writes down what became of the candidate. A rollout that was cancelled or held says nothing about it.
func testify(ctx context.Context, w release.Witness, c *release.Candidate, out outcome, failure error) error {
	var back *rolledBackError
	switch {
	case out.Result == unchanged:
		return w.Again(ctx, c)
	case out.Result == promoted:
		verdict := c.Release.ID + " was promoted"
		if asked := out.asked(); asked != "" {
			verdict += "; " + asked
		}
		return w.Passed(ctx, c, verdict)
	case errors.As(failure, &back) && len(back.result.State.Cause) > 0, release.Judged(failure):
		// The runner gives a cancelled run seconds; a verdict is no cancellation, and must not be lost to one that follows.
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
		defer cancel()
		return w.Failed(late, c, cause(failure))
	}
	return nil
}

// move gives the candidate the traffic: in steps, or all at once when there is nobody to share it with.
func move(ctx context.Context, a *gha.Action, in inputs, cl *cluster.Cluster, c *release.Candidate, w release.Witness, dog *watchdog, out *outcome, t *tell) error {
	switch {
	case c.Unchanged:
		a.Infof("release %s serves already; nothing to do", c.Release.ID)
		out.Result = unchanged
		return establish(ctx, a, in, cl, c)
	case c.Baseline == nil || c.BaselineReplicas == 0:
		out.First = true
		a.Noticef("Nothing serves %s in %s yet, so there is no traffic to share: release %s takes all of it at once.", in.Service, in.Environment, c.Release.ID)
		if err := c.Switch(ctx); err != nil {
			return err
		}
		out.Result = promoted
		return errors.Join(finish(ctx, c), establish(ctx, a, in, cl, c))
	}
	// The lock's context: a run that has lost the lock must not move traffic.
	return roll(c.Lock.Context(), a, in, cl, c, w, dog, nil, out, t)
}

// roll moves the traffic and ends what it began: the old release goes after a promotion, the candidate after a rollback. from is a
// rollout that is taken up; nil begins one.
func roll(ctx context.Context, a *gha.Action, in inputs, cl *cluster.Cluster, c *release.Candidate, w release.Witness, dog *watchdog, from *taken, out *outcome, t *tell) error {
	ctx, done := context.WithCancelCause(ctx)
	defer done(nil)
	set, err := ready(ctx, a, in, cl, c, w, from)
	var stop func()
	if err == nil {
		stop, err = dog.start(ctx, cl)
	}
	switch {
	case err != nil && from != nil:
		return fmt.Errorf("release %s stays held as it was: %w", c.Release.ID, err)
	case err != nil:
		return errors.Join(err, discard(ctx, c, err.Error()))
	}
	defer func() {
		// What this run could not finish, because it was cancelled for one, the watchdog does.
		if c.State.Candidate == nil || c.State.Phase == release.PhaseHeld {
			stop()
		}
	}()
	now := t.live(ctx, *out)
	set.edge.Abort, set.edge.Promote = c.Lock.Asked(), wishes(ctx, a, c.Lock.AskedToPromote(), c.Release.ID, from.wish())
	set.edge.Begun = func(step int) { now.step(set.plan, step) }
	result, err := rollout.Run(ctx, set.plan, set.edge)
	now.end()
	out.Rollout = &result
	// At once: a run that was cancelled has seconds left.
	out.Report = keep(a, savedRun{
		Version: savedVersion, Service: in.Service, Environment: in.Environment, Run: a.Env().Run(), URL: a.Env().RunURL,
		Commit: w.Change.Head, Title: w.Change.Title, Image: w.Image, Release: c.Release.ID, Baseline: c.Baseline.ID,
		Basis: set.basis, Result: result,
	})
	if err != nil {
		out.Result = abandoned
		return err
	}
	state := result.State
	switch state.Phase {
	case rollout.Promoted:
		out.Result = promoted
		c.State.Rollout = nil
		return finish(ctx, c)
	case rollout.RolledBack:
		out.Result = rolledBack
		return errors.Join(&rolledBackError{result: result, baseline: c.Baseline.ID}, discard(ctx, c, state.Reason))
	case rollout.Held:
		out.Result = held
		return fmt.Errorf("the rollout is held where it was, with %s %% of the pods on release %s (input `on-cancel: hold`): %s; `mode: resume` goes on with it, and the next run undoes it first", percent(round(result.Share)), c.Release.ID, state.Reason)
	default:
		out.Result = abandoned
		return fmt.Errorf("the rollout of release %s was abandoned in phase %q: %s", c.Release.ID, state.Phase, state.Reason)
	}
}

// finish removes the old release.
func finish(ctx context.Context, c *release.Candidate) error {
	if err := c.Finish(ctx); err != nil {
		return fmt.Errorf("release %s serves, and removing the old one did not succeed; the next run does it: %w", c.Release.ID, err)
	}
	return nil
}

// discard removes a candidate that takes no traffic, also in a run that was cancelled.
func discard(ctx context.Context, c *release.Candidate, why string) error {
	limit := cleanupTime
	if ctx.Err() != nil {
		limit = hurriedTime
	}
	if c.State.Entrance != nil && ctx.Err() == nil {
		// Resolvers and load balancers take minutes; what clients get is safe meanwhile.
		limit += entranceTime
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	c.State.Rollout = nil
	return c.Discard(clean, why)
}
