package github

import (
	"context"
	"strings"
)

// indirect closes an open pull request as merged when its head has come to the base branch by a push: GitHub calls that an
// indirect merge. by is who pushed, "" when nobody knows.
func (s *Server) indirect(ctx context.Context, repo *repository, p *PullRequest, tip, by string) error {
	if tip == "" || tip == p.SeenBase {
		return nil
	}
	before := p.SeenBase
	p.SeenBase = tip
	git := s.git(repo)
	if landed, err := git.isAncestor(ctx, p.Head, tip); err != nil || !landed {
		return err
	}
	sha, err := git.landing(ctx, before, tip, p.Head)
	if err != nil {
		return err
	}
	if by == "" {
		by = p.Author
	}
	_, err = s.closeMerged(ctx, repo, p, before, sha, by)
	return err
}

// landing is the first commit on the base branch's own line, after before, that holds head: the head itself after a
// fast-forward, a merge commit that a person made, or what a second pull request brought both with.
func (g gitDir) landing(ctx context.Context, before, tip, head string) (string, error) {
	args := []string{"rev-list", "--first-parent", "--reverse", tip}
	if before != "" {
		args = append(args, "^"+before)
	}
	out, err := g.run(ctx, nil, args...)
	if err != nil {
		return "", err
	}
	for _, sha := range strings.Fields(out) {
		if holds, err := g.isAncestor(ctx, head, sha); err != nil || holds {
			return sha, err
		}
	}
	return tip, nil
}
