package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
)

// lookTime bounds the search for a proof. Testing again is always right, so a slow GitHub must not hold the tests up.
const lookTime = 15 * time.Second

// mostHeads is how many pull requests of one commit are looked at.
const mostHeads = 2

// asks is what the search asks GitHub.
type asks interface {
	Tree(ctx context.Context, commit string) (string, error)
	History(ctx context.Context, commit, name string) ([]github.Written, error)
	PullHeads(ctx context.Context, commit string) ([]string, error)
}

// hints are what a payload says about where the same tree may have been. They only order the search: each commit's tree and
// statuses are asked from GitHub.
type hints struct {
	// before is where the branch was; forced says that it is no ancestor, as after an amended or rebased commit.
	before string
	forced bool
	// fresh says that this push brought the commit to the repository, so that it can have no status yet.
	fresh bool
}

// readHints reads the payload of a push, or of a pull request whose branch moved.
func readHints(event string, payload []byte, attempt string) hints {
	var p struct {
		Before string
		Forced bool
		Head   struct{ Distinct bool } `json:"head_commit"`
	}
	if json.Unmarshal(payload, &p) != nil {
		return hints{}
	}
	h := hints{before: p.Before, forced: p.Forced || event == "pull_request"}
	// A merge queue makes its commit for the event.
	h.fresh = attempt == "1" && (event == "merge_group" || event == "push" && p.Head.Distinct)
	if change.CheckCommit("before", h.before) != nil || strings.Trim(h.before, "0") == "" { // the branch is new
		h.before = ""
	}
	return h
}

// search looks for a commit with the same tree that passed the same suite.
type search struct {
	github asks
	action *gha.Action
	trust  trust
	head   string
	seen   []string
	over   bool // the tree failed: nothing else can prove it
}

// find gives the first proof. The order makes it three questions at most in what happens every day: a re-run, an amended or
// rebased commit, and a merge of any kind.
func (s *search) find(ctx context.Context, h hints, parents []string) (proof, bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if !h.fresh {
		if found, ok := s.look(ctx, s.head, s.trust.tree); ok {
			return found, true
		}
	}
	s.seen = append(s.seen, s.head)
	if h.forced {
		if found, ok := s.commit(ctx, h.before); ok {
			return found, true
		}
	}
	if s.over {
		return proof{}, false
	}
	heads, err := s.github.PullHeads(ctx, s.head)
	s.problem(ctx, err)
	// Of a merge, the last parent is what was merged, and most likely what has its tree.
	parents = slices.Clone(parents)
	slices.Reverse(parents)
	candidates := slices.Concat(heads[:min(len(heads), mostHeads)], parents, []string{h.before})
	for _, each := range candidates {
		if found, ok := s.commit(ctx, each); ok {
			return found, true
		}
	}
	return proof{}, false
}

// commit looks at another commit than the head, if it has the same tree.
func (s *search) commit(ctx context.Context, sha string) (proof, bool) {
	if sha == "" || s.over || slices.Contains(s.seen, sha) || ctx.Err() != nil {
		return proof{}, false
	}
	s.seen = append(s.seen, sha)
	tree, err := s.github.Tree(ctx, sha)
	if s.problem(ctx, err); err != nil {
		return proof{}, false
	}
	return s.look(ctx, sha, tree)
}

// look reads the statuses of a commit with that tree.
func (s *search) look(ctx context.Context, sha, tree string) (proof, bool) {
	if tree != s.trust.tree {
		return proof{}, false
	}
	history, err := s.github.History(ctx, sha, statusContext)
	if s.problem(ctx, err); err != nil {
		return proof{}, false
	}
	found, doubt := s.trust.proven(sha, history)
	if doubt != nil {
		s.over = doubt.final
		s.action.Infof("Commit %s has the same tree, and is tested again: %s", change.Short(sha), doubt.reason)
	}
	return found, found.run != ""
}

// problem says what could not be asked. It never stops the tests: they run then.
func (s *search) problem(ctx context.Context, err error) {
	var permission *github.PermissionError
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		s.action.Infof("Looking for an earlier result of the same tree: GitHub did not answer in time")
	case ctx.Err() != nil: // cancelled
	case errors.As(err, &permission):
		s.action.Warningf("looking for an earlier result of the same tree: %v, or set the input `reuse` to false", err)
	default:
		s.action.Infof("Looking for an earlier result of the same tree: %v", err)
	}
}
