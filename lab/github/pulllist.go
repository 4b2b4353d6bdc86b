package github

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// listPulls answers GET pulls, newest first, by state (open unasked), head ("owner:branch") and base.
func (s *Server) listPulls(ctx context.Context, c *call) (int, any, error) {
	query := c.request.URL.Query()
	state := query.Get("state")
	if state == "" {
		state = stateOpen
	}
	if state != stateOpen && state != stateClosed && state != "all" {
		return 0, nil, invalid("PullRequest", "state", "invalid", "")
	}
	var found []*PullRequest
	for _, p := range slices.Backward(c.repo.Pulls) {
		owner, _, _ := strings.Cut(p.HeadRepo, "/")
		if (state == "all" || p.State == state) &&
			(query.Get("base") == "" || p.BaseRef == query.Get("base")) &&
			(query.Get("head") == "" || key(owner)+":"+p.HeadRef == key(query.Get("head"))) {
			found = append(found, p)
		}
	}
	if query.Get("direction") == "asc" {
		slices.Reverse(found)
	}
	shown, err := s.showSimplePulls(ctx, c.repo, paginate(s, c, found))
	return 200, shown, err
}

// listPullsOfCommit answers GET commits/{commit_sha}/pulls: for a commit of the default branch the merged
// pull requests that brought it there, for any other also the open and closed ones that hold it.
func (s *Server) listPullsOfCommit(ctx context.Context, c *call) (int, any, error) {
	git := s.git(c.repo)
	sha, err := git.resolve(ctx, c.params["commit_sha"])
	if err != nil || sha == "" {
		return 0, nil, orRefuse(err, noCommit(c.params["commit_sha"]))
	}
	if s.lag > 0 {
		s.lag--
		return 200, []object{}, nil
	}
	landed, err := git.isAncestor(ctx, sha, c.repo.DefaultBranch)
	if err != nil {
		landed = false // an empty repository has no default branch yet
	}
	var found []*PullRequest
	for _, p := range slices.Backward(c.repo.Pulls) {
		if landed && !p.Merged {
			continue
		}
		holds, err := s.holds(ctx, c.repo, p, sha)
		if err != nil {
			return 0, nil, err
		}
		if holds {
			found = append(found, p)
		}
	}
	shown, err := s.showSimplePulls(ctx, c.repo, paginate(s, c, found))
	return 200, shown, err
}

// holds says whether the commit is one of the pull request's own, or one that its merge made.
func (s *Server) holds(ctx context.Context, repo *repository, p *PullRequest, sha string) (bool, error) {
	git := s.git(repo)
	own, err := s.pullCommits(ctx, repo, p)
	if err != nil {
		return false, err
	}
	if p.Merged {
		made, err := git.commits(ctx, p.MergedOnto+".."+p.MergeSHA)
		if err != nil {
			return false, err
		}
		own = append(own, made...)
	}
	return slices.ContainsFunc(own, func(k commit) bool { return k.SHA == sha }), nil
}

// pullCommits are the commits of the pull request, oldest first.
func (s *Server) pullCommits(ctx context.Context, repo *repository, p *PullRequest) ([]commit, error) {
	since, err := s.pullSince(ctx, repo, p)
	if err != nil {
		return nil, err
	}
	return s.git(repo).commits(ctx, "--reverse", since+".."+p.Head)
}

// pullSince is the commit of the base branch that the pull request is compared with: its tip now, or what
// it was before the merge.
func (s *Server) pullSince(ctx context.Context, repo *repository, p *PullRequest) (string, error) {
	if p.Merged {
		return p.MergedOnto, nil
	}
	tip, err := s.git(repo).refSHA(ctx, "refs/heads/"+p.BaseRef)
	if tip == "" {
		tip = p.Base // the base branch is gone
	}
	return tip, err
}

// pullFiles are the files the pull request changes, against where it left the base branch.
func (s *Server) pullFiles(ctx context.Context, repo *repository, p *PullRequest) ([]file, error) {
	since, err := s.pullSince(ctx, repo, p)
	if err != nil {
		return nil, err
	}
	fork, err := s.git(repo).mergeBase(ctx, since, p.Head)
	if err != nil {
		return nil, err
	}
	if fork == "" {
		fork = emptyTree
	}
	return s.git(repo).diff(ctx, fork, p.Head)
}

// listPullCommits answers GET pulls/{pull_number}/commits.
func (s *Server) listPullCommits(ctx context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	all, err := s.pullCommits(ctx, c.repo, p)
	return 200, s.showCommits(c.repo, paginate(s, c, all)), err
}

// listPullFiles answers GET pulls/{pull_number}/files.
func (s *Server) listPullFiles(ctx context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	files, err := s.pullFiles(ctx, c.repo, p)
	return 200, s.showFiles(c.repo, p.Head, paginate(s, c, files)), err
}

// isMerged answers GET pulls/{pull_number}/merge: 204 for yes, 404 for no.
func (s *Server) isMerged(_ context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err == nil && !p.Merged {
		err = notFound()
	}
	return http.StatusNoContent, nil, err
}
