package github

import (
	"context"
	"encoding/json"
	"fmt"
)

// StartJob does what GitHub does when a job with `environment:` starts: it makes a deployment record of its own, in the name
// of who started the run, without description and payload, whose statuses lead to the job. runURL is the run's page without
// an attempt.
func (r *Repository) StartJob(ctx context.Context, environment, ref, sha, runURL, by string) (Deployment, error) {
	var made Deployment
	_, err := r.act(ctx, by, func(repo *repository) (Event, error) {
		d := &Deployment{
			ID: r.s.newID(), SHA: sha, Ref: ref, Task: "deploy", Environment: environment, Payload: json.RawMessage(`{}`),
			By: by, CreatedAt: r.s.now(), UpdatedAt: r.s.now(),
		}
		for _, state := range []string{"queued", "in_progress"} {
			r.s.addDeploymentStatus(d, newDeploymentStatus{State: state, LogURL: fmt.Sprintf("%s/job/%d", runURL, d.ID+1)}, by)
		}
		repo.Deployments = append(repo.Deployments, d)
		made = *d
		return Event{}, nil
	})
	return made, err
}
