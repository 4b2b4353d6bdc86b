package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// MergedChange finds the pull request that a commit on the base branch came from, for merge commits, squashes, rebases and
// merge queues alike, and fills Head, Tree, Merge and PullRequest. GitHub's index from commits to pull requests may lag
// behind a merge, so it is asked for some seconds. It refuses with a *change.Refusal a commit that no pull request brought
// (a direct push), one from a fork, whose commit never was in an environment, and a merge whose tree is not the tree of the
// head commit: what was tested is then not what would be deployed.
func (c *Client) MergedChange(ctx context.Context, mergeSHA string) (change.Change, error) {
	if err := change.CheckCommit("merge commit", mergeSHA); err != nil {
		return change.Change{}, err
	}
	pr, err := c.pullOfMerge(ctx, mergeSHA)
	if err != nil {
		return change.Change{}, err
	}
	if from := pr.GetHead().GetRepo().GetFullName(); !strings.EqualFold(from, c.repository()) {
		return change.Change{}, &change.Refusal{
			Subject: "merge commit " + change.Short(mergeSHA),
			Reason:  fmt.Sprintf("pull request #%d comes from a fork, whose commit was never built or tested in an environment", pr.GetNumber()),
			Fix:     "bring the same change through a pull request from a branch of this repository",
		}
	}
	merged := change.Change{
		Repository: c.repository(), PullRequest: pr.GetNumber(),
		Head: pr.GetHead().GetSHA(), Merge: mergeSHA,
		HeadRef: pr.GetHead().GetRef(), BaseRef: pr.GetBase().GetRef(),
		Title: pr.GetTitle(), Author: pr.GetUser().GetLogin(),
	}
	if merged.Tree, err = c.Tree(ctx, merged.Head); err != nil {
		return change.Change{}, err
	}
	tree, err := c.Tree(ctx, mergeSHA)
	if err != nil {
		return change.Change{}, err
	}
	if tree != merged.Tree {
		return change.Change{}, c.treesDiffer(ctx, merged)
	}
	return merged, nil
}

// pullOfMerge looks for the merged pull request whose merge commit is sha until the index has settled.
func (c *Client) pullOfMerge(ctx context.Context, sha string) (*github.PullRequest, error) {
	deadline := time.NewTimer(c.settle)
	defer deadline.Stop()
	for wait := c.poll; ; wait = min(wait*2, 5*time.Second) {
		pulls, _, err := c.api.PullRequests.ListPullRequestsWithCommit(ctx, c.owner, c.name, sha, &github.ListOptions{PerPage: 100})
		if err != nil {
			return nil, explain(ctx, err, "pull-requests: read", "looking for the pull request of commit %q", sha)
		}
		for _, pr := range pulls {
			if pr.MergedAt != nil && pr.GetMergeCommitSHA() == sha {
				return pr, nil
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("looking for the pull request of commit %q: %w", sha, context.Cause(ctx))
		case <-deadline.C:
			timer.Stop()
			return nil, &change.Refusal{
				Subject: "commit " + change.Short(sha),
				Reason:  "no pull request has it as its merge commit, so nothing proves that it was tested (a direct push?)",
				Fix:     "bring it through a pull request",
			}
		case <-timer.C:
		}
	}
}

// treesDiffer says which commits of the base branch the tested commit did not have.
func (c *Client) treesDiffer(ctx context.Context, merged change.Change) error {
	reason := fmt.Sprintf("its tree is not the tree of %s, the head of pull request #%d that was tested", change.Short(merged.Head), merged.PullRequest)
	missing, err := c.missing(ctx, merged)
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case len(missing) > 0:
		reason += fmt.Sprintf("; the head lacked these commits of %s: %s", merged.BaseRef, strings.Join(missing, ", "))
	}
	return &change.Refusal{
		Subject: "merge commit " + change.Short(merged.Merge),
		Reason:  reason,
		Fix: fmt.Sprintf("open a new pull request on top of %s so that the result of the merge is tested, and require branches to be up to date before merging",
			merged.BaseRef),
	}
}

// missing lists what the base branch had and the head had not, as "1a2b3c4 its title", at most ten.
func (c *Client) missing(ctx context.Context, merged change.Change) ([]string, error) {
	between, _, err := c.api.Repositories.CompareCommits(ctx, c.owner, c.name, merged.Head, merged.Merge, &github.ListOptions{PerPage: 100})
	if err != nil {
		return nil, explain(ctx, err, "contents: read", "comparing %q with %q", merged.Head, merged.Merge)
	}
	// A rebase puts copies of the pull request's own commits on the base; they have the same author, date and message.
	own, _, err := c.api.PullRequests.ListCommits(ctx, c.owner, c.name, merged.PullRequest, &github.ListOptions{PerPage: 100})
	if err != nil {
		err = explain(ctx, err, "pull-requests: read", "listing the commits of pull request #%d", merged.PullRequest)
		if ctx.Err() != nil {
			return nil, err
		}
	}
	copies := map[string]bool{}
	for _, each := range own {
		copies[identity(each)] = true
	}
	const most = 10
	var titles []string
	for _, each := range between.Commits {
		if each.GetSHA() == merged.Merge || copies[identity(each)] {
			continue
		}
		if len(titles) == most {
			titles = append(titles, "and more")
			break
		}
		title, _, _ := strings.Cut(each.GetCommit().GetMessage(), "\n")
		titles = append(titles, strings.TrimSpace(change.Short(each.GetSHA())+" "+title))
	}
	return titles, errors.Join(err)
}

// identity is what a rebase leaves as it was.
func identity(commit *github.RepositoryCommit) string {
	author := commit.GetCommit().GetAuthor()
	return author.GetEmail() + "\n" + author.GetDate().UTC().String() + "\n" + commit.GetCommit().GetMessage()
}
