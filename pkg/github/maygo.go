package github

import (
	"context"

	"github.com/org/promote/pkg/change"
)

// MayGo asks GitHub whether a change may go on now: the pull request's head has not moved and, where approvals are required,
// they stand. It is asked at the start, and again right before each thing that can't be taken back: what was approved minutes
// ago may have been pushed over or withdrawn since. A merged change (Merge is set) needs the approvals that stood at its
// merge. What stands against it is a *change.Refusal; an answer that GitHub can't give is an error, never a yes.
func (c *Client) MayGo(ctx context.Context, ch change.Change, required int) (Approvals, error) {
	switch {
	case ch.PullRequest == 0 && required > 0:
		return Approvals{}, &change.Refusal{
			Name: "not-approved", Subject: ch.Subject(),
			Reason: "it belongs to no pull request, so nobody can have approved it",
			Fix:    "run this workflow on pull_request_review, or set `required-approvals: 0`",
		}
	case ch.PullRequest == 0, ch.Merge != "" && required == 0:
		return Approvals{}, nil // no head that could move
	case ch.Merge != "":
		found, err := c.MergedApprovals(ctx, ch.PullRequest, ch.Head)
		if err != nil {
			return Approvals{}, err
		}
		return found, found.CheckMerged(ch.Head, required)
	case required == 0:
		_, found, err := c.standing(ctx, ch.PullRequest, ch.Head)
		if err != nil {
			return Approvals{}, err
		}
		return found, found.Check(ch.Head, 0)
	}
	found, err := c.Approvals(ctx, ch.PullRequest, ch.Head)
	if err != nil {
		return Approvals{}, err
	}
	return found, found.Check(ch.Head, required)
}
