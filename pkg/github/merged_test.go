package github

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/change"
)

const pulls = "GET /commits/" + merge + "/pulls?per_page=100"

func pullOf(repository, mergeSHA, mergedAt string) string {
	return fmt.Sprintf(`{"number":7,"state":"closed","title":"A change","user":{"login":"ada"},"merged_at":%s,"merge_commit_sha":%q,
		"head":{"ref":"feature","sha":%q,"repo":{"full_name":%q}},"base":{"ref":"main","sha":%q}}`, mergedAt, mergeSHA, head, repository, base)
}

const mergedAt = `"2026-02-03T04:05:06Z"`

func TestMergedChange(t *testing.T) {
	want := change.Change{
		Repository: "org/shop", PullRequest: 7, Head: head, Tree: tree, Merge: merge,
		HeadRef: "feature", BaseRef: "main", Title: "A change", Author: "ada",
	}
	t.Run("finds the pull request's head once GitHub's index has settled", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			pulls: {
				ok(`[]`),
				// Others hold the commit too: one that is open, and one that was merged elsewhere.
				ok(`[%s,%s]`, pullOf("org/shop", merge, "null"), pullOf("org/shop", other, mergedAt)),
				ok(`[%s,%s]`, pullOf("org/shop", other, mergedAt), pullOf("org/shop", merge, mergedAt)),
			},
			"GET /git/commits/" + head:  {commitOf(head, tree)},
			"GET /git/commits/" + merge: {commitOf(merge, tree)},
		})
		got, err := s.client().MergedChange(t.Context(), merge, "main")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("knows a head that came by a push, whatever merge_commit_sha says", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			"GET /commits/" + head + "/pulls?per_page=100": {ok(`[%s]`, pullOf("org/shop", other, mergedAt))},
			"GET /git/commits/" + head:                     {commitOf(head, tree)},
		})
		got, err := s.client().MergedChange(t.Context(), head, "main")
		if err != nil || got.Head != head || got.Merge != head {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("knows a head that a person merged and pushed, by the parent", func(t *testing.T) {
		for parents, reason := range map[string]string{
			`[{"sha":"` + base + `"},{"sha":"` + head + `"}]`: "",
			`[{"sha":"` + head + `"}]`:                        "one of several commits", // a commit on top of it is not it
		} {
			routes := map[string][]answer{
				pulls:                       {ok(`[%s]`, pullOf("org/shop", other, mergedAt))},
				"GET /git/commits/" + merge: {ok(`{"sha":%q,"tree":{"sha":%q},"parents":%s}`, merge, tree, parents)},
			}
			if reason == "" {
				routes["GET /git/commits/"+head] = []answer{commitOf(head, tree)}
			}
			got, err := serve(t, routes).client().MergedChange(t.Context(), merge, "main")
			if reason != "" {
				wantRefusal(t, err, reason)
			} else if err != nil || got.Head != head {
				t.Errorf("got %+v, %v", got, err)
			}
		}
	})
	t.Run("takes of several pull requests the one with the tree", func(t *testing.T) {
		lower := strings.NewReplacer(`"number":7`, `"number":6`, head, base).Replace(pullOf("org/shop", merge, mergedAt))
		s := serve(t, map[string][]answer{
			pulls:                       {ok(`[%s,%s]`, lower, pullOf("org/shop", merge, mergedAt))},
			"GET /git/commits/" + base:  {commitOf(base, other)},
			"GET /git/commits/" + head:  {commitOf(head, tree)},
			"GET /git/commits/" + merge: {commitOf(merge, tree)},
		})
		if got, err := s.client().MergedChange(t.Context(), merge, "main"); err != nil || got.PullRequest != 7 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("takes a pull request of this repository before a fork's", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			pulls:                       {ok(`[%s,%s]`, pullOf("mallory/shop", merge, mergedAt), pullOf("org/shop", merge, mergedAt))},
			"GET /git/commits/" + head:  {commitOf(head, tree)},
			"GET /git/commits/" + merge: {commitOf(merge, tree)},
		})
		if got, err := s.client().MergedChange(t.Context(), merge, "main"); err != nil || got.PullRequest != 7 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("refuses a direct push", func(t *testing.T) {
		s := serve(t, map[string][]answer{pulls: {ok(`[]`)}, "GET /git/commits/" + merge: {commitOf(merge, tree)}})
		_, err := s.client().MergedChange(t.Context(), merge, "main")
		wantRefusal(t, err, "no pull request brought it")
	})
	for name, test := range map[string]struct{ pull, base, reason string }{
		"refuses one that was only reviewed for another branch": {pullOf("org/shop", merge, mergedAt), "release", "#7 brought it to main and none to release"},
		"refuses one whose pull request was not merged":         {pullOf("org/shop", merge, "null"), "main", "#7, which has it, was not merged"},
		"refuses one in the middle of a rebase":                 {pullOf("org/shop", other, mergedAt), "main", "one of several commits of pull request #7, whose merge ended with 3333333"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, map[string][]answer{pulls: {ok(`[%s]`, test.pull)}, "GET /git/commits/" + merge: {commitOf(merge, tree)}})
			_, err := s.client().MergedChange(t.Context(), merge, test.base)
			wantRefusal(t, err, test.reason)
		})
	}
	t.Run("refuses what came from a fork", func(t *testing.T) {
		s := serve(t, map[string][]answer{pulls: {ok(`[%s]`, pullOf("mallory/shop", merge, mergedAt))}, "GET /git/commits/" + merge: {commitOf(merge, tree)}})
		_, err := s.client().MergedChange(t.Context(), merge, "main")
		wantRefusal(t, err, "#7 comes from a fork")
	})
	t.Run("refuses a tree that was not tested and names the commits that the head lacked", func(t *testing.T) {
		author := `{"email":"a@x","date":"2026-01-01T00:00:00Z"}`
		s := serve(t, map[string][]answer{
			pulls:                       {ok(`[%s]`, pullOf("org/shop", merge, mergedAt))},
			"GET /git/commits/" + head:  {commitOf(head, tree)},
			"GET /git/commits/" + merge: {commitOf(merge, other)},
			"GET /compare/" + head + "..." + merge + "?per_page=100": {ok(`{"commits":[
				{"sha":%q,"commit":{"message":"Raise the tax\n\nmore","author":{"email":"b@x","date":"2026-01-02T00:00:00Z"}}},
				{"sha":%q,"commit":{"message":"own, rebased","author":%s}},
				{"sha":%q,"commit":{"message":"A change (#7)","author":%s}}]}`, other, base, author, merge, author)},
			"GET /pulls/7/commits?per_page=100": {ok(`[{"sha":%q,"commit":{"message":"own, rebased","author":%s}}]`, head, author)},
		})
		_, err := s.client().MergedChange(t.Context(), merge, "main")
		wantRefusal(t, err, "the head lacked these commits of main: 3333333 Raise the tax")
		if strings.Contains(err.Error(), "rebased") {
			t.Errorf("it names the pull request's own commit: %v", err)
		}
	})
	t.Run("refuses a tree that was not tested even when the commits cannot be named", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			pulls:                       {ok(`[%s]`, pullOf("org/shop", merge, mergedAt))},
			"GET /git/commits/" + head:  {commitOf(head, tree)},
			"GET /git/commits/" + merge: {commitOf(merge, other)},
			"GET /compare/" + head + "..." + merge + "?per_page=100": {refused(404, "Not Found")},
		})
		_, err := s.client().MergedChange(t.Context(), merge, "main")
		wantRefusal(t, err, "its tree is not the tree of 1111111")
	})
}

func wantRefusal(t *testing.T, err error, reason string) {
	t.Helper()
	var refusal *change.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if !strings.Contains(refusal.Reason, reason) || refusal.Fix == "" {
		t.Errorf("got %v\nwant the reason %q and a fix", err, reason)
	}
}
