package github

import (
	"strings"
	"testing"

	"github.com/org/promote/pkg/change"
)

const compareOther = "GET /compare/" + other + "..." + head + "?per_page=1"

func TestCheckOrderAsksHistory(t *testing.T) {
	next, serving := change.Point{Head: head, Tree: tree}, change.Point{Head: other, Tree: base}
	for status, reason := range map[string]string{"ahead": "", "identical": "", "diverged": "", "behind": "older than commit 3333333"} {
		t.Run(status, func(t *testing.T) {
			s := serve(t, map[string][]answer{compareOther: {ok(`{"status":%q}`, status)}})
			err := s.client().CheckOrder(t.Context(), next, serving, false)
			if reason == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if reason != "" {
				wantRefusal(t, err, reason)
			}
		})
	}
	t.Run("merges are compared where both are known", func(t *testing.T) {
		s := serve(t, map[string][]answer{"GET /compare/" + base + "..." + merge + "?per_page=1": {ok(`{"status":"diverged"}`)}})
		err := s.client().CheckOrder(t.Context(), change.Point{Head: head, Merge: merge}, change.Point{Head: other, Merge: base}, false)
		wantRefusal(t, err, "is not in its history")
	})
	t.Run("a commit that is gone is unknown, not an error", func(t *testing.T) {
		s := serve(t, map[string][]answer{compareOther: {refused(404, "Not Found")}, "GET /git/commits/" + head: {commitOf(head, tree)}})
		got, err := s.client().Relation(t.Context(), other, head)
		if err != nil || got != change.Unknown {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("a token that sees nothing is an error, not unknown", func(t *testing.T) {
		s := serve(t, map[string][]answer{compareOther: {refused(404, "Not Found")}, "GET /git/commits/" + head: {refused(404, "Not Found")}})
		if got, err := s.client().Relation(t.Context(), other, head); err == nil || !strings.Contains(err.Error(), "contents: read") {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("a word that nobody knows is an error", func(t *testing.T) {
		s := serve(t, map[string][]answer{compareOther: {ok(`{}`)}})
		if got, err := s.client().Relation(t.Context(), other, head); err == nil {
			t.Errorf("got %q", got)
		}
	})
	t.Run("nothing is asked about one tree, or when going back is allowed", func(t *testing.T) {
		c := serve(t, nil).client()
		if err := c.CheckOrder(t.Context(), next, change.Point{Head: other, Tree: tree}, false); err != nil {
			t.Error(err)
		}
		if err := c.CheckOrder(t.Context(), next, serving, true); err != nil {
			t.Error(err)
		}
	})
}
