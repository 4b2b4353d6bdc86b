package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/source"
)

// surroundings are what main takes from the process.
type surroundings struct {
	Environ    []string
	Kubeconfig string
}

// run is the action: which commit, may it go, bring it up, switch, tell.
func run(ctx context.Context, a *gha.Action, from surroundings) error {
	in, err := readInputs(a, from.Kubeconfig)
	if err != nil {
		return err
	}
	if in.renderOnly {
		return renderOnly(ctx, a, in)
	}
	gh, err := github.New(github.Config{APIURL: a.Env().APIURL, Token: in.Token, Repository: a.Env().Repository, Redact: a.Redact})
	if err != nil {
		return err
	}
	if in.preview {
		if ended, err := endPreviews(ctx, a, gh, in); ended {
			return err
		}
	}
	if in.dryRun {
		return lookAhead(ctx, a, gh, in, from)
	}
	ch, err := theChange(ctx, a, gh)
	if err != nil {
		return err
	}
	back, err := earlier(ctx, a, in)
	if err != nil {
		return err
	}
	in, ch = in.of(ch, back)
	p, err := newPreview(ctx, a, gh, &in, ch)
	if err != nil {
		return err
	}
	g, keyErr := in.Gate(ctx, a, gh, in.gate())
	approvers, mayErr := g.May(ctx, ch)
	if err := errors.Join(keyErr, mayErr); err != nil {
		return err
	}
	if back == nil { // else nothing of the checkout is used
		if err := holds(ctx, a, ch); err != nil {
			return err
		}
	}
	t := tell{action: a, github: gh, in: in.shown(ch), change: ch, started: time.Now()}
	t.start(ctx)
	out, err := p.around(ctx, func(ctx context.Context) (outcome, error) { return deploy(ctx, a, g, in, ch, from, p, back) })
	if out.Approvers == nil {
		out.Approvers = approvers
	}
	// What happened must be told even when the run was cancelled.
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, t.end(told, out, err), p.retract(told, &t, out))
}

// theChange reads the event.
func theChange(ctx context.Context, a *gha.Action, gh *github.Client) (change.Change, error) {
	name, payload, err := a.Event()
	if err != nil {
		return change.Change{}, err
	}
	ch, err := change.FromEvent(name, payload)
	if err != nil {
		return change.Change{}, err
	}
	if ch.Head == "" { // a person started the run: GitHub names the commit beside the payload
		if ch, err = ch.At(a.Env().SHA); err != nil {
			return change.Change{}, err
		}
	}
	ch.Tree, err = gh.Tree(ctx, ch.Head)
	return ch, err
}

// holds makes sure that the manifests and tests in the workspace are those of the change.
func holds(ctx context.Context, a *gha.Action, ch change.Change) error {
	at, err := source.At(ctx, a.Env().Workspace)
	if err != nil {
		return err
	}
	if at.Tree != ch.Tree {
		return &change.Refusal{
			Subject: "the checkout in " + a.Env().Workspace,
			Reason:  fmt.Sprintf("it holds commit %s, and the run is about %s", change.Short(at.Hash), change.Short(ch.Head)),
			Fix:     "give actions/checkout `ref: ${{ github.event.pull_request.head.sha || github.sha }}`",
		}
	}
	return nil
}

// outcome is what the outputs, the summary and GitHub are told.
type outcome struct {
	Result    string // deployed, unchanged, planned, removed, failed
	Release   string
	Previous  string
	Digest    string
	URL       string
	Approvers []string
	// Chain is the evidence that was asked for.
	Chain     []evidence.Link
	Candidate *release.Candidate
}

// deploy does the work on the registry and the cluster.
func deploy(ctx context.Context, a *gha.Action, g gate.Gate, in inputs, ch change.Change, from surroundings, p *preview, back *release.Earlier) (outcome, error) {
	out := outcome{Result: "failed", Digest: in.Digest}
	deps, req, err := job.Prepare(ctx, a, in.Inputs, ch, from.Environ)
	if err != nil {
		return out, err
	}
	req.Bake = in.bake
	if back != nil {
		req = back.Restore(req)
	}
	p.into(&req, deps.Cluster)
	out.Digest = req.Image[len(in.Image)+1:]
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
	out.Result, out.Approvers, err = conclude(ctx, g, in, w, c)
	// Others wait for the lock; a load balancer's address may take minutes.
	job.Unlock(ctx, a, c)
	if out.Result != "deployed" && out.Result != "unchanged" {
		return out, err
	}
	url, missing := deps.Cluster.Address(ctx, c.Services[0].Name, out.Result == "deployed")
	if missing != nil {
		// The release serves; that a load balancer is slow to get its name does not undo that.
		a.Warningf("looking for the service's address: %v", missing)
	}
	out.URL = url
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

// conclude lets a candidate that is up and tested serve, and writes down what became of it.
func conclude(ctx context.Context, g gate.Gate, in inputs, w release.Witness, c *release.Candidate) (result string, approvers []string, err error) {
	if c.Unchanged {
		return "unchanged", nil, w.Again(ctx, c)
	}
	if approvers, err = g.May(ctx, w.Change); err != nil {
		return "failed", approvers, errors.Join(err, c.Discard(context.WithoutCancel(ctx), err.Error()))
	}
	w.Approvers = approvers
	if err = c.Switch(ctx); err != nil {
		if release.Judged(err) {
			err = errors.Join(err, w.Failed(ctx, c, job.Cause(err)))
		}
		return "failed", approvers, err
	}
	// From here on the candidate serves, whatever fails. That is written down while the old release goes: a registry may need
	// seconds to list the evidence, and neither waits for what the other comes to.
	var left error
	var finishing sync.WaitGroup
	finishing.Go(func() { left = c.Finish(ctx) })
	err = w.Passed(context.WithoutCancel(ctx), c, fmt.Sprintf("%s serves %s in %s", c.Release.ID, in.Service, in.Environment))
	finishing.Wait()
	if left != nil {
		left = fmt.Errorf("release %s serves, and removing the old one did not succeed; the next run does it: %w", c.Release.ID, left)
	}
	return "deployed", approvers, errors.Join(err, left)
}
