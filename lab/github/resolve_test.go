package github

import (
	"errors"
	"strings"
	"testing"

	"github.com/org/promote/pkg/change"
)

// sync brings the work tree's main to what is on the server.
func (w *world) sync() {
	w.t.Helper()
	w.git("checkout", "--quiet", "main")
	w.git("pull", "--quiet", "--ff-only", "origin", "main")
}

// moveMain pushes a commit of its own to main and returns it.
func (w *world) moveMain(path, content, message string) string {
	w.t.Helper()
	w.sync()
	sha := w.commit("grace", path, content, message)
	w.push("main")
	return sha
}

// several is a pull request of three commits.
func (w *world) several(branch string) PullRequest {
	w.t.Helper()
	w.git("checkout", "--quiet", "-b", branch, "main")
	for _, n := range []string{"one", "two", "three"} {
		w.commit("ada", branch+"-"+n+".txt", n+"\n", "Add "+n)
	}
	w.push(branch)
	w.git("checkout", "--quiet", "main")
	p, _, err := w.repo.OpenPullRequest(w.t.Context(), branch, "main", "Add three", "ada")
	check(w.t, err)
	return p
}

func (w *world) merge(number int, method string) string {
	w.t.Helper()
	merged, err := w.repo.Merge(w.t.Context(), number, method, "grace")
	check(w.t, err)
	return merged.SHA
}

// landed is what a way of landing gives: the commit that main ends with, and the pull request whose head it must lead to,
// or texts that must be in the refusal.
type landed struct {
	sha     string
	pull    PullRequest
	refusal []string
}

