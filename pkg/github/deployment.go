package github

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// Deployment is a record that a commit goes to an environment.
type Deployment struct {
	Commit, Environment, Description string
	// RunURL is the page of the run, with or without its attempt. The run has one record per environment, however often it
	// asks for one; empty makes a new record each time.
	RunURL string
	// Production marks the environment as the one that people use.
	Production bool
	// Transient marks an environment that goes away, such as a preview.
	Transient bool
}

// DeploymentStatus says how a deployment stands.
type DeploymentStatus struct {
	State State
	// Description is cut to 140 characters.
	Description string
	// EnvironmentURL leads to what was deployed, LogURL to the run; empty ones are left out.
	EnvironmentURL, LogURL string
}

// StartDeployment gives the id of the run's deployment record, and makes one when there is none. A job with `environment:`
// has a record already, which GitHub made when the job began. GitHub is told neither to merge the base into the commit nor
// to wait for checks: that would deploy something else than what was asked for, and the gates are ours to judge.
func (c *Client) StartDeployment(ctx context.Context, d Deployment) (int64, error) {
	if err := change.CheckCommit("commit", d.Commit); err != nil {
		return 0, err
	}
	run := runOf(d.RunURL)
	if run != "" {
		if id, err := c.deploymentOf(ctx, d, run); id != 0 || err != nil {
			return id, err
		}
	}
	request := &github.DeploymentRequest{
		Ref: github.Ptr(d.Commit), Environment: github.Ptr(d.Environment),
		Description: github.Ptr(c.description(d.Description)),
		AutoMerge:   github.Ptr(false), RequiredContexts: &[]string{},
		ProductionEnvironment: github.Ptr(d.Production), TransientEnvironment: github.Ptr(d.Transient),
	}
	if run != "" {
		request.Payload = map[string]string{"run": run}
	}
	made, _, err := c.say.Repositories.CreateDeployment(ctx, c.owner, c.name, request)
	if err != nil {
		return 0, explain(ctx, err, "deployments: write", "recording a deployment of commit %q to %q", d.Commit, d.Environment)
	}
	return made.GetID(), nil
}

// recentDeployments is how many of an environment's newest records are looked at; more than a run can have made.
const recentDeployments = 5

// deploymentOf finds the record that this run has for the environment, or 0. Neither commit nor creator tells one: GitHub's own record
// stands on GITHUB_SHA, which is the merge ref for pull requests, and in the name of who started the run. What tells it is the
// page that its statuses lead to; our own has it in its payload from the start.
func (c *Client) deploymentOf(ctx context.Context, d Deployment, run string) (int64, error) {
	recent, _, err := c.say.Repositories.ListDeployments(ctx, c.owner, c.name, &github.DeploymentsListOptions{
		Environment: d.Environment, ListOptions: github.ListOptions{PerPage: recentDeployments},
	})
	if err != nil {
		return 0, explain(ctx, err, "deployments: write", "listing the deployments to %q", d.Environment)
	}
	for _, each := range recent {
		var ours struct {
			Run string `json:"run"`
		}
		_ = json.Unmarshal(each.Payload, &ours) // anybody's payload may be anything
		ownRecord := ours.Run == run && each.GetSHA() == d.Commit
		if ours.Run != "" && !ownRecord {
			continue
		}
		// Newest first: one status is enough, for all of them lead to the same run.
		statuses, _, err := c.say.Repositories.ListDeploymentStatuses(ctx, c.owner, c.name, each.GetID(), &github.ListOptions{PerPage: 1})
		if err != nil {
			return 0, explain(ctx, err, "deployments: write", "listing the statuses of deployment %d", each.GetID())
		}
		last := &github.DeploymentStatus{}
		if len(statuses) > 0 {
			last = statuses[0]
		}
		if !ended(last.GetState()) && (ownRecord || strings.HasPrefix(last.GetLogURL()+"/", run+"/")) {
			return each.GetID(), nil
		}
	}
	return 0, nil
}

// ended says whether a deployment is over. A run that begins again has a new record: a success only makes records inactive
// that are older than its own, and another run's may be newer than the one it had.
func ended(state string) bool {
	switch state {
	case "", "queued", "waiting", "pending", InProgress:
		return false
	}
	return true
}

// runOf takes the attempt off a run's page: …/actions/runs/4711/attempts/2 is a page of run 4711.
func runOf(page string) string {
	run, _, _ := strings.Cut(page, "/attempts/")
	return strings.TrimRight(run, "/")
}

// SetDeploymentStatus adds a status to a deployment. A success makes GitHub mark earlier ones of the environment inactive.
// When a job has `environment:`, GitHub adds a last status of its own at the job's end, with the address that `url:` names.
func (c *Client) SetDeploymentStatus(ctx context.Context, id int64, s DeploymentStatus) error {
	_, _, err := c.say.Repositories.CreateDeploymentStatus(ctx, c.owner, c.name, id, &github.DeploymentStatusRequest{
		State: github.Ptr(s.State), Description: github.Ptr(c.description(s.Description)),
		EnvironmentURL: c.address(s.EnvironmentURL), LogURL: c.address(s.LogURL),
	})
	return explain(ctx, err, "deployments: write", "setting deployment %d to %q", id, s.State)
}
