package github

import (
	"errors"
	"slices"
	"strings"
	"testing"

	gogithub "github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// TestApprovalsFollowWhatHappensToThePullRequest asks, as an action does, right before traffic would move.
func TestApprovalsFollowWhatHappensToThePullRequest(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	c := w.promote(map[string]string{"contents": Read, "pull-requests": Read})
	ch := change.Change{PullRequest: p.Number, Head: p.Head}
	approve := func(login string) {
		t.Helper()
		_, err := w.repo.Approve(ctx, p.Number, login)
		check(t, err)
	}
	goes := func(t *testing.T, by ...string) {
		t.Helper()
		got, err := c.MayGo(ctx, ch, 1)
		check(t, err)
		if !slices.Equal(got.By, by) {
			t.Errorf("approved by %v, want %v", got.By, by)
		}
	}
	stops := func(t *testing.T, text string) {
		t.Helper()
		_, err := c.MayGo(ctx, ch, 1)
		if refusal := new(change.Refusal); !errors.As(err, &refusal) || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want a refusal with %q", err, text)
		}
	}
	push := func(args ...string) {
		t.Helper()
		w.git(append([]string{"push", "--quiet", "--force", "origin"}, args...)...)
		_, err := w.repo.PushBranch(ctx, "feature", "ada")
		check(t, err)
	}

	stops(t, "0 of 1 required approvals")
	approve("grace")
	t.Run("an approval of the head lets it go", func(t *testing.T) { goes(t, "grace") })
	t.Run("a draft stops it", func(t *testing.T) {
		_, err := w.repo.SetDraft(ctx, p.Number, true, "ada")
		check(t, err)
		stops(t, "is a draft")
		_, err = w.repo.SetDraft(ctx, p.Number, false, "ada")
		check(t, err)
		goes(t, "grace")
	})
	t.Run("a reviewer who has lost access counts no more", func(t *testing.T) {
		check(t, w.repo.Grant("grace", Read))
		stops(t, "grace (has no write access)")
		check(t, w.repo.Grant("grace", Admin))
	})
	t.Run("a force-push to another commit takes no approval along", func(t *testing.T) {
		w.git("checkout", "--quiet", "-B", "feature", "main")
		ch.Head = w.commit("ada", "feature.txt", "other\n", "Add feature, differently")
		push("feature")
		stops(t, "grace (approved "+p.Head[:7]+")")
		t.Run("and the run of the old head stops, approved as it was", func(t *testing.T) {
			old := change.Change{PullRequest: p.Number, Head: p.Head}
			if _, err := c.MayGo(ctx, old, 1); err == nil || !strings.Contains(err.Error(), "head is "+ch.Head[:7]+" now") {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("who adds a commit can't approve it", func(t *testing.T) {
		check(t, w.repo.Grant("linus", Write))
		ch.Head = w.commit("linus", "more.txt", "more\n", "More")
		push("feature")
		approve("linus")
		stops(t, "linus (made one of its commits)")
		approve("grace")
		goes(t, "grace")
	})
	t.Run("a dismissal takes an approval away", func(t *testing.T) {
		ada := w.client("ada", everything)
		all, _, err := ada.PullRequests.ListReviews(ctx, owner, name, p.Number, nil)
		check(t, err)
		_, _, err = ada.PullRequests.DismissReview(ctx, owner, name, p.Number, all[len(all)-1].GetID(), &gogithub.PullRequestReviewDismissalRequest{Message: gogithub.Ptr("Not yet")})
		check(t, err)
		stops(t, "0 of 1 required approvals")
		approve("grace")
		goes(t, "grace")
	})
	merged := w.merge(p.Number, Squash)
	t.Run("the close stops what is on its way to stage", func(t *testing.T) { stops(t, "is not open") })
	ch.Merge = merged
	t.Run("what was approved at the merge goes to production", func(t *testing.T) { goes(t, "grace") })
	t.Run("a request for changes after the merge stops it", func(t *testing.T) {
		_, err := w.repo.Review(ctx, p.Number, "grace", "REQUEST_CHANGES", "Stop!")
		check(t, err)
		stops(t, "changes were requested by grace")
	})
}
