package github

import (
	"context"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// Deployment is a record that a commit goes to an environment.
type Deployment struct {
	Commit, Environment, Description string
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

// StartDeployment records a deployment and gives its id. GitHub is told neither to merge the base into the commit nor to
// wait for checks: that would deploy something else than what was asked for, and the gates are ours to judge.
func (c *Client) StartDeployment(ctx context.Context, d Deployment) (int64, error) {
	if err := change.CheckCommit("commit", d.Commit); err != nil {
		return 0, err
	}
	made, _, err := c.api.Repositories.CreateDeployment(ctx, c.owner, c.name, &github.DeploymentRequest{
		Ref: github.Ptr(d.Commit), Environment: github.Ptr(d.Environment),
		Description: github.Ptr(cut(d.Description, descriptionCap)),
		AutoMerge:   github.Ptr(false), RequiredContexts: &[]string{},
		ProductionEnvironment: github.Ptr(d.Production), TransientEnvironment: github.Ptr(d.Transient),
	})
	if err != nil {
		return 0, explain(ctx, err, "deployments: write", "recording a deployment of commit %q to %q", d.Commit, d.Environment)
	}
	return made.GetID(), nil
}

// SetDeploymentStatus adds a status to a deployment. A success makes GitHub mark earlier ones of the environment inactive.
func (c *Client) SetDeploymentStatus(ctx context.Context, id int64, s DeploymentStatus) error {
	_, _, err := c.api.Repositories.CreateDeploymentStatus(ctx, c.owner, c.name, id, &github.DeploymentStatusRequest{
		State: github.Ptr(s.State), Description: github.Ptr(cut(s.Description, descriptionCap)),
		EnvironmentURL: optional(s.EnvironmentURL), LogURL: optional(s.LogURL),
	})
	return explain(ctx, err, "deployments: write", "setting deployment %d to %q", id, s.State)
}
