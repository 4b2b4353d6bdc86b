package github

import (
	"context"
	"fmt"
)

// SetDraft makes an open pull request a draft or ready for review, for which GitHub has no REST endpoint.
func (r *Repository) SetDraft(ctx context.Context, number int, draft bool, by string) (Event, error) {
	return r.act(ctx, by, func(repo *repository) (Event, error) {
		p := repo.pull(number)
		if p == nil || p.State != stateOpen || p.Draft == draft {
			return Event{}, fmt.Errorf("making pull request %d of %q a draft (%t): it is not open, or is so already", number, r.name, draft)
		}
		p.Draft, p.UpdatedAt = draft, r.s.now()
		if draft {
			return r.s.pullEvent(ctx, repo, p, "converted_to_draft", by, nil)
		}
		return r.s.pullEvent(ctx, repo, p, "ready_for_review", by, nil)
	})
}

// changeBase moves an open pull request to another base branch and announces it.
func (s *Server) changeBase(ctx context.Context, repo *repository, p *PullRequest, to, by string) error {
	tip, err := s.git(repo).refSHA(ctx, "refs/heads/"+to)
	switch {
	case err != nil:
		return err
	case tip == "":
		return invalid("PullRequest", "base", "invalid", fmt.Sprintf("Proposed base branch '%s' was not found", to))
	case p.State != stateOpen:
		return invalid("PullRequest", "base", "custom", "Cannot change the base branch of a closed pull request.")
	}
	was := object{"ref": object{"from": p.BaseRef}, "sha": object{"from": p.Base}}
	p.BaseRef, p.Base, p.SeenBase, p.Trial = to, tip, tip, trial{}
	_, err = s.pullEvent(ctx, repo, p, "edited", by, object{"changes": object{"base": was}})
	return err
}
