package github

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// Approvals is what GitHub says about a pull request at the moment it was asked.
type Approvals struct {
	// By are the people whose approval counts.
	By []string
	// NotCounted are people who approved in vain, each with the reason: "eve (has no write access)".
	NotCounted []string
	// ChangesRequestedBy are people with write access whose last word is a request for changes, on whatever commit.
	ChangesRequestedBy  []string
	Open, Draft, Merged bool
	// HeadNow is the head commit of the pull request now.
	HeadNow string
}

// Approvals asks GitHub who approved a commit of an open pull request. What counts is each person's last word: an approval
// of this very head, by a person who may write now, and who has neither opened the pull request nor made one of its commits.
//
//   - An approval of another commit counts for nothing, so neither a push nor a force-push carries one along.
//   - A later comment does not take an approval back; a later request for changes or a dismissal does. A person's request for
//     changes stands, also over a push, until that person approves or it is dismissed.
//   - Who made a commit is its author and its committer, as GitHub knows the accounts. A merge of the base branch by GitHub's
//     button is nobody's. A Co-authored-by line is text that anyone can write, and stands under every suggestion that was
//     taken from a reviewer: it takes no approval away.
//   - Bots decide nothing, neither for nor against. A team's review is that of the person who wrote it.
//   - Access is asked now: who has lost it counts no more.
func (c *Client) Approvals(ctx context.Context, pr int, head string) (Approvals, error) {
	return c.approvals(ctx, pr, head, false)
}

// MergedApprovals asks for the approvals that stood when a pull request was merged. They count as those of an open one do,
// but for those that came after the merge. Taking one back counts whenever it happens: a dismissal or a request for changes
// after the merge is a person who wants to stop it.
func (c *Client) MergedApprovals(ctx context.Context, pr int, head string) (Approvals, error) {
	return c.approvals(ctx, pr, head, true)
}

func (c *Client) approvals(ctx context.Context, pr int, head string, merged bool) (Approvals, error) {
	pull, found, err := c.standing(ctx, pr, head)
	if err != nil {
		return Approvals{}, err
	}
	until := time.Time{}
	if merged {
		until = pull.GetMergedAt().Time
	}
	last, err := c.lastReviews(ctx, pr, until)
	if err != nil {
		return Approvals{}, err
	}
	makers, err := c.makers(ctx, pull, last)
	if err != nil {
		return Approvals{}, err
	}
	for _, name := range sortedKeys(last) {
		review := last[name]
		state, login := strings.ToUpper(review.GetState()), review.GetUser().GetLogin()
		why := inVain(review, pull, head, makers)
		writes := false
		if state == "CHANGES_REQUESTED" || state == "APPROVED" && why == "" {
			if writes, err = c.writes(ctx, login); err != nil {
				return Approvals{}, err
			}
		}
		switch {
		case state == "CHANGES_REQUESTED" && writes:
			found.ChangesRequestedBy = append(found.ChangesRequestedBy, login)
		case state == "APPROVED" && writes:
			found.By = append(found.By, login)
		case state == "APPROVED":
			found.NotCounted = append(found.NotCounted, fmt.Sprintf("%s (%s)", login, cmp.Or(why, "has no write access")))
		}
	}
	return found, nil
}

// inVain says why an approval does not count whatever access its author has, or "".
func inVain(review *github.PullRequestReview, pull *github.PullRequest, head string, makers map[string]bool) string {
	login := review.GetUser().GetLogin()
	switch {
	case review.GetCommitID() != head:
		return "approved " + cmp.Or(change.Short(review.GetCommitID()), "a commit that is gone")
	case strings.EqualFold(login, pull.GetUser().GetLogin()):
		return "opened it"
	case makers[strings.ToLower(login)]:
		return "made one of its commits"
	}
	return ""
}

// standing reads a pull request and how it stands, without its reviews.
func (c *Client) standing(ctx context.Context, pr int, head string) (*github.PullRequest, Approvals, error) {
	if err := change.CheckCommit("head commit", head); err != nil {
		return nil, Approvals{}, err
	}
	pull, _, err := c.api.PullRequests.Get(ctx, c.owner, c.name, pr)
	if err != nil {
		return nil, Approvals{}, explain(ctx, err, "pull-requests: read", "reading pull request #%d", pr)
	}
	return pull, Approvals{
		Open: pull.GetState() == "open", Draft: pull.GetDraft(), Merged: pull.MergedAt != nil, HeadNow: pull.GetHead().GetSHA(),
	}, nil
}

// Check gives a *change.Refusal with everything that stands against going on with the head of an open pull request, or nil.
// Where no approval is required, drafts and requests for changes don't matter: the head must still be what it was.
func (a Approvals) Check(head string, required int) error {
	var o objections
	o.add(!a.Open, "its pull request is not open", "reopen it")
	o.add(a.HeadNow != head, fmt.Sprintf("the pull request's head is %s now", change.Short(a.HeadNow)), "let the run of the new head go on")
	o.add(required > 0 && a.Draft, "its pull request is a draft", "mark it as ready for review")
	return o.refusal(head, a, required)
}

// CheckMerged is Check for a pull request that was merged, with what [Client.MergedApprovals] gave.
func (a Approvals) CheckMerged(head string, required int) error {
	var o objections
	o.add(!a.Merged, "its pull request was not merged", "merge it")
	o.add(a.HeadNow != head, fmt.Sprintf("the pull request was merged with the head %s", change.Short(a.HeadNow)), "promote that one")
	return o.refusal(head, a, required)
}

// objections are what stands against going on, and what to do about each.
type objections struct{ reasons, fixes []string }

func (o *objections) add(holds bool, reason, fix string) {
	if holds {
		o.reasons, o.fixes = append(o.reasons, reason), append(o.fixes, fix)
	}
}

func (o *objections) refusal(head string, a Approvals, required int) error {
	o.add(required > 0 && len(a.ChangesRequestedBy) > 0, "changes were requested by "+strings.Join(a.ChangesRequestedBy, ", "), "ask for another review")
	short := fmt.Sprintf("%d of %d required approvals are there (of this very commit, by people with write access who had no part in it)", len(a.By), required)
	if len(a.NotCounted) > 0 {
		short += "; not counted: " + strings.Join(a.NotCounted, ", ")
	}
	o.add(len(a.By) < required, short, "have it approved")
	if len(o.reasons) == 0 {
		return nil
	}
	return &change.Refusal{
		Name: "not-approved", Subject: "commit " + change.Short(head),
		Reason: strings.Join(o.reasons, "; "), Fix: strings.Join(slices.Compact(o.fixes), ", "),
	}
}
