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
		got, err := s.client().MergedChange(t.Context(), merge)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("refuses a direct push", func(t *testing.T) {
		s := serve(t, map[string][]answer{pulls: {ok(`[]`)}})
		_, err := s.client().MergedChange(t.Context(), merge)
		wantRefusal(t, err, "no pull request has it as its merge commit")
	})
	t.Run("refuses what came from a fork", func(t *testing.T) {
		s := serve(t, map[string][]answer{pulls: {ok(`[%s]`, pullOf("mallory/shop", merge, mergedAt))}})
		_, err := s.client().MergedChange(t.Context(), merge)
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
		_, err := s.client().MergedChange(t.Context(), merge)
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
		_, err := s.client().MergedChange(t.Context(), merge)
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
