package github

import (
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

func TestReviews(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	as := func(login string) func(event, body string) (*gogithub.PullRequestReview, error) {
		c := w.client(login, everything)
		return func(event, body string) (*gogithub.PullRequestReview, error) {
			request := &gogithub.PullRequestReviewRequest{Event: &event}
			if body != "" {
				request.Body = &body
			}
			v, _, err := c.PullRequests.CreateReview(ctx, owner, name, p.Number, request)
			return v, err
		}
	}
	var approval *gogithub.PullRequestReview
	t.Run("an approval is of the head it was made on", func(t *testing.T) {
		var err error
		approval, err = as("grace")("APPROVE", "")
		check(t, err)
		if approval.GetState() != Approved || approval.GetCommitID() != p.Head || approval.GetAuthorAssociation() != "COLLABORATOR" {
			t.Errorf("got %v", approval)
		}
		w.git("checkout", "--quiet", "feature")
		w.commit("ada", "late.txt", "late\n", "Late")
		w.push("feature")
		all, _, err := w.bot.PullRequests.ListReviews(ctx, owner, name, p.Number, nil)
		check(t, err)
		if len(all) != 1 || all[0].GetCommitID() != p.Head {
			t.Errorf("got %v, want one review of %s", all, p.Head)
		}
	})
	t.Run("nobody approves their own, and neither does the bot", func(t *testing.T) {
		_, err := as("ada")("APPROVE", "")
		wantStatus(t, err, 422, "Can not approve your own pull request")
		_, err = as("ada")("REQUEST_CHANGES", "no")
		wantStatus(t, err, 422, "your own pull request")
		_, err = as(Bot)("APPROVE", "")
		wantStatus(t, err, 422, "not permitted to approve")
	})
	t.Run("a comment and a change request need words", func(t *testing.T) {
		_, err := as("grace")("COMMENT", "")
		wantStatus(t, err, 422, "")
		_, err = as("grace")("REQUEST_CHANGES", "")
		wantStatus(t, err, 422, "")
		_, err = as("grace")("REQUEST_CHANGES", "Please explain")
		check(t, err)
	})
	t.Run("someone who only reads may approve, and their permission says what it is worth", func(t *testing.T) {
		_, err := as("linus")("APPROVE", "")
		check(t, err)
		for login, want := range map[string]string{"linus": Read, "ada": Write, "grace": Admin, "mallory": "none"} {
			got, _, err := w.bot.Repositories.GetPermissionLevel(ctx, owner, name, login)
			check(t, err)
			if got.GetPermission() != want {
				t.Errorf("%s has %q, want %q", login, got.GetPermission(), want)
			}
		}
		_, _, err = w.bot.Repositories.GetPermissionLevel(ctx, owner, name, "nobody")
		wantStatus(t, err, 404, "Not Found")
	})
	t.Run("a pending review is seen by its author alone", func(t *testing.T) {
		grace := w.client("grace", everything)
		v, _, err := grace.PullRequests.CreateReview(ctx, owner, name, p.Number, &gogithub.PullRequestReviewRequest{})
		check(t, err)
		mine, _, err := grace.PullRequests.ListReviews(ctx, owner, name, p.Number, nil)
		check(t, err)
		theirs, _, err := w.bot.PullRequests.ListReviews(ctx, owner, name, p.Number, nil)
		check(t, err)
		if v.GetState() != Pending || len(mine) != len(theirs)+1 {
			t.Errorf("got %s; the author sees %d reviews, others %d", v.GetState(), len(mine), len(theirs))
		}
	})
	t.Run("a dismissed approval is one no longer", func(t *testing.T) {
		message := &gogithub.PullRequestReviewDismissalRequest{Message: gogithub.Ptr("Too old")}
		got, _, err := w.bot.PullRequests.DismissReview(ctx, owner, name, p.Number, approval.GetID(), message)
		check(t, err)
		if got.GetState() != Dismissed {
			t.Errorf("got %s", got.GetState())
		}
		_, _, err = w.bot.PullRequests.DismissReview(ctx, owner, name, p.Number, approval.GetID(), message)
		wantStatus(t, err, 422, "Can not dismiss a dismissed")
	})
}
