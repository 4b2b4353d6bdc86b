package github

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHistory(t *testing.T) {
	first := "GET /commits/" + head + "/statuses?per_page=100"
	t.Run("keeps one context with who wrote it, from every page", func(t *testing.T) {
		routes := map[string][]answer{}
		s := serve(t, routes)
		page := ok(`[{"context":"other","state":"failure"},
			{"context":"Promote/Unit-Test","state":"success","description":"d","target_url":"https://x","creator":{"login":"github-actions[bot]","type":"Bot"}}]`)
		page.header = map[string][]string{"Link": {`<` + s.URL + `/x?per_page=100&page=2>; rel="next"`}}
		routes[first] = []answer{page}
		routes["GET /commits/"+head+"/statuses?page=2&per_page=100"] = []answer{ok(`[{"context":"promote/unit-test","state":"failure","creator":{"login":"ada","type":"User"}}]`)}
		got, err := s.client().History(t.Context(), head, "promote/unit-test")
		if err != nil {
			t.Fatal(err)
		}
		want := []Written{
			{Status: Status{Context: "Promote/Unit-Test", State: Success, Description: "d", URL: "https://x"}, By: "github-actions[bot]", ByBot: true},
			{Status: Status{Context: "promote/unit-test", State: Failure}, By: "ada"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a missing permission names the line to add", func(t *testing.T) {
		s := serve(t, map[string][]answer{first: {refused(403, "Resource not accessible by integration")}})
		if _, err := s.client().History(t.Context(), head, "x"); err == nil || !strings.Contains(err.Error(), `"statuses: read"`) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPullHeads(t *testing.T) {
	t.Run("the pull request that the commit merged comes first", func(t *testing.T) {
		open := strings.Replace(pullOf("org/shop", merge, "null"), head, other, 1)
		s := serve(t, map[string][]answer{pulls: {ok(`[%s,%s,%s]`, open, pullOf("org/shop", merge, mergedAt), open)}})
		got, err := s.client().PullHeads(t.Context(), merge)
		if diff := cmp.Diff([]string{head, other}, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
	t.Run("none is none, and a missing permission names the line to add", func(t *testing.T) {
		s := serve(t, map[string][]answer{pulls: {ok(`[]`), refused(403, "Resource not accessible by integration")}})
		c := s.client()
		if got, err := c.PullHeads(t.Context(), merge); err != nil || len(got) > 0 {
			t.Errorf("got %v, %v", got, err)
		}
		if _, err := c.PullHeads(t.Context(), merge); err == nil || !strings.Contains(err.Error(), `"pull-requests: read"`) {
			t.Errorf("got %v", err)
		}
	})
}
