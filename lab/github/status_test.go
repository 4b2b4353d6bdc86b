package github

import (
	"fmt"
	"strings"
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

func TestStatuses(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	sha := w.git("rev-parse", "main")
	set := func(state, context, description string) error {
		_, _, err := w.bot.Repositories.CreateStatus(ctx, owner, name, sha, gogithub.RepoStatus{
			State: &state, Context: &context, Description: &description, TargetURL: gogithub.Ptr("https://ci.example.com/1"),
		})
		return err
	}
	combined := func() *gogithub.CombinedStatus {
		t.Helper()
		got, _, err := w.bot.Repositories.GetCombinedStatus(ctx, owner, name, "main", nil)
		check(t, err)
		return got
	}
	t.Run("nothing is pending", func(t *testing.T) {
		if got := combined(); got.GetState() != "pending" || got.GetTotalCount() != 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("the newest of each context counts", func(t *testing.T) {
		check(t, set("failure", "promote/unit-test", "2 failed"))
		check(t, set("pending", "promote/build", ""))
		if got := combined().GetState(); got != "failure" {
			t.Errorf("got %s", got)
		}
		check(t, set("success", "promote/unit-test", strings.Repeat("ä", 140)))
		if got := combined(); got.GetState() != "pending" || got.GetTotalCount() != 2 {
			t.Errorf("got %v", got)
		}
		check(t, set("success", "promote/build", ""))
		if got := combined().GetState(); got != "success" {
			t.Errorf("got %s", got)
		}
		all, _, err := w.bot.Repositories.ListStatuses(ctx, owner, name, sha, nil)
		check(t, err)
		if len(all) != 4 || all[0].GetContext() != "promote/build" || all[3].GetState() != "failure" {
			t.Errorf("got %v", all)
		}
		if all[0].GetCreator().GetLogin() != Bot {
			t.Errorf("made by %s", all[0].GetCreator().GetLogin())
		}
	})
	t.Run("what GitHub refuses is refused", func(t *testing.T) {
		wantStatus(t, set("passed", "x", ""), 422, "state is not included in the list")
		wantStatus(t, set("success", "x", strings.Repeat("ä", 141)), 422, "maximum is 140 characters")
		_, _, err := w.bot.Repositories.CreateStatus(ctx, owner, name, sha, gogithub.RepoStatus{State: gogithub.Ptr("success"), TargetURL: gogithub.Ptr("ftp://x")})
		wantStatus(t, err, 422, "must use http(s) scheme")
		for _, gone := range []string{"0123456789012345678901234567890123456789", sha[:8], "main"} {
			_, _, err := w.bot.Repositories.CreateStatus(ctx, owner, name, gone, gogithub.RepoStatus{State: gogithub.Ptr("success")})
			wantStatus(t, err, 422, "No commit found for SHA: "+gone)
		}
		if got, err := w.repo.Statuses(sha); err != nil || len(got) != 4 {
			t.Errorf("there are %d statuses (%v), want the 4 from before", len(got), err)
		}
	})
	t.Run("lists are paged", func(t *testing.T) {
		for i := range 32 {
			check(t, set("success", fmt.Sprintf("context-%d", i), ""))
		}
		_, answer, err := w.bot.Repositories.ListStatuses(ctx, owner, name, sha, nil)
		check(t, err)
		second, _, err := w.bot.Repositories.ListStatuses(ctx, owner, name, sha, &gogithub.ListOptions{Page: answer.NextPage})
		check(t, err)
		if len(second) != 6 {
			t.Errorf("the second page has %d statuses, want 6", len(second))
		}
	})
	t.Run("a commit and context has room for a thousand", func(t *testing.T) {
		repo := w.server.state.Repos["acme/checkout"]
		for range maxStatuses {
			repo.Statuses = append(repo.Statuses, &Status{SHA: sha, Context: "full", State: "pending"})
		}
		wantStatus(t, set("success", "Full", ""), 422, "maximum number of statuses")
	})
}
