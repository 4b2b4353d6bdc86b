package github

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// Approvals is what GitHub says about a pull request at the moment it was asked.
type Approvals struct {
	// By are the people whose approval counts: of the very head that was asked about, with write access, not the author.
	By []string
	// ChangesRequestedBy are people with write access whose last word is a request for changes, on whatever commit.
	ChangesRequestedBy []string
	Open               bool
	// HeadNow is the head commit of the pull request now.
	HeadNow string
}

// Approvals asks GitHub who approved a commit of a pull request. A later comment does not take an approval back; a later
// request for changes or a dismissal does.
func (c *Client) Approvals(ctx context.Context, pr int, head string) (Approvals, error) {
	if err := change.CheckCommit("head commit", head); err != nil {
		return Approvals{}, err
	}
	pull, _, err := c.api.PullRequests.Get(ctx, c.owner, c.name, pr)
	if err != nil {
		return Approvals{}, explain(ctx, err, "pull-requests: read", "reading pull request #%d", pr)
	}
	last, err := c.lastReviews(ctx, pr)
	if err != nil {
		return Approvals{}, err
	}
	found := Approvals{Open: pull.GetState() == "open", HeadNow: pull.GetHead().GetSHA()}
	for _, review := range last {
		name := review.GetUser().GetLogin()
		state := strings.ToUpper(review.GetState())
		counts := state == "CHANGES_REQUESTED" ||
			state == "APPROVED" && review.GetCommitID() == head && !strings.EqualFold(name, pull.GetUser().GetLogin())
		if !counts {
			continue
		}
		writes, err := c.writes(ctx, name)
		switch {
		case err != nil:
			return Approvals{}, err
		case !writes:
		case state == "APPROVED":
			found.By = append(found.By, name)
		default:
			found.ChangesRequestedBy = append(found.ChangesRequestedBy, name)
		}
	}
	slices.Sort(found.By)
	slices.Sort(found.ChangesRequestedBy)
	return found, nil
}

// lastReviews gives each person's last review that decides something. Bots decide nothing.
func (c *Client) lastReviews(ctx context.Context, pr int) (map[string]*github.PullRequestReview, error) {
	last := map[string]*github.PullRequestReview{}
	options := &github.ListOptions{PerPage: 100}
	for {
		page, response, err := c.api.PullRequests.ListReviews(ctx, c.owner, c.name, pr, options) // oldest first
		if err != nil {
			return nil, explain(ctx, err, "pull-requests: read", "listing the reviews of pull request #%d", pr)
		}
		for _, review := range page {
			name := strings.ToLower(review.GetUser().GetLogin())
			if name == "" || review.GetUser().GetType() == "Bot" {
				continue
			}
			switch strings.ToUpper(review.GetState()) {
			case "APPROVED", "CHANGES_REQUESTED", "DISMISSED":
				last[name] = review
			}
		}
		if response.NextPage == 0 {
			return last, nil
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

// Check gives a *change.Refusal with everything that stands against going on with head, or nil.
func (a Approvals) Check(head string, required int) error {
	var reasons, fixes []string
	if !a.Open {
		reasons = append(reasons, "its pull request is not open")
		fixes = append(fixes, "reopen it")
	}
	if a.HeadNow != head {
		reasons = append(reasons, fmt.Sprintf("the pull request's head is %s now", change.Short(a.HeadNow)))
		fixes = append(fixes, "approve the new head")
	}
	if len(a.ChangesRequestedBy) > 0 {
		reasons = append(reasons, "changes were requested by "+strings.Join(a.ChangesRequestedBy, ", "))
		fixes = append(fixes, "ask for another review")
	}
	if len(a.By) < required {
		reasons = append(reasons, fmt.Sprintf("%d of %d required approvals are there (of this very commit, by people with write access other than the author)", len(a.By), required))
		fixes = append(fixes, "have it approved")
	}
	if len(reasons) == 0 {
		return nil
	}
	return &change.Refusal{
		Subject: "commit " + change.Short(head),
		Reason:  strings.Join(reasons, "; "),
		Fix:     strings.Join(fixes, ", "),
	}
}
