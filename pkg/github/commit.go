package github

import (
	"context"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// Tree gives the git tree of a commit: two commits with the same tree hold the same files.
func (c *Client) Tree(ctx context.Context, commit string) (string, error) {
	found, err := c.commit(ctx, commit)
	if err != nil {
		return "", err
	}
	return found.GetTree().GetSHA(), nil
}

// commit reads a commit and makes sure it names a tree.
func (c *Client) commit(ctx context.Context, sha string) (*github.Commit, error) {
	if err := change.CheckCommit("commit", sha); err != nil {
		return nil, err
	}
	found, _, err := c.api.Git.GetCommit(ctx, c.owner, c.name, sha)
	if err == nil {
		err = change.CheckCommit("tree of commit "+change.Short(sha), found.GetTree().GetSHA())
	}
	return found, explain(ctx, err, "contents: read", "reading commit %q", sha)
}
