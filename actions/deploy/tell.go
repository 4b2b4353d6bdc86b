package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
)

// tell says on GitHub and in the run what happens. Telling never decides: what GitHub won't take is a warning that names
// the permission to add, and the deployment goes on.
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

// statusContext is the name under which branch protection can require this environment; all previews have one.
func (t *tell) statusContext() string { return "promote/" + t.in.gate() }

// start marks the head commit as being deployed.
func (t *tell) start(ctx context.Context) {
	t.warn(t.github.SetStatus(ctx, t.change.Head, github.Status{
		Context: t.statusContext(), State: github.Pending, Description: "deploying to " + t.in.Environment, URL: t.action.Env().RunURL,
	}))
	var err error
	t.deployment, err = t.github.StartDeployment(ctx, github.Deployment{
		Commit: t.change.Head, Environment: t.in.Environment, Description: "promote deploys " + t.in.Service, RunURL: t.action.Env().RunURL,
		Transient: t.in.preview,
	})
	t.warn(err)
	if err == nil {
		t.warn(t.github.SetDeploymentStatus(ctx, t.deployment, github.DeploymentStatus{State: github.InProgress, LogURL: t.action.Env().RunURL}))
	}
}

// end writes outputs, summary, status, deployment and board. Its error is about the outputs and the summary alone, which
// later steps rely on.
func (t *tell) end(ctx context.Context, out outcome, failure error) error {
	if out.Result == removed {
		failure = nil
		t.tellRemoved(ctx)
	} else {
		t.tellGitHub(ctx, out, failure)
	}
	release.TestedBy(out.Candidate, failure).Annotate(t.action)
	page := summary(t.in, t.change, out, failure, time.Since(t.started)) + github.Untold(t.untold...)
	return errors.Join(t.outputs(out, failure), t.action.Summary(page))
}

// tellGitHub writes status, deployment and board.
func (t *tell) tellGitHub(ctx context.Context, out outcome, failure error) {
	state, text := github.Success, fmt.Sprintf("%s serves %s in %s", out.Release, t.in.Service, t.in.Environment)
	switch {
	case failure != nil && out.Result == "deployed":
		text = fmt.Sprintf("%s serves; see the run for what is left: %s", out.Release, job.Cause(failure))
	case failure != nil:
		state, text = github.Failure, job.Cause(failure)
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
	if t.in.preview && failure == nil {
		t.warn(t.github.RetireDeployments(ctx, t.in.Environment, t.deployment, github.DeploymentStatus{Description: "a newer commit is there", LogURL: env.RunURL}))
	}
	if t.change.PullRequest != 0 {
		t.warn(t.github.UpdateBoard(ctx, t.change.PullRequest, github.BoardRow{
			Environment: t.in.Environment, Commit: t.change.Head, Digest: out.Digest, Result: out.Result, URL: out.URL, RunURL: env.RunURL,
			Approvers: out.Approvers, Tests: release.TestedBy(out.Candidate, failure).Counts(),
		}))
	}
}

func (t *tell) outputs(out outcome, failure error) error {
	all, failed, skipped := release.TestedBy(out.Candidate, failure).Numbers()
	var errs []error
	for _, o := range [][2]string{
		{"release", out.Release}, {"previous", out.Previous}, {"digest", out.Digest}, {"url", out.URL},
		{"result", out.Result}, {"changed", strconv.FormatBool(out.Result == "deployed")},
		{"tests", all}, {"tests-failed", failed}, {"tests-skipped", skipped},
	} {
		errs = append(errs, t.action.SetOutput(o[0], o[1]))
	}
	return errors.Join(errs...)
}

func (t *tell) warn(err error) {
	if err != nil {
		t.action.Warningf("telling GitHub: %v", err)
		t.untold = append(t.untold, err)
	}
}
