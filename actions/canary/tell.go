package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// tell says on GitHub and in the run what happens. Telling never decides: what GitHub won't take is a warning that names
// the permission to add, and the rollout goes on.
type tell struct {
	action     *gha.Action
	github     *github.Client
	in         inputs
	change     change.Change
	started    time.Time
	deployment int64
	// untold is what GitHub would not take.
	untold []error
}

// statusContext is the name under which others can ask for this environment.
func (t *tell) statusContext() string { return "promote/" + t.in.Environment }

// start marks the head commit as being rolled out.
func (t *tell) start(ctx context.Context) {
	t.warn(t.github.SetStatus(ctx, t.change.Head, github.Status{
		Context: t.statusContext(), State: github.Pending, Description: "canary in " + t.in.Environment, URL: t.action.Env().RunURL,
	}))
	var err error
	t.deployment, err = t.github.StartDeployment(ctx, github.Deployment{
		Commit: t.change.Head, Environment: t.in.Environment, Description: "promote rolls out " + t.in.Service, RunURL: t.action.Env().RunURL, Production: true,
	})
	t.warn(err)
	if err == nil {
		t.warn(t.github.SetDeploymentStatus(ctx, t.deployment, github.DeploymentStatus{State: github.InProgress, LogURL: t.action.Env().RunURL}))
	}
}

// end writes outputs, summary, status, deployment and board. Its error is about the outputs and the summary alone, which
// later steps rely on.
func (t *tell) end(ctx context.Context, out outcome, failure error) error {
	t.tellGitHub(ctx, out, failure)
	release.TestedBy(out.Candidate, failure).Annotate(t.action)
	page := summary(t.in, t.change, out, failure, time.Since(t.started)) + github.Untold(t.untold...)
	return errors.Join(t.outputs(out, failure), t.action.Summary(page))
}

// tellGitHub writes status, deployment and board.
func (t *tell) tellGitHub(ctx context.Context, out outcome, failure error) {
	state, text := github.Success, fmt.Sprintf("%s serves %s in %s", out.Release, t.in.Service, t.in.Environment)
	if asked := out.asked(); asked != "" {
		text += "; " + asked
	}
	if failure != nil {
		state, text = github.Failure, cause(failure)
	}
	ended := state
	if job.GaveWay(failure) {
		// The commit is not deployed, and that is nobody's failure: the later run's commit has it.
		state, ended, text = github.Pending, github.Inactive, "a later run takes its place"
	}
	env := t.action.Env()
	t.warn(t.github.SetStatus(ctx, t.change.Head, github.Status{Context: t.statusContext(), State: state, Description: text, URL: env.RunURL}))
	if t.deployment != 0 {
		t.warn(t.github.SetDeploymentStatus(ctx, t.deployment, github.DeploymentStatus{State: ended, Description: text, EnvironmentURL: out.URL, LogURL: env.RunURL}))
	}
	if t.change.PullRequest != 0 {
		t.warn(t.github.UpdateBoard(ctx, t.change.PullRequest, github.BoardRow{
			Environment: t.in.Environment, Commit: t.change.Head, Digest: out.Digest, Result: out.Result, URL: out.URL, RunURL: env.RunURL,
			Approvers: out.Approvers, Share: out.reached(), Tests: release.TestedBy(out.Candidate, failure).Counts(),
		}))
	}
}

func (t *tell) outputs(out outcome, failure error) error {
	all, failed, skipped := release.TestedBy(out.Candidate, failure).Numbers()
	safe := ""
	if r := out.Rollout; r != nil && r.TimeToSafe > 0 {
		safe = r.TimeToSafe.Round(time.Millisecond).String()
	}
	return errors.Join(
		t.action.SetOutput("result", out.Result),
		t.action.SetOutput("release", out.Release),
		t.action.SetOutput("previous", out.Previous),
		t.action.SetOutput("digest", out.Digest),
		t.action.SetOutput("share", out.share()),
		t.action.SetOutput("time-to-safe", safe),
		t.action.SetOutput("url", out.URL),
		t.action.SetOutput("tests", all),
		t.action.SetOutput("tests-failed", failed),
		t.action.SetOutput("tests-skipped", skipped),
		t.action.SetOutput("report", out.Report),
	)
}

// share is the largest share of the pods, in percent, that the candidate had while it took traffic.
func (o outcome) share() string {
	switch {
	case o.Rollout != nil:
		return percent(round(o.Rollout.Share))
	case o.Result == promoted || o.Result == unchanged:
		return "100"
	}
	return "0"
}

func (t *tell) warn(err error) {
	if err != nil {
		t.action.Warningf("telling GitHub: %v", err)
		t.untold = append(t.untold, err)
	}
}

// rolledBackError says why the candidate is gone, with everything a person needs to look for themselves.
type rolledBackError struct {
	result   rollout.Result
	baseline string
}

func (e *rolledBackError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rolled back at %s %% of the pods, %s serves: %s", percent(round(e.result.Share)), e.baseline, e.result.State.Reason)
	// The reason has the numbers of each check that did not pass; what was asked, and what would have done, stand below.
	for _, c := range e.result.State.Cause {
		if c.Outcome == verdict.Pass || c.Threshold == "" && c.Query == "" {
			continue
		}
		fmt.Fprintf(&b, "\ncheck %q", c.Check)
		if c.Threshold != "" {
			fmt.Fprintf(&b, "\n  threshold: %s", c.Threshold)
		}
		if c.Query != "" {
			fmt.Fprintf(&b, "\n  query: %s", c.Query)
		}
	}
	return b.String()
}

// cause is the first thing that went wrong, in the few words that a status has room for.
func cause(err error) string {
	var back *rolledBackError
	if errors.As(err, &back) {
		return fmt.Sprintf("rolled back at %s %%: %s", percent(round(back.result.Share)), back.result.State.Reason)
	}
	if parts := each(err); len(parts) > 1 {
		return cause(parts[0])
	}
	return job.Cause(err)
}

func percent(share float64) string { return strconv.FormatFloat(share, 'f', -1, 64) }
