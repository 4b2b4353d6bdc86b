package github

import (
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

func TestMergeQueue(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p, q := w.pull("f"), w.pull("g")
	onto := w.git("rev-parse", "main")
	g, err := w.repo.Queue(ctx, Squash, "grace", p.Number, q.Number)
	check(t, err)

	t.Run("asks for checks of a commit on a branch of its own", func(t *testing.T) {
		got := parse[gogithub.MergeGroupEvent](t, g.Requested)
		if got.GetAction() != "checks_requested" || got.GetMergeGroup().GetHeadSHA() != g.Head || got.GetMergeGroup().GetBaseSHA() != onto {
			t.Errorf("got %s", g.Requested.Payload)
		}
		if tip := w.git("ls-remote", "origin", "refs/heads/"+g.Branch); tip != g.Head+"\trefs/heads/"+g.Branch {
			t.Errorf("the branch is %q, want %s", tip, g.Head)
		}
	})
	t.Run("moves main once, and each pull request has a merge commit of its own", func(t *testing.T) {
		merged, err := w.repo.Land(ctx, g, "grace")
		check(t, err)
		push := parse[gogithub.PushEvent](t, merged.Push)
		if push.GetBefore() != onto || push.GetAfter() != g.Head || len(push.Commits) != 2 {
			t.Errorf("got %s", merged.Push.Payload)
		}
		first, err := w.repo.PullRequest(ctx, p.Number)
		check(t, err)
		second, err := w.repo.PullRequest(ctx, q.Number)
		check(t, err)
		w.git("fetch", "--quiet", "origin")
		if !first.Merged || !second.Merged || second.MergeSHA != g.Head || first.MergeSHA != w.git("rev-parse", g.Head+"~1") {
			t.Errorf("got %+v and %+v", first, second)
		}
		if tip := w.git("ls-remote", "origin", "refs/heads/"+g.Branch); tip != "" {
			t.Errorf("the branch is still there: %q", tip)
		}
	})
	t.Run("a group is worthless once main has moved", func(t *testing.T) {
		w.sync()
		r := w.pull("h")
		late, err := w.repo.Queue(ctx, Rebase, "grace", r.Number)
		check(t, err)
		w.moveMain("x.txt", "x\n", "Go on")
		if _, err := w.repo.Land(ctx, late, "grace"); err == nil {
			t.Error("it landed")
		}
	})
	t.Run("drafts and what is closed do not get in", func(t *testing.T) {
		r := w.pull("i")
		_, err := w.repo.SetDraft(ctx, r.Number, true, "ada")
		check(t, err)
		for _, n := range []int{r.Number, p.Number, 77} {
			if _, err := w.repo.Queue(ctx, Squash, "grace", n); err == nil {
				t.Errorf("pull request %d got in", n)
			}
		}
	})
}

func TestBaseBranch(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("f")
	w.git("push", "--quiet", "origin", "main:release")
	got, _, err := w.bot.PullRequests.Edit(ctx, owner, name, p.Number, &gogithub.PullRequest{Base: &gogithub.PullRequestBranch{Ref: gogithub.Ptr("release")}})
	check(t, err)
	if got.GetBase().GetRef() != "release" {
		t.Errorf("got %v", got.GetBase())
	}
	all := w.server.Events()
	edited := parse[gogithub.PullRequestEvent](t, all[len(all)-1])
	if edited.GetAction() != "edited" || edited.GetChanges().GetBase().GetRef().GetFrom() != "main" {
		t.Errorf("got %s", all[len(all)-1].Payload)
	}
	_, _, err = w.bot.PullRequests.Edit(ctx, owner, name, p.Number, &gogithub.PullRequest{Base: &gogithub.PullRequestBranch{Ref: gogithub.Ptr("nowhere")}})
	wantStatus(t, err, 422, "base")
}

func TestWhoAmI(t *testing.T) {
	w := newWorld(t)
	got, _, err := w.client("ada", everything).Users.Get(t.Context(), "")
	check(t, err)
	if got.GetLogin() != "ada" {
		t.Errorf("got %v", got)
	}
	_, _, err = w.bot.Users.Get(t.Context(), "")
	wantStatus(t, err, 403, "Resource not accessible by integration")
	_, _, err = w.clientWith("").Users.Get(t.Context(), "")
	wantStatus(t, err, 401, "Requires authentication")
}
