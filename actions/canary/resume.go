package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/secrets"
)

// resume goes on with a rollout that is held. ask is who wants it promoted; nil lets it go its steps.
func resume(ctx context.Context, a *gha.Action, in inputs, ask *rollout.Ask) error {
	cl, err := job.Connect(ctx, a, in.Inputs)
	if err != nil {
		return err
	}
	state, err := release.Standing(ctx, cl, in.Service)
	if err != nil {
		return errors.Join(advised(err), a.SetOutput("result", refused))
	}
	gh, err := github.New(github.Config{APIURL: a.Env().APIURL, Token: in.Token, Repository: a.Env().Repository, Redact: a.Redact})
	if err != nil {
		return err
	}
	ch, err := heldChange(ctx, gh, *state.Candidate)
	if err != nil {
		return errors.Join(err, a.SetOutput("result", held))
	}
	return admitted(ctx, a, gh, in, ch, held, func(g gate.Gate, t *tell) (outcome, error) {
		return goOn(ctx, a, g, in, cl, ch, ask, t)
	})
}

// advised says what to do when nothing is held.
func advised(err error) error {
	var not *release.NotHeldError
	if !errors.As(err, &not) {
		return err
	}
	fix := "`mode: run` begins a rollout"
	switch {
	case not.Holder != "" && not.Release != "":
		fix = "let it end; `mode: promote` asks it for its end once its traffic moves, `mode: abort` for the way back"
	case not.Holder != "":
		fix = "let it end"
	case not.Release != "":
		fix = "`mode: recover` gives the traffic back; what a run that died left is never gone on with, since it may have died when it had decided to roll back"
	}
	return fmt.Errorf("%w: %s", err, fix)
}

// heldChange finds the pull request of the release that is held, whatever is checked out.
func heldChange(ctx context.Context, gh *github.Client, held cluster.Release) (change.Change, error) {
	merged, err := gh.MergedChange(ctx, held.Merge, "")
	if err != nil {
		return change.Change{}, fmt.Errorf("finding the pull request of release %s, which is held: %w", held.ID, err)
	}
	if merged.Head != held.Commit || merged.Tree != held.Tree {
		return change.Change{}, &change.Refusal{
			Subject: "release " + held.ID + ", which is held",
			Reason:  fmt.Sprintf("GitHub says that commit %s brought %s, and the release is of %s", change.Short(held.Merge), change.Short(merged.Head), change.Short(held.Commit)),
			Fix:     "undo it with `mode: abort`",
		}
	}
	return merged, nil
}

// goOn takes up what is held and moves on.
func goOn(ctx context.Context, a *gha.Action, g gate.Gate, in inputs, cl *cluster.Cluster, ch change.Change, ask *rollout.Ask, t *tell) (outcome, error) {
	out := outcome{Result: held}
	resolver, err := secrets.NewAWS(ctx, in.AWSRegion)
	if err != nil {
		return out, fmt.Errorf("reading the AWS configuration (input `aws-region`): %w", err)
	}
	deps := release.Deps{Cluster: cl, Secrets: resolver, Log: a, Mask: a.Mask, Entrance: reopen(a, in, cl)}
	req := release.Request{
		Service: in.Service, Environment: in.Environment, Namespace: in.Namespace, Run: a.Env().Run(), RunURL: a.Env().RunURL, Order: a.Env().Order(),
		Change: ch, Timeout: in.Timeout, Settle: in.Drain, Bake: in.rules.Bake, Stepwise: true, Own: owns[in.traffic], MaxDeletions: in.MaxDeletions,
		Replicas: func(baseline int) int { return firstCandidates(in, baseline) },
	}
	dog := newWatchdog(ctx, a, in)
	w := release.Witness{Gate: g, Change: ch, Environment: in.Environment, Run: a.Env().RunURL, RunID: a.Env().Run()}
	state, err := release.Standing(ctx, cl, in.Service)
	if err != nil {
		return out, advised(err)
	}
	w.Image, out.Digest = state.Candidate.Image, state.Candidate.Digest
	c, chain, err := release.Reenter(ctx, deps, req, w)
	out.Chain = chain
	if err != nil {
		return out, advised(err)
	}
	out.is(c)
	from, err := readRecord(c.State.Rollout)
	if err == nil {
		err = fitting(in, c.State)
	}
	if err == nil {
		w.Approvers, err = g.May(ctx, ch)
	}
	if err != nil {
		return out, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	out.Approvers = w.Approvers
	if now, err := in.plan(c.BaselineReplicas); err == nil && !reflect.DeepEqual(now, *from.Plan) {
		a.Noticef("The rollout of release %s goes on by the plan that it began with, not by what the inputs say of steps and times now.", c.Release.ID)
	}
	err = roll(c.Lock.Context(), a, in, cl, c, w, dog, &taken{record: from, ask: ask}, &out, t)
	return served(ctx, a, cl, c, w, out, err)
}

// taken is a rollout that is taken up, and who wants it promoted.
type taken struct {
	record
	ask *rollout.Ask
}

// fitting refuses to go on by another way than the one that the traffic is shared by.
func fitting(in inputs, s *cluster.State) error {
	shared := trafficPods
	if s.Entrance != nil {
		shared = s.Entrance.Kind
	}
	if shared != in.traffic {
		return fmt.Errorf("release %s is held with its traffic shared by %s: give the input `traffic: %s`, not %s", s.Candidate.ID, shared, shared, in.traffic)
	}
	return nil
}
