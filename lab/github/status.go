package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits that GitHub documents or enforces.
const (
	maxDescription = 140  // characters of a status' description
	maxContext     = 255  // characters of a status' context
	maxStatuses    = 1000 // statuses per commit and context
)

// statusStates are what a commit status can be.
var statusStates = []string{"error", "failure", "pending", "success"}

// Status is one commit status.
type Status struct {
	ID          int64     `json:"id"`
	SHA         string    `json:"sha"`
	State       string    `json:"state"`
	Context     string    `json:"context"`
	Description string    `json:"description"`
	URL         string    `json:"url"`
	By          string    `json:"by"`
	Time        time.Time `json:"time"`
}

// Statuses returns all statuses of a commit, newest first.
func (r *Repository) Statuses(sha string) ([]Status, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return nil, err
	}
	var all []Status
	for _, st := range repo.statusesOf(sha) {
		all = append(all, *st)
	}
	return all, nil
}

// statusesOf are a commit's statuses, newest first.
func (repo *repository) statusesOf(sha string) []*Status {
	var all []*Status
	for _, st := range slices.Backward(repo.Statuses) {
		if st.SHA == sha {
			all = append(all, st)
		}
	}
	return all
}

// latest keeps the newest status of each context.
func latest(all []*Status) []*Status {
	seen := map[string]bool{}
	var newest []*Status
	for _, st := range all {
		// Contexts differ without regard to case.
		if !seen[key(st.Context)] {
			seen[key(st.Context)] = true
			newest = append(newest, st)
		}
	}
	return newest
}

// combine is the one state of several: a failure beats pending, pending beats success, nothing is pending.
func combine(all []*Status) string {
	state := "success"
	for _, st := range all {
		switch st.State {
		case "error", "failure":
			return "failure"
		case "pending":
			state = "pending"
		}
	}
	if len(all) == 0 {
		return "pending"
	}
	return state
}

// newStatus is the body of POST statuses/{sha}.
type newStatus struct {
	State       string  `json:"state"`
	URL         *string `json:"target_url"`
	Description *string `json:"description"`
	Context     *string `json:"context"`
}

// createStatus answers POST statuses/{sha}.
func (s *Server) createStatus(ctx context.Context, c *call) (int, any, error) {
	var in newStatus
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	sha := c.params["sha"]
	found := ""
	if fullSHA.MatchString(sha) {
		var err error
		if found, err = s.git(c.repo).refSHA(ctx, sha); err != nil {
			return 0, nil, err
		}
	}
	if found == "" {
		return 0, nil, noCommit(sha)
	}
	st := &Status{SHA: found, State: in.State, Context: "default", Description: text(in.Description), URL: text(in.URL), By: c.login(), Time: s.now()}
	if text(in.Context) != "" {
		st.Context = *in.Context
	}
	if err := checkStatus(c.repo, st); err != nil {
		return 0, nil, err
	}
	st.ID = s.newID()
	c.repo.Statuses = append(c.repo.Statuses, st)
	return http.StatusCreated, s.showStatus(c.repo, st), nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func checkStatus(repo *repository, st *Status) error {
	switch {
	case !slices.Contains(statusStates, st.State):
		return invalid("Status", "state", "custom", "state is not included in the list")
	case utf8.RuneCountInString(st.Description) > maxDescription:
		return invalid("Status", "description", "custom", fmt.Sprintf("description is too long (maximum is %d characters)", maxDescription))
	case utf8.RuneCountInString(st.Context) > maxContext:
		return invalid("Status", "context", "custom", fmt.Sprintf("context is too long (maximum is %d characters)", maxContext))
	case !webURL(st.URL):
		return invalid("Status", "target_url", "custom", "target_url must use http(s) scheme")
	}
	same := 0
	for _, other := range repo.statusesOf(st.SHA) {
		if key(other.Context) == key(st.Context) {
			same++
		}
	}
	if same >= maxStatuses {
		return &Refusal{Status: http.StatusUnprocessableEntity, Message: "Validation failed: This SHA and context has reached the maximum number of statuses."}
	}
	return nil
}

// webURL accepts no URL or an http one.
func webURL(u string) bool {
	return u == "" || strings.HasPrefix(u, "http://") || strings.HasPrefix(u, "https://")
}

// listStatuses answers GET commits/{ref}/statuses: all of them, newest first.
func (s *Server) listStatuses(ctx context.Context, c *call) (int, any, error) {
	k, err := s.commitOf(ctx, c.repo, c.params["ref"])
	if err != nil {
		return 0, nil, err
	}
	shown := []object{}
	for _, st := range paginate(s, c, c.repo.statusesOf(k.SHA)) {
		shown = append(shown, s.showStatus(c.repo, st))
	}
	return 200, shown, nil
}

// combinedStatus answers GET commits/{ref}/status: the newest of each context, and one state for all.
func (s *Server) combinedStatus(ctx context.Context, c *call) (int, any, error) {
	k, err := s.commitOf(ctx, c.repo, c.params["ref"])
	if err != nil {
		return 0, nil, err
	}
	all := latest(c.repo.statusesOf(k.SHA))
	shown := []object{}
	for _, st := range paginate(s, c, all) {
		shown = append(shown, s.showStatus(c.repo, st).without("creator"))
	}
	url := s.apiURL(c.repo) + "/commits/" + k.SHA
	return 200, object{
		"state": combine(all), "statuses": shown, "sha": k.SHA, "total_count": len(all),
		"repository": s.showMinimalRepository(c.repo), "commit_url": url, "url": url + "/status",
	}, nil
}

func (s *Server) showStatus(repo *repository, st *Status) object {
	var avatar any
	if u := s.state.Users[key(st.By)]; u != nil {
		avatar = s.showUser(u)["avatar_url"]
	}
	return object{
		"url": s.apiURL(repo) + "/statuses/" + st.SHA, "avatar_url": avatar, "id": st.ID, "node_id": nodeID("StatusContext", st.ID),
		"state": st.State, "description": orNull(st.Description), "target_url": orNull(st.URL), "context": st.Context,
		"created_at": stamp(st.Time), "updated_at": stamp(st.Time), "creator": s.showLogin(st.By),
	}
}
