package github

import (
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

func TestPullRequests(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	ada := w.client("ada", everything)
	head := w.feature("feature")
	request := &gogithub.NewPullRequest{Title: gogithub.Ptr("A feature"), Head: gogithub.Ptr("feature"), Base: gogithub.Ptr("main"), Body: gogithub.Ptr("Why")}

	t.Run("opening one gives its head and that it can be merged", func(t *testing.T) {
		got, _, err := ada.PullRequests.Create(ctx, owner, name, request)
		check(t, err)
		if got.GetNumber() != 1 || got.GetHead().GetSHA() != head || got.GetUser().GetLogin() != "ada" || !got.GetMergeable() || got.GetChangedFiles() != 1 || got.GetBody() != "Why" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("the merge commit of an open one is a trial that is on no branch", func(t *testing.T) {
		got, _, err := w.bot.PullRequests.Get(ctx, owner, name, 1)
		check(t, err)
		trial := got.GetMergeCommitSHA()
		if trial == "" || trial == head || w.git("ls-remote", "origin", "refs/pull/1/merge") != trial+"\trefs/pull/1/merge" {
			t.Errorf("got %q", trial)
		}
	})
	t.Run("the same one again is refused, and so are heads and bases that do not do", func(t *testing.T) {
		_, _, err := ada.PullRequests.Create(ctx, owner, name, request)
		wantStatus(t, err, 422, "A pull request already exists for acme:feature.")
		for field, bad := range map[string]*gogithub.NewPullRequest{
			"head":               {Title: gogithub.Ptr("x"), Head: gogithub.Ptr("nowhere"), Base: gogithub.Ptr("main")},
			"base":               {Title: gogithub.Ptr("x"), Head: gogithub.Ptr("feature"), Base: gogithub.Ptr("nowhere")},
			"title":              {Head: gogithub.Ptr("feature"), Base: gogithub.Ptr("main")},
			"No commits between": {Title: gogithub.Ptr("x"), Head: gogithub.Ptr("main"), Base: gogithub.Ptr("main")},
		} {
			_, _, err := ada.PullRequests.Create(ctx, owner, name, bad)
			wantStatus(t, err, 422, field)
		}
	})
	t.Run("it follows its branch", func(t *testing.T) {
		w.git("checkout", "--quiet", "feature")
		head = w.commit("ada", "more.txt", "more\n", "More")
		w.git("push", "--quiet", "origin", "feature")
		w.git("checkout", "--quiet", "main")
		got, _, err := w.bot.PullRequests.Get(ctx, owner, name, 1)
		check(t, err)
		if got.GetHead().GetSHA() != head || got.GetCommits() != 2 {
			t.Errorf("head is %s with %d commits, want %s with 2", got.GetHead().GetSHA(), got.GetCommits(), head)
		}
	})
	t.Run("its commits and files are listed", func(t *testing.T) {
		commits, _, err := w.bot.PullRequests.ListCommits(ctx, owner, name, 1, nil)
		check(t, err)
		files, _, err := w.bot.PullRequests.ListFiles(ctx, owner, name, 1, nil)
		check(t, err)
		if len(commits) != 2 || commits[1].GetSHA() != head || len(files) != 2 {
			t.Errorf("got commits %v, files %v", commits, files)
		}
	})
	t.Run("it is found by head and state, and closes and opens", func(t *testing.T) {
		closed := func() []*gogithub.PullRequest {
			got, _, err := w.bot.PullRequests.List(ctx, owner, name, &gogithub.PullRequestListOptions{State: "closed", Head: "acme:feature"})
			check(t, err)
			return got
		}
		if got := closed(); len(got) != 0 {
			t.Errorf("got %v before closing", got)
		}
		_, _, err := ada.PullRequests.Edit(ctx, owner, name, 1, &gogithub.PullRequest{State: gogithub.Ptr("closed")})
		check(t, err)
		if got := closed(); len(got) != 1 || got[0].GetNumber() != 1 {
			t.Errorf("got %v after closing", got)
		}
		_, _, err = ada.PullRequests.Edit(ctx, owner, name, 1, &gogithub.PullRequest{State: gogithub.Ptr("open")})
		check(t, err)
	})
	t.Run("it closes when its branch goes", func(t *testing.T) {
		w.git("push", "--quiet", "origin", "--delete", "feature")
		got, _, err := w.bot.PullRequests.Get(ctx, owner, name, 1)
		check(t, err)
		if got.GetState() != "closed" || got.GetMerged() || got.GetHead().GetSHA() != head {
			t.Errorf("got %v", got)
		}
	})
	t.Run("one that does not exist is not found", func(t *testing.T) {
		_, _, err := w.bot.PullRequests.Get(ctx, owner, name, 77)
		wantStatus(t, err, 404, "Not Found")
	})
}

func TestPullRequestsFromForks(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	fork, err := w.repo.Fork(ctx, "mallory")
	check(t, err)
	w.git("checkout", "--quiet", "-b", "evil")
	sha := w.commit("mallory", "evil.txt", "evil\n", "Evil")
	w.git("push", "--quiet", fork.Path(), "evil")
	p, event, err := w.repo.OpenPullRequest(ctx, "mallory:evil", "main", "Nice change", "mallory")
	check(t, err)
	got, _, err := w.bot.PullRequests.Get(ctx, owner, name, p.Number)
	check(t, err)
	if got.GetHead().GetRepo().GetFullName() != "mallory/checkout" || !got.GetHead().GetRepo().GetFork() || got.GetHead().GetSHA() != sha {
		t.Errorf("got head %v", got.GetHead())
	}
	if payload := parse[gogithub.PullRequestEvent](t, event); payload.GetPullRequest().GetHead().GetRepo().GetFullName() != "mallory/checkout" {
		t.Errorf("got %s", event.Payload)
	}
	if w.git("ls-remote", "origin", "refs/pull/1/head") != sha+"\trefs/pull/1/head" {
		t.Error("the fork's commit is not in the repository")
	}
}
