package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// titleCap is how much of a commit's title stands in a refusal, in characters.
const titleCap = 72

// treesDiffer says which commits of the base branch the tested commit did not have.
func (c *Client) treesDiffer(ctx context.Context, merged change.Change) error {
	reason := fmt.Sprintf("its tree is not the tree of %s, the head of pull request #%d that was tested", change.Short(merged.Head), merged.PullRequest)
	missing, err := c.missing(ctx, merged)
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case len(missing) > 0:
		reason += fmt.Sprintf("; the head lacked these commits of %s: %s", merged.BaseRef, strings.Join(missing, ", "))
	case err == nil:
		reason += fmt.Sprintf("; the head lacked no commit of %s, so the merge itself changed files", merged.BaseRef)
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
		titles = append(titles, strings.TrimSpace(change.Short(each.GetSHA())+" "+cut(title, titleCap)))
	}
	return titles, errors.Join(err)
}

// identity is what a rebase leaves as it was.
func identity(commit *github.RepositoryCommit) string {
	author := commit.GetCommit().GetAuthor()
	return author.GetEmail() + "\n" + author.GetDate().UTC().String() + "\n" + commit.GetCommit().GetMessage()
}