func TestEveryWayToMainLeadsToTheTestedHeadOrToARefusal(t *testing.T) {
	for _, test := range []struct {
		name string
		land func(*world) landed
	}{
		{"a merge commit", func(w *world) landed {
			p := w.several("f")
			return landed{sha: w.merge(p.Number, MergeCommit), pull: p}
		}},
		{"a squash of several commits", func(w *world) landed {
			p := w.several("f")
			return landed{sha: w.merge(p.Number, Squash), pull: p}
		}},
		{"a rebase of several commits, by the last of them", func(w *world) landed {
			p := w.several("f")
			return landed{sha: w.merge(p.Number, Rebase), pull: p}
		}},
		{"a rebase, by one in the middle", func(w *world) landed {
			p := w.several("f")
			tip := w.merge(p.Number, Rebase)
			w.sync()
			return landed{sha: w.git("rev-parse", "main~1"), refusal: []string{"one of several commits of pull request #1", tip[:7]}}
		}},
		{"a fast-forward to the head by hand", func(w *world) landed {
			p := w.several("f")
			w.git("push", "--quiet", "origin", "f:main")
			_, err := w.repo.PushBranch(w.t.Context(), "main", "grace")
			check(w.t, err)
			return landed{sha: p.Head, pull: p}
		}},
		{"a merge that a person made and pushed", func(w *world) landed {
			p := w.several("f")
			w.git("-c", "user.name=grace", "-c", "user.email=grace@example.com", "merge", "--quiet", "--no-ff", "-m", "By hand", "f")
			w.push("main")
			return landed{sha: w.git("rev-parse", "main"), pull: p}
		}},
		{"a merge by hand that changes files on the way", func(w *world) landed {
			p := w.several("f")
			w.git("-c", "user.name=grace", "-c", "user.email=grace@example.com", "merge", "--quiet", "--no-ff", "--no-commit", "f")
			sha := w.commit("grace", "sneaked.txt", "x\n", "By hand")
			w.push("main")
			return landed{sha: sha, refusal: []string{"the tree of " + p.Head[:7], "the merge itself changed files"}}
		}},
		{"a merge queue's squash", func(w *world) landed {
			p := w.several("f")
			g, err := w.repo.Queue(w.t.Context(), Squash, "grace", p.Number)
			check(w.t, err)
			merged, err := w.repo.Land(w.t.Context(), g, "grace")
			check(w.t, err)
			return landed{sha: merged.SHA, pull: p}
		}},
		{"a merge queue's merge commit", func(w *world) landed {
			p := w.pull("f")
			g, err := w.repo.Queue(w.t.Context(), MergeCommit, "grace", p.Number)
			check(w.t, err)
			merged, err := w.repo.Land(w.t.Context(), g, "grace")
			check(w.t, err)
			return landed{sha: merged.SHA, pull: p}
		}},
		{"a merge queue with two: nobody has tested both together", func(w *world) landed {
			p, q := w.pull("f"), w.pull("g")
			g, err := w.repo.Queue(w.t.Context(), Squash, "grace", p.Number, q.Number)
			check(w.t, err)
			merged, err := w.repo.Land(w.t.Context(), g, "grace")
			check(w.t, err)
			return landed{sha: merged.SHA, refusal: []string{"head of pull request #2", "lacked these commits of main", "Add f (#1)"}}
		}},
		{"a direct push", func(w *world) landed {
			return landed{sha: w.moveMain("direct.txt", "x\n", "Quick fix"), refusal: []string{"a direct push?"}}
		}},
		{"a revert by a pull request", func(w *world) landed {
			w.merge(w.pull("f").Number, Squash)
			w.sync()
			w.git("checkout", "--quiet", "-b", "revert-1-f")
			w.git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "revert", "--no-edit", "HEAD")
			w.push("revert-1-f")
			q, _, err := w.repo.OpenPullRequest(w.t.Context(), "revert-1-f", "main", `Revert "Add f"`, "ada")
			check(w.t, err)
			return landed{sha: w.merge(q.Number, Squash), pull: q}
		}},
		{"a revert by a direct push, although an older commit had that tree", func(w *world) landed {
			w.merge(w.pull("f").Number, Squash)
			w.sync()
			w.git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "revert", "--no-edit", "HEAD")
			w.push("main")
			return landed{sha: w.git("rev-parse", "main"), refusal: []string{"a direct push?"}}
		}},
		{"a merge commit onto a main that moved", func(w *world) landed { return w.ontoMoved(MergeCommit) }},
		{"a squash onto a main that moved", func(w *world) landed { return w.ontoMoved(Squash) }},
		{"a rebase onto a main that moved", func(w *world) landed { return w.ontoMoved(Rebase) }},
		{"a squash onto a main that moved and came back to the same tree", func(w *world) landed {
			p := w.pull("f")
			w.moveMain("tax.txt", "x\n", "Raise the tax")
			w.git("-c", "user.name=grace", "-c", "user.email=grace@example.com", "revert", "--no-edit", "HEAD")
			w.push("main")
			return landed{sha: w.merge(p.Number, Squash), pull: p}
		}},
		{"a squash onto a main that got the very same change", func(w *world) landed {
			p := w.several("f")
			w.moveMain("f-one.txt", "one\n", "Add one, too")
			return landed{sha: w.merge(p.Number, Squash), pull: p}
		}},
		{"a head that was brought up to date before the merge", func(w *world) landed {
			p := w.pull("f")
			w.moveMain("tax.txt", "x\n", "Raise the tax")
			w.git("checkout", "--quiet", "f")
			w.git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "merge", "--quiet", "--no-edit", "main")
			w.push("f")
			w.git("checkout", "--quiet", "main")
			p, err := w.repo.PullRequest(w.t.Context(), p.Number)
			check(w.t, err)
			return landed{sha: w.merge(p.Number, Squash), pull: p}
		}},
		{"the upper of two stacked pull requests, which brings both", func(w *world) landed {
			p := w.pull("f")
			w.git("checkout", "--quiet", "-b", "g", "f")
			w.commit("ada", "g.txt", "g\n", "Add g")
			w.push("g")
			q, _, err := w.repo.OpenPullRequest(w.t.Context(), "g", "main", "Add g", "ada")
			check(w.t, err)
			sha := w.merge(q.Number, MergeCommit)
			if lower, err := w.repo.PullRequest(w.t.Context(), p.Number); err != nil || !lower.Merged || lower.MergeSHA != sha {
				w.t.Fatalf("the lower one is %+v, %v", lower, err)
			}
			return landed{sha: sha, pull: q}
		}},
		{"one head in two pull requests, of which one was merged", func(w *world) landed {
			p := w.pull("f")
			w.git("push", "--quiet", "origin", "f:copy")
			_, _, err := w.repo.OpenPullRequest(w.t.Context(), "copy", "main", "The same again", "ada")
			check(w.t, err)
			return landed{sha: w.merge(p.Number, Squash), pull: p}
		}},
		{"a pull request into another branch, which was then pushed to main", func(w *world) landed {
			w.git("push", "--quiet", "origin", "main:release")
			w.feature("f")
			p, _, err := w.repo.OpenPullRequest(w.t.Context(), "f", "release", "Add f", "ada")
			check(w.t, err)
			sha := w.merge(p.Number, Squash)
			w.git("fetch", "--quiet", "origin")
			w.git("push", "--quiet", "origin", "origin/release:main")
			_, err = w.repo.PushBranch(w.t.Context(), "main", "grace")
			check(w.t, err)
			return landed{sha: sha, refusal: []string{"#1 brought it to release and none to main"}}
		}},
		{"one from a fork", func(w *world) landed {
			fork, err := w.repo.Fork(w.t.Context(), "mallory")
			check(w.t, err)
			w.git("checkout", "--quiet", "-b", "nice", "main")
			w.commit("mallory", "nice.txt", "x\n", "Nice")
			w.git("push", "--quiet", fork.Path(), "nice")
			p, _, err := w.repo.OpenPullRequest(w.t.Context(), "mallory:nice", "main", "Nice", "mallory")
			check(w.t, err)
			return landed{sha: w.merge(p.Number, Squash), refusal: []string{"#1 comes from a fork"}}
		}},
		{"an older merge, of a run that was started again", func(w *world) landed {
			p := w.pull("f")
			sha := w.merge(p.Number, Squash)
			w.sync()
			w.merge(w.pull("g").Number, Squash)
			return landed{sha: sha, pull: p}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			want := test.land(w)
			got, err := w.promote(map[string]string{"contents": Read, "pull-requests": Read}).MergedChange(t.Context(), want.sha, "main")
			if len(want.refusal) > 0 {
				refusal := new(change.Refusal)
				if !errors.As(err, &refusal) {
					t.Fatalf("got %+v, %v, want a refusal", got, err)
				}
				for _, text := range want.refusal {
					if !strings.Contains(refusal.Reason, text) {
						t.Errorf("%q is not in %v", text, err)
					}
				}
				return
			}
			check(t, err)
			if got.Head != want.pull.Head || got.PullRequest != want.pull.Number || got.Merge != want.sha || got.Tree != w.git("rev-parse", want.pull.Head+"^{tree}") {
				t.Errorf("got %+v, want head %s of pull request #%d", got, want.pull.Head, want.pull.Number)
			}
		})
	}
}

