package github

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// MergedChange finds the pull request that brought a commit to the branch base, and fills Head, Tree, Merge and PullRequest.
// It knows merge commits, squashes, rebases, merge queues and heads that a person pushed to the base by hand; of several
// commits that came together the last one counts, as the branch ends with it. GitHub's index from commits to pull requests
// may lag behind a merge, so it is asked for some seconds.
//
// Tree equality decides. What a *change.Refusal stops: a commit that no pull request into base brought (a direct push), one
// from a fork, whose commit never was in an environment, and one whose tree is not the tree of the head commit: what was
// tested is then not what would be deployed. An empty base takes pull requests into any branch.
func (c *Client) MergedChange(ctx context.Context, sha, base string) (change.Change, error) {
	if err := change.CheckCommit("merge commit", sha); err != nil {
		return change.Change{}, err
	}
	landed, err := c.commit(ctx, sha)
	if err != nil {
		return change.Change{}, err
	}
	pulls, err := c.pullsOfMerge(ctx, landed, base)
	if err != nil {
		return change.Change{}, err
	}
	first := change.Change{}
	for _, pr := range pulls {
		merged := change.Change{
			Repository: c.repository(), PullRequest: pr.GetNumber(),
			Head: pr.GetHead().GetSHA(), Merge: sha,
			HeadRef: pr.GetHead().GetRef(), BaseRef: pr.GetBase().GetRef(),
			Title: pr.GetTitle(), Author: pr.GetUser().GetLogin(),
		}
		if merged.Tree, err = c.Tree(ctx, merged.Head); err != nil {
			return change.Change{}, err
		}
		if merged.Tree == landed.GetTree().GetSHA() {
			return merged, nil
		}
		if first.Head == "" {
			first = merged
		}
	}
	return change.Change{}, c.treesDiffer(ctx, first)
}

// pullsOfMerge looks for the merged pull requests that may have brought a commit until the index has settled. It gives at
// least one, those that say so themselves first.
func (c *Client) pullsOfMerge(ctx context.Context, landed *github.Commit, base string) ([]*github.PullRequest, error) {
	sha := landed.GetSHA()
	deadline := time.NewTimer(c.settle)
	defer deadline.Stop()
	for wait := c.poll; ; wait = min(wait*2, 5*time.Second) {
		all, _, err := c.api.PullRequests.ListPullRequestsWithCommit(ctx, c.owner, c.name, sha, &github.ListOptions{PerPage: 100})
		if err != nil {
			return nil, explain(ctx, err, "pull-requests: read", "looking for the pull request of commit %q", sha)
		}
		found := slices.DeleteFunc(slices.Clone(all), func(pr *github.PullRequest) bool { return brought(pr, landed, base) == never })
		if own := slices.DeleteFunc(slices.Clone(found), c.forked); len(own) > 0 {
			slices.SortStableFunc(own, func(a, b *github.PullRequest) int { return int(brought(a, landed, base) - brought(b, landed, base)) })
			return own, nil
		}
		if len(found) > 0 {
			return nil, &change.Refusal{
				Subject: "commit " + change.Short(sha),
				Reason:  fmt.Sprintf("pull request #%d comes from a fork, whose commit was never built or tested in an environment", found[0].GetNumber()),
				Fix:     "bring the same change through a pull request from a branch of this repository",
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("looking for the pull request of commit %q: %w", sha, context.Cause(ctx))
		case <-deadline.C:
			timer.Stop()
			return nil, unbrought(sha, base, all)
		case <-timer.C:
		}
	}
}

// proof says how a pull request is known to have brought a commit; a lower one is better.
type proof int

const (
	byName proof = iota
	byHead
	byParent
	never
)

// brought says whether a pull request brought the commit to the base branch. What merge_commit_sha names depends on how it
// was merged: the merge commit, the squashed commit, or what the base was moved to by a rebase or a queue
// (https://docs.github.com/rest/pulls/pulls#get-a-pull-request). A head that came by a push is its own merge, and one that a
// person merged and pushed is a parent. An open pull request's merge_commit_sha is a trial that is on no branch.
func brought(pr *github.PullRequest, landed *github.Commit, base string) proof {
	head := pr.GetHead().GetSHA()
	switch {
	case pr.MergedAt == nil || base != "" && pr.GetBase().GetRef() != base:
		return never
	case pr.GetMergeCommitSHA() == landed.GetSHA():
		return byName
	case head == landed.GetSHA():
		return byHead
	case len(landed.Parents) > 1 && slices.ContainsFunc(landed.Parents[1:], func(p *github.Commit) bool { return p.GetSHA() == head }):
		return byParent
	}
	return never
}

func (c *Client) forked(pr *github.PullRequest) bool {
	return !strings.EqualFold(pr.GetHead().GetRepo().GetFullName(), c.repository())
}

// unbrought refuses a commit that no pull request brought, and says what GitHub knows of it instead.
func unbrought(sha, base string, known []*github.PullRequest) error {
	reason := "no pull request brought it, so nothing proves that it was tested (a direct push?)"
	for _, pr := range known {
		switch {
		case pr.MergedAt == nil:
			reason = fmt.Sprintf("pull request #%d, which has it, was not merged, so nobody took it in", pr.GetNumber())
		case base != "" && pr.GetBase().GetRef() != base:
			reason = fmt.Sprintf("pull request #%d brought it to %s and none to %s: it was reviewed for another branch", pr.GetNumber(), pr.GetBase().GetRef(), base)
		default:
			reason = fmt.Sprintf("it is one of several commits of pull request #%d, whose merge ended with %s", pr.GetNumber(), change.Short(pr.GetMergeCommitSHA()))
		}
	}
	return &change.Refusal{
		Subject: "commit " + change.Short(sha), Reason: reason,
		Fix: "bring it through a pull request; to take something back, use GitHub's Revert button, which opens one",
	}
}
