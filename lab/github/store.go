package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// state is all that git does not hold. It is written whole after every change: it is small, and a lab
// that was killed must open again with what it had.
type state struct {
	NextID int64                  `json:"next_id"`
	Users  map[string]*user       `json:"users"`  // by lower-case login
	Tokens map[string]*token      `json:"tokens"` // by SHA-256 of the token, never the token itself
	Repos  map[string]*repository `json:"repositories"`
}

// repository is one repository's record; names are matched without regard to case, as GitHub does.
type repository struct {
	ID            int64             `json:"id"`
	Owner         string            `json:"owner"`
	Name          string            `json:"name"`
	Private       bool              `json:"private"`
	DefaultBranch string            `json:"default_branch"`
	Parent        string            `json:"parent,omitempty"` // full name of the repository this is a fork of
	CreatedAt     time.Time         `json:"created_at"`
	PushedAt      time.Time         `json:"pushed_at"`
	NextNumber    int               `json:"next_number"`
	Roles         map[string]string `json:"roles"` // lower-case login -> permission
	// Announced is each branch's tip as of the last push event made for it.
	Announced   map[string]string `json:"announced"`
	Pulls       []*PullRequest    `json:"pull_requests"`
	Statuses    []*Status         `json:"statuses"`
	Deployments []*Deployment     `json:"deployments"`
	Comments    []*Comment        `json:"comments"`
	// Rules are by branch, Environments by lower-case name; SubjectClaims are what a job's `sub` is made of, none for GitHub's own form.
	Rules         map[string]BranchRules `json:"rules,omitempty"`
	Environments  map[string]Environment `json:"environments,omitempty"`
	SubjectClaims []string               `json:"subject_claims,omitempty"`
	// ImmutableSubject puts ids into it.
	ImmutableSubject bool `json:"immutable_subject,omitempty"`
}

func (r *repository) fullName() string { return r.Owner + "/" + r.Name }

// key folds a login or repository name the way GitHub compares them.
func key(name string) string { return strings.ToLower(name) }

func loadState(path string) (*state, error) {
	st := &state{NextID: 1000, Users: map[string]*user{}, Tokens: map[string]*token{}, Repos: map[string]*repository{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := json.Unmarshal(data, st); err != nil {
		return nil, fmt.Errorf("opening the store %q: %w", path, err)
	}
	return st, nil
}

// save writes the state by temp file and rename, so that a kill leaves the old or the new one, never half.
func (s *Server) save() error {
	data, err := json.MarshalIndent(s.state, "", " ")
	if err != nil {
		return fmt.Errorf("saving the store: %w", err)
	}
	temp := s.storePath() + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return fmt.Errorf("saving the store: %w", err)
	}
	if err := os.Rename(temp, s.storePath()); err != nil {
		return fmt.Errorf("saving the store: %w", err)
	}
	return nil
}

// newID hands out ids from one counter for everything: an id never names two things.
func (s *Server) newID() int64 {
	s.state.NextID++
	return s.state.NextID
}
