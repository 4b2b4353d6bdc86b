package github

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestNewReportsEverythingAtOnce(t *testing.T) {
	_, err := New(Config{APIURL: "github.test/api", Repository: "shop"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`API URL "github.test/api"`, "github-token", `repository "shop"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestErrors(t *testing.T) {
	route := "GET /git/commits/" + head
	for _, test := range []struct {
		name   string
		answer answer
		want   string
	}{
		{"a missing permission names the line to add", refused(403, "Resource not accessible by integration"),
			`reading commit "` + head + `": GitHub says "Resource not accessible by integration"; add "contents: read" under permissions:`},
		{"a bad token names the input", refused(401, "Bad credentials"), "set the input github-token"},
		{"what is not there may be hidden", refused(404, "Not Found"), "not found, or the token may not see it"},
		{"what is refused comes with GitHub's details", answer{status: 422, body: `{"message":"Validation Failed","errors":[{"field":"sha","code":"invalid"}]}`},
			"GitHub answers 422: Validation Failed (sha invalid)"},
		{"a commit without a tree is none", ok(`{}`), "40 (or 64) lower-case hex digits"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, map[string][]answer{route: {test.answer}})
			_, err := s.client().Tree(t.Context(), head)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), token) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			var permission *PermissionError
			if errors.As(err, &permission) != (test.answer.status == 403) {
				t.Errorf("got %T", err)
			}
		})
	}
	t.Run("a hostile commit is never sent", func(t *testing.T) {
		s := serve(t, nil)
		if _, err := s.client().Tree(t.Context(), "../../../user"); err == nil {
			t.Error("no error")
		}
	})
}

func TestRetries(t *testing.T) {
	route := "GET /git/commits/" + head
	wait := http.Header{"Retry-After": {"0"}}
	t.Run("a limit is waited for and the request is sent again", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {
			{status: 429, body: `{}`, header: wait},
			{status: 403, body: `{"message":"You have exceeded a secondary rate limit"}`, header: wait},
			commitOf(head, tree),
		}})
		got, err := s.client().Tree(t.Context(), head)
		if err != nil || got != tree {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("a limit is waited for with a request that has a body, too", func(t *testing.T) {
		s := serve(t, map[string][]answer{"POST /issues/7/comments": {{status: 403, body: `{}`, header: wait}, {status: 201, body: `{"id":1}`}}})
		c := s.client()
		if _, _, err := c.api.Issues.CreateComment(t.Context(), "org", "shop", 7, nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("a limit of most of an hour is a failure with its reason", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {{status: 403, body: `{"message":"API rate limit exceeded"}`, header: http.Header{
			"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(time.Now().Add(40*time.Minute).Unix(), 10)},
		}}}})
		_, err := s.client().Tree(t.Context(), head)
		if err == nil || !strings.Contains(err.Error(), "rate limit is used up until") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a failing server is asked again", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {{status: 502}, commitOf(head, tree)}})
		if _, err := s.client().Tree(t.Context(), head); err != nil {
			t.Error(err)
		}
	})
	t.Run("a failing server gets no second comment", func(t *testing.T) {
		s := serve(t, map[string][]answer{"POST /issues/7/comments": {{status: 502}, {status: 201, body: `{}`}}})
		_, _, err := s.client().api.Issues.CreateComment(t.Context(), "org", "shop", 7, nil)
		if n := len(s.sent("POST /issues/7/comments")); err == nil || n != 1 {
			t.Errorf("%d requests, %v", n, err)
		}
	})
	t.Run("a cancel ends the wait", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {{status: 429, body: `{}`, header: http.Header{"Retry-After": {"60"}}}}})
		stop := errors.New("stopped by the test")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, stop)
		defer cancel()
		if _, err := s.client().Tree(ctx, head); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheTokenStaysOnItsHost(t *testing.T) {
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("the other host got %q", got)
		}
		_, _ = w.Write([]byte(`{"sha":"` + head + `","tree":{"sha":"` + tree + `"}}`))
	}))
	defer foreign.Close()
	s := serve(t, map[string][]answer{"GET /git/commits/" + head: {{status: 307, header: http.Header{"Location": {foreign.URL}}}}})
	if got, err := s.client().Tree(t.Context(), head); err != nil || got != tree {
		t.Errorf("got %q, %v", got, err)
	}
}
