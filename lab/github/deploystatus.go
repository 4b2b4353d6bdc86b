package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// deploymentStates are what a deployment can be.
var deploymentStates = []string{"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}

// DeploymentStatus is one step of a deployment.
type DeploymentStatus struct {
	ID             int64     `json:"id"`
	State          string    `json:"state"`
	Description    string    `json:"description"`
	Environment    string    `json:"environment"`
	EnvironmentURL string    `json:"environment_url"`
	LogURL         string    `json:"log_url"`
	By             string    `json:"by"`
	Time           time.Time `json:"time"`
}

// State is the newest status' state, or "" before the first.
func (d Deployment) State() string {
	if len(d.Statuses) == 0 {
		return ""
	}
	return d.Statuses[len(d.Statuses)-1].State
}

// newDeploymentStatus is the body of POST deployments/{deployment_id}/statuses.
type newDeploymentStatus struct {
	State          string `json:"state"`
	TargetURL      string `json:"target_url"`
	LogURL         string `json:"log_url"`
	Description    string `json:"description"`
	Environment    string `json:"environment"`
	EnvironmentURL string `json:"environment_url"`
	AutoInactive   *bool  `json:"auto_inactive"`
}

// createDeploymentStatus answers POST deployments/{deployment_id}/statuses.
func (s *Server) createDeploymentStatus(_ context.Context, c *call) (int, any, error) {
	d, err := c.deploymentOf()
	if err != nil {
		return 0, nil, err
	}
	var in newDeploymentStatus
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := checkDeploymentStatus(in); err != nil {
		return 0, nil, err
	}
	// log_url is the newer name of target_url, and wins.
	if in.LogURL == "" {
		in.LogURL = in.TargetURL
	}
	if in.Environment != "" {
		d.Environment = in.Environment
	}
	st := s.addDeploymentStatus(d, in, c.login())
	if in.State == "success" && (in.AutoInactive == nil || *in.AutoInactive) {
		s.retire(c.repo, d, c.login())
	}
	return http.StatusCreated, s.showDeploymentStatus(c.repo, d, st), nil
}

func checkDeploymentStatus(in newDeploymentStatus) error {
	switch {
	case !slices.Contains(deploymentStates, in.State):
		return invalid("DeploymentStatus", "state", "custom", "state must be one of "+strings.Join(deploymentStates, ", "))
	case len([]rune(in.Description)) > maxDescription:
		return invalid("DeploymentStatus", "description", "custom", fmt.Sprintf("description is too long (maximum is %d characters)", maxDescription))
	case !webURL(in.LogURL):
		return invalid("DeploymentStatus", "log_url", "custom", "log_url must use http(s) scheme")
	case !webURL(in.TargetURL):
		return invalid("DeploymentStatus", "target_url", "custom", "target_url must use http(s) scheme")
	case !webURL(in.EnvironmentURL):
		return invalid("DeploymentStatus", "environment_url", "custom", "environment_url must use http(s) scheme")
	}
	return nil
}

func (s *Server) addDeploymentStatus(d *Deployment, in newDeploymentStatus, by string) *DeploymentStatus {
	st := &DeploymentStatus{
		ID: s.newID(), State: in.State, Description: in.Description, Environment: d.Environment,
		EnvironmentURL: in.EnvironmentURL, LogURL: in.LogURL, By: by, Time: s.now(),
	}
	d.Statuses = append(d.Statuses, st)
	d.UpdatedAt = st.Time
	return st
}

// retire makes the environment's earlier successes inactive, as GitHub does when a new one arrives.
// Transient and production environments keep theirs.
func (s *Server) retire(repo *repository, by *Deployment, login string) {
	for _, d := range repo.Deployments {
		if d.ID < by.ID && d.Environment == by.Environment && d.State() == "success" && !d.Transient && !d.Production {
			s.addDeploymentStatus(d, newDeploymentStatus{State: "inactive"}, login)
		}
	}
}

// listDeploymentStatuses answers GET deployments/{deployment_id}/statuses, newest first.
func (s *Server) listDeploymentStatuses(_ context.Context, c *call) (int, any, error) {
	d, err := c.deploymentOf()
	if err != nil {
		return 0, nil, err
	}
	newest := slices.Clone(d.Statuses)
	slices.Reverse(newest)
	shown := []object{}
	for _, st := range paginate(s, c, newest) {
		shown = append(shown, s.showDeploymentStatus(c.repo, d, st))
	}
	return 200, shown, nil
}

func (s *Server) showDeploymentStatus(repo *repository, d *Deployment, st *DeploymentStatus) object {
	url := fmt.Sprintf("%s/deployments/%d", s.apiURL(repo), d.ID)
	return object{
		"url": fmt.Sprintf("%s/statuses/%d", url, st.ID), "id": st.ID, "node_id": nodeID("DeploymentStatus", st.ID),
		"state": st.State, "creator": s.showLogin(st.By), "description": st.Description, "environment": st.Environment,
		"target_url": st.LogURL, "log_url": st.LogURL, "environment_url": st.EnvironmentURL,
		"created_at": stamp(st.Time), "updated_at": stamp(st.Time), "deployment_url": url, "repository_url": s.apiURL(repo),
	}
}
