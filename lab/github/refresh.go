package github

import (
	"context"
	"errors"
	"fmt"
)

// refresh brings the open pull requests in line with the branches, which people push to at any time. A
// head that moved is followed; a head whose branch is gone closes its pull request, and so does one that has come to the
// base branch, as on GitHub. by is who pushed, "" when nobody knows.
func (s *Server) refresh(ctx context.Context, repo *repository, by string) error {
	tips := map[string]map[string]string{} // repository -> branch -> SHA
	branchesOf := func(name string) (map[string]string, error) {
		if tips[key(name)] == nil {
			branches, err := s.git(s.state.Repos[key(name)]).branches(ctx)
			if err != nil {
				return nil, err
			}
			tips[key(name)] = branches
		}
		return tips[key(name)], nil
	}
	for _, p := range repo.Pulls {
		if p.State != stateOpen {
			continue
		}
		heads, err := branchesOf(p.HeadRepo)
		bases, err2 := branchesOf(repo.fullName())
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if err := s.indirect(ctx, repo, p, bases[p.BaseRef], by); err != nil {
			return fmt.Errorf("merging pull request %d: %w", p.Number, err)
		}
		if p.State != stateOpen {
			continue
		}
		if err := s.follow(ctx, repo, p, heads[p.HeadRef]); err != nil {
			return fmt.Errorf("following pull request %d: %w", p.Number, err)
		}
	}
	return nil
}

// follow takes the tip of the head branch ("" when it is gone) over into the pull request.
func (s *Server) follow(ctx context.Context, repo *repository, p *PullRequest, tip string) error {
	switch tip {
	case p.Head:
		return nil
	case "":
		now := s.now()
		p.State, p.ClosedAt, p.UpdatedAt = stateClosed, &now, now
		return s.save()
	}
	p.Head, p.UpdatedAt = tip, s.now()
	if base, err := s.git(repo).refSHA(ctx, "refs/heads/"+p.BaseRef); err != nil {
		return err
	} else if base != "" {
		p.Base = base
	}
	if err := s.fetchHead(ctx, repo, p); err != nil {
		return err
	}
	if err := s.pinHead(ctx, repo, p); err != nil {
		return err
	}
	return s.save()
}

// fetchHead brings a fork's commits into this repository.
func (s *Server) fetchHead(ctx context.Context, repo *repository, p *PullRequest) error {
	if key(p.HeadRepo) == key(repo.fullName()) {
		return nil
	}
	_, err := s.git(repo).run(ctx, nil, "fetch", "--quiet", "--no-write-fetch-head", s.gitPath(p.HeadRepo), p.Head)
	return err
}

// pinHead keeps refs/pull/N/head, which holds the commits even when their branch goes.
func (s *Server) pinHead(ctx context.Context, repo *repository, p *PullRequest) error {
	return s.git(repo).updateRef(ctx, fmt.Sprintf("refs/pull/%d/head", p.Number), p.Head)
}

// tryMerge keeps the test merge of an open pull request, refs/pull/N/merge, up to date with both of its
// branches. It is what GITHUB_SHA names in a pull_request workflow, and a trap: no one has tested it.
func (s *Server) tryMerge(ctx context.Context, repo *repository, p *PullRequest) error {
	git := s.git(repo)
	base, err := git.refSHA(ctx, "refs/heads/"+p.BaseRef)
	if err != nil || base == "" {
		return err
	}
	if p.Trial.Base == base && p.Trial.Head == p.Head {
		return nil
	}
	p.Trial = trial{Base: base, Head: p.Head}
	tree, err := git.mergeTree(ctx, base, p.Head)
	if errors.Is(err, errConflict) {
		return s.save()
	}
	if err != nil {
		return err
	}
	by := webFlow
	by.Date = s.now()
	message := fmt.Sprintf("Merge %s into %s", p.Head, base)
	if p.Trial.Merge, err = git.commitTree(ctx, tree, message, by, by, base, p.Head); err != nil {
		return err
	}
	if err := git.updateRef(ctx, fmt.Sprintf("refs/pull/%d/merge", p.Number), p.Trial.Merge); err != nil {
		return err
	}
	return s.save()
}
