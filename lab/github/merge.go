package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Ways to merge a pull request.
const (
	MergeCommit = "merge"
	Squash      = "squash"
	Rebase      = "rebase"
)

// Merged is what a merge gave: the commit on the base branch, the push payload of that branch, and the
// pull_request payload with action closed.
type Merged struct {
	SHA    string
	Push   Event
	Closed Event
}

// mergeRequest is the body of PUT pulls/{pull_number}/merge.
type mergeRequest struct {
	Title   string `json:"commit_title"`
	Message string `json:"commit_message"`
	SHA     string `json:"sha"`
	Method  string `json:"merge_method"`
}

// Merge merges a pull request in git by the method (MergeCommit, Squash or Rebase).
func (r *Repository) Merge(ctx context.Context, number int, method, by string) (Merged, error) {
	var merged Merged
	_, err := r.act(ctx, by, func(repo *repository) (Event, error) {
		p := repo.pull(number)
		if p == nil {
			return Event{}, notFound()
		}
		var err error
		merged, err = r.s.merge(ctx, repo, p, mergeRequest{Method: method}, by)
		return merged.Push, err
	})
	return merged, err
}

// mergePull answers PUT pulls/{pull_number}/merge.
func (s *Server) mergePull(ctx context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	var in mergeRequest
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	merged, err := s.merge(ctx, c.repo, p, in, c.login())
	return 200, object{"sha": merged.SHA, "merged": true, "message": "Pull Request successfully merged"}, err
}

func (s *Server) merge(ctx context.Context, repo *repository, p *PullRequest, in mergeRequest, by string) (Merged, error) {
	if in.Method == "" {
		in.Method = MergeCommit
	}
	if in.Method != MergeCommit && in.Method != Squash && in.Method != Rebase {
		return Merged{}, invalid("PullRequest", "merge_method", "invalid", "")
	}
	if p.State != stateOpen {
		return Merged{}, refuse(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	if p.Draft {
		return Merged{}, refuse(http.StatusMethodNotAllowed, "Pull Request is still a draft")
	}
	if in.SHA != "" && in.SHA != p.Head {
		return Merged{}, refuse(http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	}
	git := s.git(repo)
	onto, err := git.refSHA(ctx, "refs/heads/"+p.BaseRef)
	if err != nil || onto == "" {
		return Merged{}, orRefuse(err, refuse(http.StatusMethodNotAllowed, "Base branch was deleted"))
	}
	sha, err := s.makeMerge(ctx, repo, p, onto, in, by)
	if errors.Is(err, errConflict) {
		return Merged{}, refuse(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	if err != nil {
		return Merged{}, err
	}
	// The old value makes this fail when someone pushed to the base branch in between.
	if _, err := git.run(ctx, nil, "update-ref", "refs/heads/"+p.BaseRef, sha, onto); err != nil {
		return Merged{}, refuse(http.StatusConflict, "Base branch was modified. Review and try the merge again.")
	}
	return s.finishMerge(ctx, repo, p, onto, sha, by)
}

// makeMerge makes the commit or commits that the base branch will end with and returns the last.
func (s *Server) makeMerge(ctx context.Context, repo *repository, p *PullRequest, onto string, in mergeRequest, by string) (string, error) {
	git := s.git(repo)
	flow := webFlow
	flow.Date = s.now()
	if in.Method == Rebase {
		return git.rebase(ctx, onto, p.Head, flow)
	}
	tree, err := git.mergeTree(ctx, onto, p.Head)
	if err != nil {
		return "", err
	}
	author := s.person(by)
	if in.Method == MergeCommit {
		owner, _, _ := strings.Cut(p.HeadRepo, "/")
		head := owner + "/" + p.HeadRef
		message := compose(in, fmt.Sprintf("Merge pull request #%d from %s", p.Number, head), p.Title)
		return git.commitTree(ctx, tree, message, author, flow, onto, p.Head)
	}
	commits, err := s.pullCommits(ctx, repo, p)
	if err != nil {
		return "", err
	}
	author = s.person(p.Author)
	return git.commitTree(ctx, tree, squashMessage(in, p, commits), author, flow, onto)
}

// squashMessage is GitHub's default: a lone commit's own message, or the title and a list of all commits.
func squashMessage(in mergeRequest, p *PullRequest, commits []commit) string {
	if len(commits) == 1 {
		first, rest, _ := strings.Cut(commits[0].Message, "\n")
		return compose(in, fmt.Sprintf("%s (#%d)", first, p.Number), strings.TrimSpace(rest))
	}
	var list []string
	for _, k := range commits {
		list = append(list, "* "+k.Message)
	}
	return compose(in, fmt.Sprintf("%s (#%d)", p.Title, p.Number), strings.Join(list, "\n\n"))
}

// compose prefers what the request asks for to the defaults.
func compose(in mergeRequest, first, rest string) string {
	if in.Title != "" {
		first = in.Title
	}
	if in.Message != "" {
		rest = in.Message
	}
	return strings.TrimSpace(first + "\n\n" + rest)
}

func (s *Server) person(login string) person {
	u := s.state.Users[key(login)]
	return person{Name: u.Name, Email: u.Email, Date: s.now()}
}

func (s *Server) finishMerge(ctx context.Context, repo *repository, p *PullRequest, onto, sha, by string) (Merged, error) {
	merged := Merged{SHA: sha}
	var err error
	if merged.Closed, err = s.closeMerged(ctx, repo, p, onto, sha, by); err != nil {
		return merged, err
	}
	merged.Push, err = s.pushEvent(ctx, repo, p.BaseRef, onto, sha, by)
	return merged, err
}

// closeMerged closes a pull request that the base branch, which was at onto, has as the commit sha now.
func (s *Server) closeMerged(ctx context.Context, repo *repository, p *PullRequest, onto, sha, by string) (Event, error) {
	now := s.now()
	p.Merged, p.MergeSHA, p.MergedBy, p.MergedOnto = true, sha, s.state.Users[key(by)].Login, onto
	p.State, p.ClosedAt, p.MergedAt, p.UpdatedAt = stateClosed, &now, &now, now
	return s.pullEvent(ctx, repo, p, "closed", by, nil)
}
