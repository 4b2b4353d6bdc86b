package github

import (
	"context"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// IsAncestor says whether commit is one of the commits that led to another one; a commit is no ancestor of itself. Commits
// that have nothing in common, and another one that the repository does not have (any more), are no relatives, which is no
// error; a commit that cannot be read is one.
func (c *Client) IsAncestor(ctx context.Context, commit, of string) (bool, error) {
	for name, sha := range map[string]string{"commit": commit, "other commit": of} {
		if err := change.CheckCommit(name, sha); err != nil {
			return false, err
		}
	}
	// One commit a page: only the status matters, and a comparison of long histories is long.
	between, _, err := c.api.Repositories.CompareCommits(ctx, c.owner, c.name, commit, of, &github.ListOptions{PerPage: 1})
	if notFound(err) {
		// GitHub answers 404 for unrelated commits, for unknown ones, and when the token may not read the repository. A commit
		// that reads tells the last one from the others.
		_, err := c.commit(ctx, commit)
		return false, err
	}
	if err != nil {
		return false, explain(ctx, err, "contents: read", "comparing %q with %q", commit, of)
	}
	return between.GetStatus() == "ahead", nil
}
