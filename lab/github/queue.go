package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// MergeGroup is what the merge queue has made of some pull requests: one commit for each on top of the one before.
type MergeGroup struct {
	// Head is the last commit; the base branch is moved to it when the checks pass.
	Head string
	// Base is the branch, Onto its tip that the group was made for.
	Base, Onto string
	// Branch is the group's own, gh-readonly-queue/….
	Branch string
	// Requested is the merge_group payload with action checks_requested.
	Requested Event

	numbers []int
	commits []string
}

// Queue puts pull requests into the base branch's merge queue, as one group, by a method. What conflicts is refused.
func (r *Repository) Queue(ctx context.Context, method, by string, numbers ...int) (MergeGroup, error) {
	var g MergeGroup
	_, err := r.act(ctx, by, func(repo *repository) (Event, error) {
		var err error
		g, err = r.s.queue(ctx, repo, method, by, numbers)
		return g.Requested, err
	})
	return g, err
}

func (s *Server) queue(ctx context.Context, repo *repository, method, by string, numbers []int) (MergeGroup, error) {
	g := MergeGroup{numbers: numbers}
	for _, n := range numbers {
		p := repo.pull(n)
		switch {
		case p == nil:
			return g, notFound()
		case p.State != stateOpen || p.Draft:
			return g, refuse(http.StatusUnprocessableEntity, "Pull request #%d can not be added to the merge queue", n)
		case g.Base == "":
			var err error
			if g.Onto, err = s.git(repo).refSHA(ctx, "refs/heads/"+p.BaseRef); err != nil {
				return g, err
			}
			g.Base, g.Head = p.BaseRef, g.Onto
		case p.BaseRef != g.Base:
			return g, refuse(http.StatusUnprocessableEntity, "Pull request #%d has another base branch", n)
		}
		onto := g.Head
		sha, err := s.makeMerge(ctx, repo, p, onto, mergeRequest{Method: method}, by)
		if errors.Is(err, errConflict) {
			return g, refuse(http.StatusUnprocessableEntity, "Pull request #%d conflicts with what is in the merge queue before it", n)
		}
		if err != nil {
			return g, err
		}
		g.Head, g.Branch = sha, fmt.Sprintf("gh-readonly-queue/%s/pr-%d-%s", g.Base, n, onto)
		g.commits = append(g.commits, sha)
		if _, err := s.pullEvent(ctx, repo, p, "enqueued", by, nil); err != nil {
			return g, err
		}
	}
	if err := s.git(repo).updateRef(ctx, "refs/heads/"+g.Branch, g.Head); err != nil {
		return g, err
	}
	var err error
	g.Requested, err = s.groupEvent(ctx, repo, g, "checks_requested", by, nil)
	return g, err
}

// Land moves the base branch to the group's head, as GitHub does when the checks have passed: one push for all of it. Every
// pull request's merge commit is its own commit of the group. A base that has moved meanwhile makes the group worthless.
func (r *Repository) Land(ctx context.Context, g MergeGroup, by string) (Merged, error) {
	merged := Merged{SHA: g.Head}
	_, err := r.act(ctx, by, func(repo *repository) (Event, error) {
		git := r.s.git(repo)
		if _, err := git.run(ctx, nil, "update-ref", "refs/heads/"+g.Base, g.Head, g.Onto); err != nil {
			return Event{}, refuse(http.StatusConflict, "Base branch was modified. Review and try the merge again.")
		}
		onto := g.Onto
		for i, n := range g.numbers {
			var err error
			if merged.Closed, err = r.s.closeMerged(ctx, repo, repo.pull(n), onto, g.commits[i], by); err != nil {
				return Event{}, err
			}
			onto = g.commits[i]
		}
		if _, err := r.s.groupEvent(ctx, repo, g, "destroyed", by, object{"reason": "merged"}); err != nil {
			return Event{}, err
		}
		if _, err := git.run(ctx, nil, "update-ref", "-d", "refs/heads/"+g.Branch); err != nil {
			return Event{}, err
		}
		var err error
		merged.Push, err = r.s.pushEvent(ctx, repo, g.Base, g.Onto, g.Head, by)
		return merged.Push, err
	})
	return merged, err
}

// groupEvent makes a merge_group payload.
func (s *Server) groupEvent(ctx context.Context, repo *repository, g MergeGroup, action, by string, more object) (Event, error) {
	k, err := s.git(repo).commit(ctx, g.Head)
	if err != nil {
		return Event{}, err
	}
	plain := func(p person) object { return object{"name": p.Name, "email": p.Email} }
	return s.emit("merge_group", object{
		"action": action,
		"merge_group": object{
			"head_sha": g.Head, "head_ref": "refs/heads/" + g.Branch, "base_sha": g.Onto, "base_ref": "refs/heads/" + g.Base,
			"head_commit": object{
				"id": k.SHA, "tree_id": k.Tree, "message": k.Message, "timestamp": stamp(k.Committer.Date),
				"author": plain(k.Author), "committer": plain(k.Committer),
			},
		},
		"repository": s.showRepository(repo), "sender": s.showLogin(by),
	}.with(more))
}
