package github

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v84/github"
)

// webFlow is the account that GitHub commits as when a person presses a button.
const webFlow = "web-flow"

// lastReviews gives each person's last review that decides something, by their lower-case login. Approvals that came after
// until, unless it is zero, are left out. GitHub lists reviews oldest first, and one that was dismissed in its old place.
func (c *Client) lastReviews(ctx context.Context, pr int, until time.Time) (map[string]*github.PullRequestReview, error) {
	last := map[string]*github.PullRequestReview{}
	options := &github.ListOptions{PerPage: 100}
	for {
		page, response, err := c.api.PullRequests.ListReviews(ctx, c.owner, c.name, pr, options)
		if err != nil {
			return nil, explain(ctx, err, "pull-requests: read", "listing the reviews of pull request #%d", pr)
		}
		for _, review := range page {
			name := strings.ToLower(review.GetUser().GetLogin())
			if name == "" || review.GetUser().GetType() == "Bot" {
				continue
			}
			switch strings.ToUpper(review.GetState()) {
			case "APPROVED":
				if until.IsZero() || !review.GetSubmittedAt().After(until) {
					last[name] = review
				}
			case "CHANGES_REQUESTED", "DISMISSED":
				last[name] = review
			}
		}
		if response.NextPage == 0 {
			return last, nil
		}
		options.Page = response.NextPage
	}
}

// makers are the accounts that made commits of the pull request, by their lower-case login. They are asked for only when
// somebody has approved. GitHub lists at most 250 commits of a pull request.
func (c *Client) makers(ctx context.Context, pull *github.PullRequest, last map[string]*github.PullRequestReview) (map[string]bool, error) {
	approved := func(r *github.PullRequestReview) bool {
		return strings.EqualFold(r.GetState(), "APPROVED") && r.GetCommitID() == pull.GetHead().GetSHA()
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(last)), approved) {
		return nil, nil
	}
	made := map[string]bool{}
	options := &github.ListOptions{PerPage: 100}
	for {
		page, response, err := c.api.PullRequests.ListCommits(ctx, c.owner, c.name, pull.GetNumber(), options)
		if err != nil {
			return nil, explain(ctx, err, "pull-requests: read", "listing the commits of pull request #%d", pull.GetNumber())
		}
		for _, commit := range page {
			committer := strings.ToLower(commit.GetCommitter().GetLogin())
			if len(commit.Parents) > 1 && committer == webFlow {
				continue
			}
			made[strings.ToLower(commit.GetAuthor().GetLogin())], made[committer] = true, true
		}
		if response.NextPage == 0 {
			return made, nil
		}
		options.Page = response.NextPage
	}
}

// writes says whether a person may push to the repository. GitHub reports the role maintain as write here. Who is no
// collaborator, or is gone, may not.
func (c *Client) writes(ctx context.Context, name string) (bool, error) {
	level, _, err := c.api.Repositories.GetPermissionLevel(ctx, c.owner, c.name, name)
	if notFound(err) {
		return false, nil
	}
	if err != nil {
		return false, explain(ctx, err, "contents: read", "reading the access of reviewer %q", name)
	}
	return level.GetPermission() == "admin" || level.GetPermission() == "write", nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
