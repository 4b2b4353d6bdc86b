package github

import (
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

func TestCommits(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	main := w.git("rev-parse", "main")
	tree := w.git("rev-parse", "main^{tree}")
	branch := "fix/slash"
	sha := w.feature(branch)

	t.Run("a git commit has its tree", func(t *testing.T) {
		got, _, err := w.bot.Git.GetCommit(ctx, owner, name, main)
		check(t, err)
		if got.GetTree().GetSHA() != tree || got.GetMessage() != "First commit" {
			t.Errorf("got tree %s and message %q, want %s", got.GetTree().GetSHA(), got.GetMessage(), tree)
		}
	})
	t.Run("a commit has its author's account, its parent and its files", func(t *testing.T) {
		got, _, err := w.bot.Repositories.GetCommit(ctx, owner, name, branch, nil)
		check(t, err)
		if got.GetSHA() != sha || got.GetAuthor().GetLogin() != "ada" || got.Parents[0].GetSHA() != main || got.GetCommit().GetTree().GetSHA() != w.git("rev-parse", branch+"^{tree}") {
			t.Errorf("got %v", got)
		}
		if len(got.Files) != 1 || got.Files[0].GetFilename() != branch+".txt" || got.Files[0].GetStatus() != "added" || got.GetStats().GetAdditions() != 1 {
			t.Errorf("got files %v and stats %v", got.Files, got.Stats)
		}
	})
	t.Run("a ref's SHA comes as plain text when asked so", func(t *testing.T) {
		got, _, err := w.bot.Repositories.GetCommitSHA1(ctx, owner, name, "main", "")
		check(t, err)
		if got != main {
			t.Errorf("got %q, want %q", got, main)
		}
	})
	t.Run("an unknown commit is refused", func(t *testing.T) {
		const gone = "0123456789012345678901234567890123456789"
		_, _, err := w.bot.Git.GetCommit(ctx, owner, name, gone)
		wantStatus(t, err, 404, "Not Found")
		_, _, err = w.bot.Git.GetCommit(ctx, owner, name, main[:7])
		wantStatus(t, err, 422, "exactly 40 characters")
		_, _, err = w.bot.Repositories.GetCommit(ctx, owner, name, "nowhere", nil)
		wantStatus(t, err, 422, "No commit found for SHA: nowhere")
		_, _, err = w.bot.Repositories.GetCommit(ctx, owner, name, "--output=x", nil)
		wantStatus(t, err, 422, "No commit found")
	})
	t.Run("a history is paged newest first", func(t *testing.T) {
		page := &gogithub.CommitsListOptions{SHA: branch, ListOptions: gogithub.ListOptions{PerPage: 1}}
		first, answer, err := w.bot.Repositories.ListCommits(ctx, owner, name, page)
		check(t, err)
		if len(first) != 1 || first[0].GetSHA() != sha || answer.NextPage != 2 || answer.LastPage != 2 {
			t.Fatalf("got %v, next %d, last %d", first, answer.NextPage, answer.LastPage)
		}
		page.Page = 2
		second, answer, err := w.bot.Repositories.ListCommits(ctx, owner, name, page)
		check(t, err)
		if len(second) != 1 || second[0].GetSHA() != main || answer.NextPage != 0 || answer.PrevPage != 1 {
			t.Errorf("got %v, next %d, previous %d", second, answer.NextPage, answer.PrevPage)
		}
	})
	t.Run("a branch and a ref give their commit", func(t *testing.T) {
		b, _, err := w.bot.Repositories.GetBranch(ctx, owner, name, branch, 0)
		check(t, err)
		ref, _, err := w.bot.Git.GetRef(ctx, owner, name, "heads/"+branch)
		check(t, err)
		if b.GetCommit().GetSHA() != sha || ref.GetObject().GetSHA() != sha {
			t.Errorf("branch is %s, ref is %s, want %s", b.GetCommit().GetSHA(), ref.GetObject().GetSHA(), sha)
		}
		_, _, err = w.bot.Git.GetRef(ctx, owner, name, "heads/fix")
		wantStatus(t, err, 404, "Not Found")
	})
	t.Run("a tree lists its files", func(t *testing.T) {
		got, _, err := w.bot.Git.GetTree(ctx, owner, name, sha, true)
		check(t, err)
		if got.GetSHA() != w.git("rev-parse", sha+"^{tree}") || len(got.Entries) != 3 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a repository tells what it is", func(t *testing.T) {
		got, _, err := w.bot.Repositories.Get(ctx, owner, name)
		check(t, err)
		if got.GetDefaultBranch() != "main" || !got.GetPrivate() || got.GetOwner().GetType() != "Organization" {
			t.Errorf("got %v", got)
		}
	})
}

func TestCompare(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.feature("feature")
	compare := func(base, head string) *gogithub.CommitsComparison {
		t.Helper()
		got, _, err := w.bot.Repositories.CompareCommits(ctx, owner, name, base, head, nil)
		check(t, err)
		return got
	}
	t.Run("a branch is ahead of where it left", func(t *testing.T) {
		got := compare("main", "feature")
		if got.GetStatus() != "ahead" || got.GetAheadBy() != 1 || len(got.Commits) != 1 || len(got.Files) != 1 {
			t.Errorf("got %v", got)
		}
		if got := compare("feature", "feature"); got.GetStatus() != "identical" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("after main went on, the two diverge and the missing commits are named", func(t *testing.T) {
		missing := w.commit("grace", "other.txt", "x\n", "Go on")
		w.push("main")
		if got := compare("main", "feature"); got.GetStatus() != "diverged" || got.GetBehindBy() != 1 {
			t.Errorf("got %v", got)
		}
		if got := compare("feature", "main"); len(got.Commits) != 1 || got.Commits[0].GetSHA() != missing {
			t.Errorf("got %v, want the commit %s", got.Commits, missing)
		}
	})
	t.Run("what cannot be compared is not found", func(t *testing.T) {
		_, _, err := w.bot.Repositories.CompareCommits(ctx, owner, name, "main", "nowhere", nil)
		wantStatus(t, err, 404, "Not Found")
	})
}
