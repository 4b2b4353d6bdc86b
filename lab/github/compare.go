package github

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// compare answers GET compare/{basehead}, where basehead is "base...head".
func (s *Server) compare(ctx context.Context, c *call) (int, any, error) {
	from, to, ok := strings.Cut(c.params["basehead"], "...")
	if !ok {
		return 0, nil, notFound()
	}
	git := s.git(c.repo)
	base, err := s.commitOf(ctx, c.repo, from)
	if err != nil {
		return 0, nil, hideCommit(err)
	}
	head, err := s.commitOf(ctx, c.repo, to)
	if err != nil {
		return 0, nil, hideCommit(err)
	}
	fork, err := git.mergeBase(ctx, base.SHA, head.SHA)
	if err != nil || fork == "" {
		return 0, nil, orRefuse(err, refuse(http.StatusNotFound, "No common ancestor between %s and %s.", from, to))
	}
	return s.showComparison(ctx, c, base, head, fork)
}

// hideCommit turns "no such commit" into compare's plain 404.
func hideCommit(err error) error {
	var no *Refusal
	if errors.As(err, &no) && no.Status == http.StatusUnprocessableEntity {
		return notFound()
	}
	return err
}

func (s *Server) showComparison(ctx context.Context, c *call, base, head commit, fork string) (int, any, error) {
	git := s.git(c.repo)
	ahead, err := git.commits(ctx, "--reverse", base.SHA+".."+head.SHA)
	if err != nil {
		return 0, nil, err
	}
	behind, err := git.commits(ctx, head.SHA+".."+base.SHA)
	if err != nil {
		return 0, nil, err
	}
	ancestor, err := git.commit(ctx, fork)
	if err != nil {
		return 0, nil, err
	}
	files, err := git.diff(ctx, fork, head.SHA)
	if err != nil {
		return 0, nil, err
	}
	shown := slices.Clone(ahead)
	// Unlike lists, a comparison is whole (up to 250 commits) unless a page is asked for.
	if query := c.request.URL.Query(); query.Has("page") || query.Has("per_page") {
		shown = paginate(s, c, shown)
	} else if len(shown) > 250 {
		shown = shown[:250]
	}
	html, spec := s.htmlURL(c.repo)+"/compare/", base.SHA+"..."+head.SHA
	return 200, object{
		"url": s.apiURL(c.repo) + "/compare/" + spec, "html_url": html + spec, "permalink_url": html + spec,
		"diff_url": html + spec + ".diff", "patch_url": html + spec + ".patch",
		"base_commit": s.showCommit(c.repo, base), "merge_base_commit": s.showCommit(c.repo, ancestor),
		"status": comparison(len(ahead), len(behind)), "ahead_by": len(ahead), "behind_by": len(behind),
		"total_commits": len(ahead), "commits": s.showCommits(c.repo, shown), "files": s.showFiles(c.repo, head.SHA, files),
	}, nil
}

// comparison is GitHub's word for how head stands to base.
func comparison(ahead, behind int) string {
	switch {
	case ahead > 0 && behind > 0:
		return "diverged"
	case ahead > 0:
		return "ahead"
	case behind > 0:
		return "behind"
	}
	return "identical"
}
