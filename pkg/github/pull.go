package github

import "context"

// Pull is how a pull request stands at the moment it was asked for.
type Pull struct {
	Number       int
	Open, Merged bool
	// Head is its head commit.
	Head string
}

// Pull reads a pull request.
func (c *Client) Pull(ctx context.Context, number int) (Pull, error) {
	found, _, err := c.api.PullRequests.Get(ctx, c.owner, c.name, number)
	if err != nil {
		return Pull{}, explain(ctx, err, "pull-requests: read", "reading pull request #%d", number)
	}
	return Pull{Number: number, Open: found.GetState() == "open", Merged: found.MergedAt != nil, Head: found.GetHead().GetSHA()}, nil
}
