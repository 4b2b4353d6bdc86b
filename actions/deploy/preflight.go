package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/release"
)

// areaGitHub is the area of what GitHub is asked.
const areaGitHub = "GitHub"

// ahead is what a dry run looks at.
type ahead struct {
	action *gha.Action
	github *github.Client
	in     inputs
	from   surroundings
	change change.Change
	// problem is why GitHub could not say which change it is.
	problem error
	// back is the release that a person wants back; nil for none.
	back    *release.Earlier
	backErr error
}

// lookAhead looks at all that a run would need, tells everything that is to be changed, and then what the run would change. Nothing is
// written anywhere.
func lookAhead(ctx context.Context, a *gha.Action, gh *github.Client, in inputs, from surroundings) error {
	began := time.Now()
	d := &ahead{action: a, github: gh, in: in, from: from}
	var neutral *change.Neutral
	if d.change, d.problem = theChange(ctx, a, gh); errors.As(d.problem, &neutral) {
		return d.problem
	}
	d.back, d.backErr = earlier(ctx, a, in)
	d.in, d.change = in.of(d.change, d.back)
	about := d.about()
	p := job.NewPreflight(ctx, a, d.in.Inputs, about)
	seen := preflight.Run(ctx, slices.Concat(
		[]preflight.Look{{Area: areaGitHub, At: d.lookAtChange}}, job.GitHubLooks(a, gh, d.in.Inputs, d.change, d.in.shown(d.change).Environment), p.Looks(),
	)...)
	out := outcome{Result: job.Planned, Digest: in.Digest}
	plan := ""
	if job.Plans(seen) && p.Placed() {
		var found []preflight.Finding
		if out, found = d.plan(ctx); out.Candidate != nil && len(out.Candidate.Changes) > 0 {
			plan = summary(d.in, d.change, out, nil, time.Since(began))
		}
		seen.Findings = append(seen.Findings, found...)
	}
	return job.Tell(a, seen, plan, [][2]string{
		{"release", out.Release}, {"digest", out.Digest}, {"changed", "false"},
	})
}

// about says what the preflight is about. Where the run makes a preview, it is about that namespace.
func (d *ahead) about() job.About {
	about := job.About{
		Change: d.change,
		Gate:   gate.Gate{Name: d.in.gate(), GitHub: d.github, Require: d.in.Require, AllowRollback: d.in.AllowRollback, Redact: d.action.Redact, Log: d.action},
	}
	if d.back != nil {
		about.Request = d.back.Restore(about.Request)
	}
	if d.in.preview {
		id := d.in.id(d.action, max(d.change.PullRequest, 1))
		d.in.Namespace, about.Preview = id.Namespace(), &id
	}
	return about
}

// lookAtChange says whether this change may go.
func (d *ahead) lookAtChange(ctx context.Context) []preflight.Finding {
	found := []preflight.Finding{job.OfChange(d.change, d.problem)}
	if d.backErr != nil {
		found = append(found, job.OfCheck("going back", "", d.backErr))
	}
	if d.problem != nil {
		return found
	}
	if d.in.preview && d.change.PullRequest == 0 {
		found = append(found, preflight.Finding{
			Subject: "preview", State: preflight.Wrong, Told: fmt.Sprintf("event %q belongs to no pull request", d.change.Event), Fix: "run it on pull_request",
		})
	}
	if d.back == nil {
		found = append(found, job.OfCheck("checkout", "it holds the commit", holds(ctx, d.action, d.change)))
	}
	_, err := d.github.MayGo(ctx, d.change, d.in.Approvals)
	return append(found, job.OfCheck("approvals", fmt.Sprintf("%d are required, and nothing stands against it", d.in.Approvals), err))
}

// plan asks what the run would change.
func (d *ahead) plan(ctx context.Context) (outcome, []preflight.Finding) {
	out := outcome{Result: job.Planned, Digest: d.in.Digest}
	deps, req, err := job.Prepare(ctx, d.action, d.in.Inputs, d.change, d.from.Environ)
	if err != nil {
		return out, []preflight.Finding{job.OfCheck("dry run", "", err)}
	}
	if d.back != nil {
		req = d.back.Restore(req)
	}
	c, found := job.Plan(ctx, deps, req)
	out.Digest = req.Image[len(d.in.Image)+1:]
	out.is(c)
	return out, found
}
