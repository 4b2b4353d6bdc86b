package github

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// CheckOrder refuses a change that is older than the release that serves, unless allowRollback; [change.CheckOrder] has the
// rules. GitHub is asked only when commits and trees differ.
func (c *Client) CheckOrder(ctx context.Context, next, serving change.Point, allowRollback bool) error {
	by, ask := change.Compare(next, serving)
	if !ask || allowRollback {
		return nil
	}
	relation, err := c.Relation(ctx, by.Serving, by.Next)
	if err != nil {
		return err
	}
	return change.CheckOrder(by, relation, allowRollback)
}

// Relation asks how commit next stands to commit serving. A commit that the repository does not have is change.Unknown.
func (c *Client) Relation(ctx context.Context, serving, next string) (change.Relation, error) {
	if err := errors.Join(change.CheckCommit("serving commit", serving), change.CheckCommit("next commit", next)); err != nil {
		return "", err
	}
	// One commit is enough of the answer, which can be long.
	between, _, err := c.api.Repositories.CompareCommits(ctx, c.owner, c.name, serving, next, &github.ListOptions{PerPage: 1})
	if notFound(err) {
		// A 404 is also what a token without the permission gets. Who can read a commit here has it, and asks on.
		if _, err := c.commit(ctx, next); err != nil {
			return "", err
		}
		return change.Unknown, nil
	}
	if err != nil {
		return "", explain(ctx, err, "contents: read", "comparing %q with %q", serving, next)
	}
	switch status := between.GetStatus(); status {
	case "identical":
		return change.Same, nil
	case "ahead":
		return change.Newer, nil
	case "behind":
		return change.Older, nil
	case "diverged":
		return change.Diverged, nil
	default:
		return "", fmt.Errorf("comparing %q with %q: GitHub answers with the unknown status %q", serving, next, status)
	}
}
