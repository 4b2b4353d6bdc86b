package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Deployment is one deployment record with its statuses, oldest first.
type Deployment struct {
	ID          int64               `json:"id"`
	SHA         string              `json:"sha"`
	Ref         string              `json:"ref"`
	Task        string              `json:"task"`
	Environment string              `json:"environment"`
	Description string              `json:"description"`
	Payload     json.RawMessage     `json:"payload"`
	Production  bool                `json:"production"`
	Transient   bool                `json:"transient"`
	By          string              `json:"by"`
	CreatedAt   time.Time           `json:"created_at"`
	UpdatedAt   time.Time           `json:"updated_at"`
	Statuses    []*DeploymentStatus `json:"statuses"`
}

// newDeployment is the body of POST deployments.
type newDeployment struct {
	Ref         string          `json:"ref"`
	Task        *string         `json:"task"`
	AutoMerge   *bool           `json:"auto_merge"`
	Contexts    *[]string       `json:"required_contexts"`
	Payload     json.RawMessage `json:"payload"`
	Environment *string         `json:"environment"`
	Description *string         `json:"description"`
	Transient   bool            `json:"transient_environment"`
	Production  *bool           `json:"production_environment"`
}

// Deployments returns all deployments, oldest first.
func (r *Repository) Deployments() ([]Deployment, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return nil, err
	}
	var all []Deployment
	for _, d := range repo.Deployments {
		copied := *d
		copied.Statuses = slices.Clone(d.Statuses)
		all = append(all, copied)
	}
	return all, nil
}

// createDeployment answers POST deployments. Two of GitHub's habits surprise people, so they are here too:
// unless told otherwise it wants every status of the commit to be a success (409), and it first merges the
// default branch into a branch that lacks some of it (202, and no deployment).
func (s *Server) createDeployment(ctx context.Context, c *call) (int, any, error) {
	var in newDeployment
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.Ref == "" {
		return 0, nil, invalid("Deployment", "ref", "missing_field", "")
	}
	if len([]rune(text(in.Description))) > maxDescription {
		return 0, nil, invalid("Deployment", "description", "custom", fmt.Sprintf("description is too long (maximum is %d characters)", maxDescription))
	}
	sha, err := s.git(c.repo).resolve(ctx, in.Ref)
	if err != nil || sha == "" {
		return 0, nil, orRefuse(err, refuse(http.StatusUnprocessableEntity, "No ref found for: %s", in.Ref))
	}
	if in.AutoMerge == nil || *in.AutoMerge {
		if merged, err := s.autoMerge(ctx, c.repo, in.Ref); err != nil || merged != "" {
			return http.StatusAccepted, object{"message": merged}, err
		}
	}
	if err := checkContexts(c.repo, in, sha); err != nil {
		return 0, nil, err
	}
	d := &Deployment{
		ID: s.newID(), SHA: sha, Ref: in.Ref, Task: or(in.Task, "deploy"), Environment: or(in.Environment, "production"),
		Description: text(in.Description), Payload: in.Payload, Transient: in.Transient,
		By: c.login(), CreatedAt: s.now(), UpdatedAt: s.now(),
	}
	d.Production = d.Environment == "production"
	if in.Production != nil {
		d.Production = *in.Production
	}
	if len(d.Payload) == 0 || string(d.Payload) == "null" {
		d.Payload = json.RawMessage(`{}`)
	}
	c.repo.Deployments = append(c.repo.Deployments, d)
	return http.StatusCreated, s.showDeployment(c.repo, d), nil
}

// or is the text asked for, or the default.
func or(asked *string, fallback string) string {
	if text(asked) == "" {
		return fallback
	}
	return *asked
}

