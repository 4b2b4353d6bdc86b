package github

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// Written is a status as GitHub keeps it: with who wrote it, which nobody can choose.
type Written struct {
	Status
	// By is the login of the account that wrote it, for instance github-actions[bot].
	By string
	// ByBot says that the account is an app's and no person's.
	ByBot bool
	// At is when it was written, by GitHub's clock.
	At time.Time
}

// History lists the statuses of one context on a commit, or of all when it is "", newest first, in one request if there are no
// more than 100. Names of contexts are compared without regard to case, as GitHub does.
func (c *Client) History(ctx context.Context, sha, name string) ([]Written, error) {
	if err := change.CheckCommit("commit", sha); err != nil {
		return nil, err
	}
	var all []Written
	options := &github.ListOptions{PerPage: 100}
	for {
		page, response, err := c.api.Repositories.ListStatuses(ctx, c.owner, c.name, sha, options)
		if err != nil {
			return nil, explain(ctx, err, "statuses: read", "listing the statuses of commit %q", sha)
		}
		for _, s := range page {
			if name != "" && !strings.EqualFold(s.GetContext(), name) {
				continue
			}
			all = append(all, Written{
				Status: Status{Context: s.GetContext(), State: s.GetState(), Description: s.GetDescription(), URL: s.GetTargetURL()},
				By:     s.GetCreator().GetLogin(), ByBot: s.GetCreator().GetType() == "Bot",
				At: s.GetCreatedAt().Time,
			})
		}
		if response.NextPage == 0 {
			return all, nil
		}
		options.Page = response.NextPage
	}
}

// PullHeads gives the head commits of the pull requests that a commit belongs to, that one first whose merge it is. It looks
// once: for some seconds after a merge GitHub may know of none.
func (c *Client) PullHeads(ctx context.Context, sha string) ([]string, error) {
	if err := change.CheckCommit("commit", sha); err != nil {
		return nil, err
	}
	pulls, _, err := c.api.PullRequests.ListPullRequestsWithCommit(ctx, c.owner, c.name, sha, &github.ListOptions{PerPage: 100})
	if err != nil {
		return nil, explain(ctx, err, "pull-requests: read", "looking for the pull request of commit %q", sha)
	}
	var heads []string
	for _, pr := range pulls {
		head := pr.GetHead().GetSHA()
		switch {
		case change.CheckCommit("head", head) != nil || slices.Contains(heads, head):
		case pr.MergedAt != nil && pr.GetMergeCommitSHA() == sha:
			heads = slices.Insert(heads, 0, head)
		default:
			heads = append(heads, head)
		}
	}
	return heads, nil
}
