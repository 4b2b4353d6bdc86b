package github

import (
	"strings"
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

func TestComments(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	write := func(body string) (*gogithub.IssueComment, error) {
		k, _, err := w.bot.Issues.CreateComment(ctx, owner, name, p.Number, &gogithub.IssueComment{Body: &body})
		return k, err
	}
	first, err := write("<!-- promote -->\nboard")
	check(t, err)
	second, err := write("other")
	check(t, err)

	t.Run("a comment is changed in place", func(t *testing.T) {
		_, _, err := w.bot.Issues.EditComment(ctx, owner, name, first.GetID(), &gogithub.IssueComment{Body: gogithub.Ptr("new board")})
		check(t, err)
		all, _, err := w.bot.Issues.ListComments(ctx, owner, name, p.Number, nil)
		check(t, err)
		if len(all) != 2 || all[0].GetBody() != "new board" || all[0].GetUser().GetLogin() != Bot {
			t.Errorf("got %v", all)
		}
		one, _, err := w.bot.Issues.GetComment(ctx, owner, name, first.GetID())
		check(t, err)
		if one.GetBody() != "new board" {
			t.Errorf("got %v", one)
		}
	})
	t.Run("the pull request counts them", func(t *testing.T) {
		got, _, err := w.bot.PullRequests.Get(ctx, owner, name, p.Number)
		check(t, err)
		if got.GetComments() != 2 {
			t.Errorf("got %d", got.GetComments())
		}
	})
	t.Run("a deleted comment is gone", func(t *testing.T) {
		_, err := w.bot.Issues.DeleteComment(ctx, owner, name, second.GetID())
		check(t, err)
		_, _, err = w.bot.Issues.EditComment(ctx, owner, name, second.GetID(), &gogithub.IssueComment{Body: gogithub.Ptr("x")})
		wantStatus(t, err, 404, "Not Found")
		if all, err := w.repo.Comments(p.Number); err != nil || len(all) != 1 {
			t.Errorf("got %v, %v", all, err)
		}
	})
	t.Run("an empty one, one that is too long and one on nothing are refused", func(t *testing.T) {
		_, err := write(" ")
		wantStatus(t, err, 422, "body")
		_, err = write(strings.Repeat("x", maxComment+1))
		wantStatus(t, err, 422, "too long")
		_, _, err = w.bot.Issues.CreateComment(ctx, owner, name, 77, &gogithub.IssueComment{Body: gogithub.Ptr("x")})
		wantStatus(t, err, 404, "Not Found")
	})
}

// comment writes one as a person.
func (w *world) comment(login string, number int, body string) (*gogithub.IssueComment, error) {
	w.t.Helper()
	k, _, err := w.client(login, everything).Issues.CreateComment(w.t.Context(), owner, name, number, &gogithub.IssueComment{Body: &body})
	return k, err
}
