package github

import (
	"strings"
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

func TestMerge(t *testing.T) {
	for _, test := range []struct {
		method, message, author string
		parents                 int
	}{
		{MergeCommit, "Merge pull request #1 from acme/feature\n\nAdd feature", "Grace", 2},
		{Squash, "Add feature (#1)", "Ada", 1},
		{Rebase, "Add feature", "ada", 1},
	} {
		t.Run(test.method+" puts the head's tree on main as a commit of its own", func(t *testing.T) {
			w := newWorld(t)
			ctx := t.Context()
			p := w.pull("feature")
			merged, err := w.repo.Merge(ctx, p.Number, test.method, "grace")
			check(t, err)
			w.git("fetch", "--quiet", "origin")
			show := func(format string) string { return w.git("show", "--no-patch", "--format="+format, "origin/main") }
			if show("%H") != merged.SHA || merged.SHA == p.Head || w.git("rev-parse", merged.SHA+"^{tree}") != w.git("rev-parse", p.Head+"^{tree}") {
				t.Errorf("main is %s, merged as %s, head %s", show("%H"), merged.SHA, p.Head)
			}
			if show("%B") != test.message || show("%an") != test.author || show("%cn") != "GitHub" || len(strings.Fields(show("%P"))) != test.parents {
				t.Errorf("got message %q by %s, committed by %s, parents %s", show("%B"), show("%an"), show("%cn"), show("%P"))
			}

			found, _, err := w.bot.PullRequests.ListPullRequestsWithCommit(ctx, owner, name, merged.SHA, nil)
			check(t, err)
			if len(found) != 1 || found[0].GetMergeCommitSHA() != merged.SHA || found[0].GetHead().GetSHA() != p.Head {
				t.Errorf("commit %s belongs to %v", merged.SHA, found)
			}
			isMerged, _, err := w.bot.PullRequests.IsMerged(ctx, owner, name, p.Number)
			if err != nil || !isMerged {
				t.Errorf("merged is %v, %v", isMerged, err)
			}
		})
	}
}

func TestMergeOntoAMainThatWentOn(t *testing.T) {
	for _, method := range []string{MergeCommit, Squash, Rebase} {
		t.Run(method+" keeps both sides, so that the tree is not the head's", func(t *testing.T) {
			w := newWorld(t)
			p := w.pull("feature")
			w.commit("grace", "other.txt", "x\n", "Go on")
			w.push("main")
			merged, err := w.repo.Merge(t.Context(), p.Number, method, "grace")
			check(t, err)
			w.git("fetch", "--quiet", "origin")
			if files := w.git("ls-tree", "--name-only", merged.SHA); files != "README.md\nfeature.txt\nother.txt" {
				t.Errorf("got files %q", files)
			}
		})
	}
}

func TestMergeRefusals(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	merge := func(n int, o *gogithub.PullRequestOptions) error {
		_, _, err := w.bot.PullRequests.Merge(ctx, owner, name, n, "", o)
		return err
	}
	t.Run("a head that is not the expected one is a conflict", func(t *testing.T) {
		wantStatus(t, merge(p.Number, &gogithub.PullRequestOptions{SHA: p.Base}), 409, "Head branch was modified")
	})
	t.Run("an unknown method is invalid", func(t *testing.T) {
		wantStatus(t, merge(p.Number, &gogithub.PullRequestOptions{MergeMethod: "octopus"}), 422, "merge_method")
	})
	t.Run("changes that conflict are not mergeable by any method", func(t *testing.T) {
		w.git("checkout", "--quiet", "-b", "clash", "main")
		w.commit("ada", "README.md", "theirs\n", "Theirs")
		w.push("clash")
		q, _, err := w.repo.OpenPullRequest(ctx, "clash", "main", "Clash", "ada")
		check(t, err)
		w.git("checkout", "--quiet", "main")
		w.commit("grace", "README.md", "ours\n", "Ours")
		w.push("main")
		before := w.git("rev-parse", "main")
		got, _, err := w.bot.PullRequests.Get(ctx, owner, name, q.Number)
		check(t, err)
		if got.GetMergeable() || got.GetMergeableState() != "dirty" {
			t.Errorf("mergeable is %v, %s", got.GetMergeable(), got.GetMergeableState())
		}
		for _, method := range []string{MergeCommit, Squash, Rebase} {
			wantStatus(t, merge(q.Number, &gogithub.PullRequestOptions{MergeMethod: method}), 405, "not mergeable")
		}
		if after := w.git("ls-remote", "origin", "refs/heads/main"); !strings.HasPrefix(after, before) {
			t.Errorf("main moved from %s to %s", before, after)
		}
	})
	t.Run("one that is merged cannot be merged again", func(t *testing.T) {
		check(t, merge(p.Number, &gogithub.PullRequestOptions{SHA: p.Head, MergeMethod: Squash}))
		wantStatus(t, merge(p.Number, nil), 405, "not mergeable")
	})
}

func TestPullRequestsOfACommit(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	of := func(sha string) []*gogithub.PullRequest {
		t.Helper()
		got, _, err := w.bot.PullRequests.ListPullRequestsWithCommit(ctx, owner, name, sha, nil)
		check(t, err)
		return got
	}
	t.Run("a direct push has none", func(t *testing.T) {
		if got := of(w.git("rev-parse", "main")); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("an open one is found by its head", func(t *testing.T) {
		if got := of(p.Head); len(got) != 1 || got[0].GetState() != "open" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("right after a merge the answer may lag", func(t *testing.T) {
		merged, err := w.repo.Merge(ctx, p.Number, Squash, "grace")
		check(t, err)
		w.server.LagAssociations(2)
		if a, b, c := of(merged.SHA), of(merged.SHA), of(merged.SHA); len(a) != 0 || len(b) != 0 || len(c) != 1 {
			t.Errorf("got %d, %d, %d; want 0, 0, 1", len(a), len(b), len(c))
		}
	})
	t.Run("an unknown commit is refused", func(t *testing.T) {
		_, _, err := w.bot.PullRequests.ListPullRequestsWithCommit(ctx, owner, name, "deadbeef", nil)
		wantStatus(t, err, 422, "No commit found for SHA: deadbeef")
	})
}
