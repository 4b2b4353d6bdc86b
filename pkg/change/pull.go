package change

import (
	"errors"
	"fmt"
	"strings"
)

// dependabot is the account whose runs GitHub gives a read-only token and Dependabot's own secrets, also when a person runs
// them again: https://docs.github.com/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
const dependabot = "dependabot[bot]"

// fromPullRequest reads a pull request. Drafts are built and go to test like others: that is what an author opens one early
// for. A draft goes no further, which the approvals see to: they ask whether it still is one.
func fromPullRequest(p payload) (Change, error) {
	switch p.Action {
	case "opened", "synchronize", "reopened", "ready_for_review":
		return fromPull(p)
	}
	if p.Pull == nil {
		return Change{}, errors.New("reading the payload of event \"pull_request\": it has no pull_request")
	}
	return Change{}, noCommit(p)
}

// noCommit says why an action on a pull request brings nothing to do.
func noCommit(p payload) error {
	subject := fmt.Sprintf("pull request #%d", p.Pull.Number)
	switch p.Action {
	case "closed":
		if p.Pull.Merged {
			return neutral("merged", "%s was merged; the push to %s promotes it", subject, told(p.Pull.Base.Ref))
		}
		return neutral("closed", "%s was closed without a merge", subject)
	case "edited":
		if p.Changes != nil && p.Changes.Base != nil {
			return neutral("base-changed", "%s goes to %s now and no longer to %s: its head commit is the same, so its image and its tests are; "+
				"whether they hold on the new branch is checked at the merge, by the tree", subject, told(p.Pull.Base.Ref), told(p.Changes.Base.Ref.From))
		}
		return neutral("edited", "of %s a text was edited", subject)
	case "converted_to_draft":
		return neutral("converted-to-draft", "%s is a draft now and its commit is the same", subject)
	case "enqueued":
		return neutral("enqueued", "%s waits in the merge queue, which makes a commit of its own and announces it as a merge_group", subject)
	case "dequeued":
		return neutral("dequeued", "%s left the merge queue", subject)
	case "assigned", "unassigned", "labeled", "unlabeled", "locked", "unlocked", "milestoned", "demilestoned",
		"review_requested", "review_request_removed", "auto_merge_enabled", "auto_merge_disabled":
		return neutral("no-commit", "%q on %s brings no new commit", p.Action, subject)
	}
	// GitHub adds actions; one that is new must not fail everybody's pull requests.
	return neutral("unknown-action", "promote does not know %q on %s, and takes it for one that brings no new commit", bounded(p.Action), subject)
}

// fromReview reads a review. What it says is asked of the API again before anything is done.
func fromReview(p payload) (Change, error) {
	switch p.Action {
	case "submitted":
	case "dismissed":
		return Change{}, neutral("review-dismissed", "a review that was dismissed is no approval; a run that has not moved traffic yet sees that by itself")
	case "edited":
		return Change{}, neutral("review-edited", "the text of a review was edited")
	default:
		return Change{}, neutral("unknown-action", "a review that was %q is no approval", bounded(p.Action))
	}
	if p.Review == nil {
		return Change{}, errors.New("reading the payload of event \"pull_request_review\": it has no review")
	}
	// Webhooks say "approved" where the REST API says "APPROVED".
	switch strings.ToLower(p.Review.State) {
	case "approved":
	case "commented":
		return Change{}, neutral("review-commented", "a review with the state \"commented\" is no approval")
	case "changes_requested":
		return Change{}, neutral("changes-requested", "a review asks for changes, so the pull request goes no further until they are there")
	default:
		return Change{}, neutral("not-an-approval", "a review with the state %q is no approval", bounded(p.Review.State))
	}
	c, err := fromPull(p)
	if at := p.Review.CommitID; err == nil && at != "" && at != c.Head {
		// The reviewer's page was older than the pull request.
		return Change{}, neutral("stale-approval", "the approval is of commit %s, and the head of pull request #%d is %s",
			told(Short(at)), c.PullRequest, Short(c.Head))
	}
	return c, err
}

func fromReviewComment(payload) (Change, error) {
	return Change{}, neutral("review-comment", "a comment on a line is no approval; take pull_request_review_comment out of the workflow's on:")
}

// fromPull reads the pull request of an event that may start something.
func fromPull(p payload) (Change, error) {
	pr := p.Pull
	if pr == nil {
		return Change{}, errors.New("reading the payload: it has no pull_request")
	}
	if pr.Number <= 0 {
		return Change{}, fmt.Errorf("reading pull_request.number %d: not a pull request's number", pr.Number)
	}
	switch {
	case pr.State != "open":
		return Change{}, neutral("closed", "pull request #%d is %s", pr.Number, told(pr.State))
	case pr.Head.Repo == nil || !strings.EqualFold(pr.Head.Repo.FullName, p.Repository.FullName):
		return Change{}, neutral("fork", "pull request #%d comes from a fork, and forks get no environment and no secret", pr.Number)
	case p.Sender.Login == dependabot:
		// Its commits run code that nobody here has read, which GitHub treats like a fork's. A person who reopens the pull
		// request or pushes to its branch is the sender of that event and vouches for it; unit tests run on push anyway.
		return Change{}, neutral("dependabot", "Dependabot itself moved pull request #%d, and like a fork's its code gets no environment and no secret before a person vouches for it: "+
			"close and reopen it, or push to its branch; running this job again does not help, since GitHub keeps the first run's rights", pr.Number)
	}
	c := Change{
		PullRequest: pr.Number, Head: pr.Head.SHA, HeadRef: pr.Head.Ref, BaseRef: pr.Base.Ref,
		Title: titled(pr.Title), Author: told(pr.User.Login),
	}
	return c, errors.Join(
		CheckCommit("pull_request.head.sha", c.Head),
		checkRef("pull_request.head.ref", c.HeadRef),
		checkRef("pull_request.base.ref", c.BaseRef),
	)
}
