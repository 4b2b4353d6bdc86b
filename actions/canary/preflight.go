package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/release"
)

// The areas that only a canary has.
const (
	areaGitHub   = "GitHub"
	areaMonitor  = "monitor"
	areaTraffic  = "traffic"
	areaWatchdog = "watchdog"
)

// ahead is what a dry run looks at.
type ahead struct {
	action *gha.Action
	github *github.Client
	in     inputs
	from   surroundings
	change change.Change
	// problem is why GitHub could not say which change it is; landed says that the event brings a commit of the base branch.
	problem error
	landed  bool

	looks *job.Preflight
	// judge and proofs are there once the monitor was asked about what serves.
	judge  *metrics.Judge
	proofs []metrics.Proof
}

// lookAhead looks at all that a rollout would need, tells everything that is to be changed, and then what the rollout would change and how
// it would go. Nothing is written anywhere.
func lookAhead(ctx context.Context, a *gha.Action, in inputs, from surroundings) error {
	began := time.Now()
	gh, err := github.New(github.Config{APIURL: a.Env().APIURL, Token: in.Token, Repository: a.Env().Repository, Redact: a.Redact})
	if err != nil {
		return err
	}
	d := &ahead{action: a, github: gh, in: in, from: from}
	var neutral *change.Neutral
	if d.find(ctx); errors.As(d.problem, &neutral) {
		return d.problem
	}
	d.looks = job.NewPreflight(ctx, a, in.Inputs, d.about())
	seen := preflight.Run(ctx, slices.Concat(
		[]preflight.Look{{Area: areaGitHub, At: d.lookAtChange}}, job.GitHubLooks(a, gh, in.Inputs, d.change, in.Environment), d.looks.Looks(),
		[]preflight.Look{{Area: areaMonitor, At: d.lookAtMonitor}, {Area: areaTraffic, At: d.lookAtTraffic}, {Area: areaWatchdog, At: d.lookAtWatchdog}},
	)...)
	out, page := outcome{Result: planned}, ""
	if job.Plans(seen) {
		var found []preflight.Finding
		out, page, found = d.plan(ctx, began)
		seen.Findings = append(seen.Findings, found...)
	}
	return job.Tell(a, seen, page, [][2]string{{"release", out.Release}, {"previous", out.Previous}, {"digest", out.Digest}})
}

// find says which change it is: of a commit on the base branch as a run does, and else the pull request's own.
func (d *ahead) find(ctx context.Context) {
	name, payload, err := d.action.Event()
	if err == nil && lands(name) {
		d.landed = true
		d.change, d.problem = theChange(ctx, d.action, d.github)
		return
	}
	if err == nil {
		d.change, err = change.FromEvent(name, payload)
	}
	if err == nil {
		d.change.Tree, err = d.github.Tree(ctx, d.change.Head)
	}
	d.problem = err
}

// about says what the preflight is about. What a change has to have passed is asked once it is on the base branch.
func (d *ahead) about() job.About {
	about := job.About{
		Change: d.change, Closes: true,
		Gate:    gate.Gate{Name: d.in.Environment, GitHub: d.github, AllowRollback: d.in.AllowRollback, Redact: d.action.Redact, Log: d.action},
		Request: release.Request{Stepwise: true, Own: owns[d.in.traffic]},
	}
	if d.landed {
		about.Gate.Require = d.in.Require
	}
	if d.in.traffic == trafficGateway {
		about.More = cluster.GatewayRights
	}
	if d.in.traffic == trafficRoute53 {
		about.Amazon = append(about.Amazon, "the DNS name")
	}
	if d.in.monitor.kind == cloudWatch || d.in.monitor.sign {
		about.Amazon = append(about.Amazon, "the monitor")
	}
	if d.in.watchdog == watchdogOn {
		about.More = append(about.More, cluster.WatchdogRights...)
	}
	if d.in.watchdog != watchdogOff {
		about.Pushes = append(about.Pushes, "the watchdog's image")
	}
	return about
}

// lookAtChange says whether this change may go, and now.
func (d *ahead) lookAtChange(ctx context.Context) []preflight.Finding {
	found := []preflight.Finding{job.OfChange(d.change, d.problem)}
	if frozen := d.in.freeze.At(time.Now()); frozen != nil {
		found = append(found, preflight.Finding{Subject: "freeze", State: preflight.Noted, Told: "a run now would be refused: it is " + frozen.String()})
	}
	if !d.landed {
		return append(found, preflight.Finding{
			Subject: "event", State: preflight.Noted,
			Told: fmt.Sprintf("a rollout begins with a push to the base branch, and this is %q: approvals and the gates of `require` are asked then", d.action.Env().EventName),
		})
	}
	if d.problem != nil {
		return found
	}
	_, err := d.github.MayGo(ctx, d.change, d.in.Approvals)
	return append(found, job.OfCheck("approvals", fmt.Sprintf("%d are required, and nothing stands against it", d.in.Approvals), err))
}

// plan asks what the run would change, and lays out how it would go.
func (d *ahead) plan(ctx context.Context, began time.Time) (outcome, string, []preflight.Finding) {
	out := outcome{Result: planned}
	deps, req, err := prepare(ctx, d.action, d.in, d.change, d.from)
	if err != nil {
		return out, "", []preflight.Finding{job.OfCheck("dry run", "", err)}
	}
	out.Digest = req.Image[len(d.in.Image)+1:]
	c, found := job.Plan(ctx, deps, req)
	out.is(c)
	page := ""
	if c != nil && len(c.Changes) > 0 {
		page = summary(d.in, d.change, out, nil, time.Since(began)) + job.Changes(c.Changes)
	}
	state, err := d.looks.State()
	if err != nil || state.Serving == nil || len(state.Serving.Deployments) == 0 {
		return out, page, found // the look at the state has told it
	}
	out.Previous = state.Serving.ID
	plan, err := layOut(ctx, d.action, d.in, deps.Cluster, state)
	if err != nil {
		f := job.OfCheck("steps", "", err)
		f.Area = areaTraffic
		return out, page, append(found, f)
	}
	if d.judge == nil {
		return out, page, found
	}
	var proof error
	for _, p := range d.proofs {
		proof = errors.Join(proof, p.Err)
	}
	return out, page + "\n" + planSummary(d.in, state.Serving.ID, plan, d.judge.Known(), proof) + adviceList(d.looks.Sketch().Objects().Lint()), found
}