// checkContexts wants the named contexts, or all there are, to be a success.
func checkContexts(repo *repository, in newDeployment, sha string) error {
	found := map[string]string{}
	var names []string
	for _, st := range latest(repo.statusesOf(sha)) {
		found[st.Context] = st.State
		names = append(names, st.Context)
	}
	if in.Contexts != nil {
		names = *in.Contexts
	}
	var bad []object
	for _, name := range names {
		if found[name] != "success" {
			bad = append(bad, object{"context": name, "state": found[name]})
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &Refusal{
		Status: http.StatusConflict, Message: fmt.Sprintf("Conflict: Commit status checks failed for %s.", in.Ref),
		Problems: []any{object{"contexts": bad, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}},
	}
}

// autoMerge brings a branch up to date with the default branch and says so; "" means nothing to do.
func (s *Server) autoMerge(ctx context.Context, repo *repository, branch string) (string, error) {
	git := s.git(repo)
	tip, err := git.refSHA(ctx, "refs/heads/"+branch)
	if err != nil || tip == "" || branch == repo.DefaultBranch {
		return "", err
	}
	base, err := git.refSHA(ctx, "refs/heads/"+repo.DefaultBranch)
	if err != nil || base == "" {
		return "", err
	}
	if current, err := git.isAncestor(ctx, base, tip); err != nil || current {
		return "", err
	}
	tree, err := git.mergeTree(ctx, tip, base)
	if errors.Is(err, errConflict) {
		return "", refuse(http.StatusConflict, "Conflict merging %s into %s.", repo.DefaultBranch, branch)
	}
	if err != nil {
		return "", err
	}
	flow := webFlow
	flow.Date = s.now()
	sha, err := git.commitTree(ctx, tree, fmt.Sprintf("Merge branch '%s' into %s", repo.DefaultBranch, branch), flow, flow, tip, base)
	if err != nil {
		return "", err
	}
	if _, err := git.run(ctx, nil, "update-ref", "refs/heads/"+branch, sha, tip); err != nil {
		return "", err
	}
	return fmt.Sprintf("Auto-merged %s into %s on deployment.", repo.DefaultBranch, branch), nil
}

// listDeployments answers GET deployments, newest first, by sha, ref, task and environment.
func (s *Server) listDeployments(_ context.Context, c *call) (int, any, error) {
	query := c.request.URL.Query()
	fits := func(name, value string) bool { return query.Get(name) == "" || query.Get(name) == value }
	var found []*Deployment
	for _, d := range slices.Backward(c.repo.Deployments) {
		if fits("sha", d.SHA) && fits("ref", d.Ref) && fits("task", d.Task) && fits("environment", d.Environment) {
			found = append(found, d)
		}
	}
	shown := []object{}
	for _, d := range paginate(s, c, found) {
		shown = append(shown, s.showDeployment(c.repo, d))
	}
	return 200, shown, nil
}

// deploymentOf is the deployment that the path names.
func (c *call) deploymentOf() (*Deployment, error) {
	id, err := c.number("deployment_id")
	if err != nil {
		return nil, err
	}
	for _, d := range c.repo.Deployments {
		if d.ID == id {
			return d, nil
		}
	}
	return nil, notFound()
}

// getDeployment answers GET deployments/{deployment_id}.
func (s *Server) getDeployment(_ context.Context, c *call) (int, any, error) {
	d, err := c.deploymentOf()
	if err != nil {
		return 0, nil, err
	}
	return 200, s.showDeployment(c.repo, d), nil
}

func (s *Server) showDeployment(repo *repository, d *Deployment) object {
	url := fmt.Sprintf("%s/deployments/%d", s.apiURL(repo), d.ID)
	return object{
		"url": url, "id": d.ID, "node_id": nodeID("Deployment", d.ID), "sha": d.SHA, "ref": d.Ref, "task": d.Task, "payload": d.Payload,
		"original_environment": d.Environment, "environment": d.Environment, "description": orNull(d.Description),
		"creator": s.showLogin(d.By), "created_at": stamp(d.CreatedAt), "updated_at": stamp(d.UpdatedAt),
		"statuses_url": url + "/statuses", "repository_url": s.apiURL(repo),
		"transient_environment": d.Transient, "production_environment": d.Production,
	}
}