// ontoMoved merges a pull request of several commits after main got one that it lacks.
func (w *world) ontoMoved(method string) landed {
	w.t.Helper()
	p := w.several("f")
	missing := w.moveMain("tax.txt", "x\n", "Raise the tax")
	return landed{sha: w.merge(p.Number, method), refusal: []string{
		"the tree of " + p.Head[:7] + ", the head of pull request #1", "the head lacked these commits of main: " + missing[:7] + " Raise the tax",
	}}
}

func TestWhatIsOlderThanWhatServesIsRefused(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.promote(map[string]string{"contents": Read, "pull-requests": Read})
	var merged []change.Change
	for _, branch := range []string{"f", "g"} {
		w.sync()
		p := w.pull(branch)
		got, err := c.MergedChange(ctx, w.merge(p.Number, Squash), "main")
		check(t, err)
		merged = append(merged, got)
	}
	w.sync()
	older, newer := merged[0], merged[1]
	refused := func(t *testing.T, err error, text string) {
		t.Helper()
		if refusal := new(change.Refusal); !errors.As(err, &refusal) || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want a refusal with %q", err, text)
		}
	}
	t.Run("squashed heads diverge, and their merges tell which is newer", func(t *testing.T) {
		check(t, c.CheckOrder(ctx, newer.Point(), older.Point(), false))
		refused(t, c.CheckOrder(ctx, older.Point(), newer.Point(), false), "older than commit "+newer.Merge[:7])
		check(t, c.CheckOrder(ctx, older.Point(), newer.Point(), true))
	})
	open := func(branch, from string) change.Point {
		w.git("checkout", "--quiet", "-B", branch, from)
		sha := w.commit("ada", branch+".txt", branch+"\n", "Add "+branch)
		w.push(branch)
		return change.Point{Head: sha, Tree: w.git("rev-parse", sha+"^{tree}")}
	}
	one, two := open("one", "main"), open("two", "main")
	three := open("three", "one")
	t.Run("open pull requests take turns", func(t *testing.T) {
		check(t, c.CheckOrder(ctx, one, two, false))
		check(t, c.CheckOrder(ctx, two, one, false))
		check(t, c.CheckOrder(ctx, three, one, false))
	})
	t.Run("an ancestor of what serves is older, open or not", func(t *testing.T) {
		refused(t, c.CheckOrder(ctx, one, three, false), "older than commit "+three.Head[:7])
	})
	t.Run("a main that was rewritten does not hold what serves", func(t *testing.T) {
		w.git("checkout", "--quiet", "-B", "main", older.Merge)
		w.commit("grace", "again.txt", "x\n", "Begin again")
		w.push("main")
		next := change.Point{Head: three.Head, Tree: three.Tree, Merge: w.git("rev-parse", "main")}
		refused(t, c.CheckOrder(ctx, next, newer.Point(), false), "is not in its history")
	})
	t.Run("a commit that was force-pushed away and is gone", func(t *testing.T) {
		gone := change.Point{Head: strings.Repeat("0a", 20), Tree: strings.Repeat("0b", 20)}
		check(t, c.CheckOrder(ctx, one, gone, false))
		gone.Merge = gone.Head
		refused(t, c.CheckOrder(ctx, newer.Point(), gone, false), "no longer knows")
	})
}
