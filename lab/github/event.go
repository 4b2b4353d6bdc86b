package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Event is a webhook: its name (push, pull_request, pull_request_review) and its JSON payload, which is
// what a runner finds in $GITHUB_EVENT_PATH.
type Event struct {
	Name    string
	Payload []byte
}

// emit makes an event and remembers it.
func (s *Server) emit(name string, payload object) (Event, error) {
	data, err := json.MarshalIndent(payload, "", "  ")
	if err != nil {
		return Event{}, fmt.Errorf("making a %s payload: %w", name, err)
	}
	event := Event{Name: name, Payload: data}
	s.events = append(s.events, event)
	return event, nil
}

// PushBranch makes the events of what was pushed to a branch since it was last called for it: the push,
// and a pull_request with action synchronize for each open pull request that has the branch as its head.
func (r *Repository) PushBranch(ctx context.Context, branch, by string) ([]Event, error) {
	var all []Event
	_, err := r.act(ctx, by, func(repo *repository) (Event, error) {
		git := r.s.git(repo)
		before := repo.Announced[branch]
		after, err := git.refSHA(ctx, "refs/heads/"+branch)
		if err != nil {
			return Event{}, err
		}
		if before == after {
			return Event{}, fmt.Errorf("announcing branch %q of %q: nothing was pushed to it since the last time", branch, r.name)
		}
		pushed, err := r.s.pushEvent(ctx, repo, branch, orNone(before), orNone(after), by)
		all = append(all, pushed)
		for _, name := range slices.Sorted(maps.Keys(r.s.state.Repos)) {
			synced, err2 := r.s.synchronize(ctx, r.s.state.Repos[name], repo, branch, before, by)
			all, err = append(all, synced...), errors.Join(err, err2)
		}
		return pushed, err
	})
	return all, err
}

// synchronize makes the events of one repository's pull requests whose head branch was pushed to.
func (s *Server) synchronize(ctx context.Context, where, head *repository, branch, before, by string) ([]Event, error) {
	if err := s.refresh(ctx, where, by); err != nil {
		return nil, err
	}
	var all []Event
	for _, p := range where.Pulls {
		if p.State != stateOpen || p.HeadRef != branch || key(p.HeadRepo) != key(head.fullName()) || before == "" {
			continue
		}
		event, err := s.pullEvent(ctx, where, p, "synchronize", by, object{"before": before, "after": p.Head})
		if err != nil {
			return nil, err
		}
		all = append(all, event)
	}
	return all, nil
}

func orNone(sha string) string {
	if sha == "" {
		return noCommitSHA
	}
	return sha
}

// pullEvent makes a pull_request payload. Whether it can be merged is not known yet when GitHub sends it.
func (s *Server) pullEvent(ctx context.Context, repo *repository, p *PullRequest, action, by string, more object) (Event, error) {
	shown, err := s.showPull(ctx, repo, p)
	if err != nil {
		return Event{}, err
	}
	if p.State == stateOpen {
		shown = shown.with(object{"mergeable": nil, "rebaseable": nil, "mergeable_state": "unknown", "merge_commit_sha": nil})
	}
	return s.emit("pull_request", object{
		"action": action, "number": p.Number, "pull_request": shown,
		"repository": s.showRepository(repo), "sender": s.showLogin(by),
	}.with(more))
}

// reviewEvent makes a pull_request_review payload. GitHub's has no top-level number; the runner act needs
// one to find the pull request, and nothing else minds it.
func (s *Server) reviewEvent(ctx context.Context, repo *repository, p *PullRequest, v *Review, action, by string) (Event, error) {
	shown, err := s.showPull(ctx, repo, p)
	if err != nil {
		return Event{}, err
	}
	review := s.showReview(repo, p, v)
	review["state"], review["body"] = strings.ToLower(v.State), orNull(v.Body)
	return s.emit("pull_request_review", object{
		"action": action, "number": p.Number, "review": review, "pull_request": shown.without(fullPullOnly...),
		"repository": s.showRepository(repo), "sender": s.showLogin(by),
	})
}
