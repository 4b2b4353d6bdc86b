package github

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestIsAncestor(t *testing.T) {
	const compare = "GET /compare/" + head + "..." + other + "?per_page=1"
	for status, want := range map[string]bool{"ahead": true, "behind": false, "diverged": false, "identical": false} {
		t.Run("when the other commit is "+status, func(t *testing.T) {
			s := serve(t, map[string][]answer{compare: {ok(`{"status":%q}`, status)}})
			if got, err := s.client().IsAncestor(t.Context(), head, other); got != want || err != nil {
				t.Errorf("IsAncestor() = %t, %v, want %t", got, err, want)
			}
		})
	}
	t.Run("a commit that the repository has no more is no relative", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			compare:                    {refused(http.StatusNotFound, "Not Found")},
			"GET /git/commits/" + head: {commitOf(head, tree)},
		})
		if got, err := s.client().IsAncestor(t.Context(), head, other); got || err != nil {
			t.Errorf("IsAncestor() = %t, %v, want false", got, err)
		}
	})
	t.Run("a repository that may not be read is an error with the permission", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			compare:                    {refused(http.StatusNotFound, "Not Found")},
			"GET /git/commits/" + head: {refused(http.StatusNotFound, "Not Found")},
		})
		if _, err := s.client().IsAncestor(t.Context(), head, other); err == nil || !strings.Contains(err.Error(), "contents: read") {
			t.Errorf("IsAncestor() = %v, want the permission", err)
		}
	})
	t.Run("a refusal names the permission", func(t *testing.T) {
		s := serve(t, map[string][]answer{compare: {refused(http.StatusForbidden, "Resource not accessible by integration")}})
		_, err := s.client().IsAncestor(t.Context(), head, other)
		var denied *PermissionError
		if !errors.As(err, &denied) || denied.Permission != "contents: read" {
			t.Errorf("IsAncestor() = %v, want a PermissionError", err)
		}
	})
	t.Run("what is no commit is not asked for", func(t *testing.T) {
		if _, err := serve(t, nil).client().IsAncestor(t.Context(), "main", other); err == nil {
			t.Error("IsAncestor() passed")
		}
	})
}
