package github

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		{"a limit that holds on is no missing permission", answer{status: 403, body: `{"message":"You have exceeded a secondary rate limit"}`, header: http.Header{"Retry-After": {"9999"}}},
			"rate limit"},
		{"a commit without a tree is none", ok(`{}`), "40 (or 64) lower-case hex digits"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, map[string][]answer{route: {test.answer}})
			_, err := s.client().Tree(t.Context(), head)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), token) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			var permission *PermissionError
			if errors.As(err, &permission) != strings.HasPrefix(test.name, "a missing permission") {
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
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(stop) })
		if _, err := s.client().Tree(ctx, head); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
	})
	limited := answer{status: 403, body: `{"message":"You have exceeded a secondary rate limit"}`, header: http.Header{"Retry-After": {"60"}}}
	t.Run("a limit that outlasts the run's own time is not waited for", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {limited}})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := s.client().Tree(ctx, head); err == nil || ctx.Err() != nil {
			t.Errorf("got %v after the time was over (%v)", err, ctx.Err())
		}
	})
	t.Run("what is only told does not wait a minute", func(t *testing.T) {
		s := serve(t, map[string][]answer{"POST /statuses/" + head: {limited}})
		err := s.client().SetStatus(t.Context(), head, Status{Context: "x", State: Success})
		if n := len(s.sent("POST /statuses/" + head)); err == nil || n != 1 {
			t.Errorf("%d requests, %v", n, err)
		}
	})
	t.Run("all waits of a question together are bounded", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {{status: 502}}})
		c := s.client()
		c.api.Client().Transport.(*transport).patience = 600 * time.Millisecond // the first wait fits, the second does not
		if _, err := c.Tree(t.Context(), head); err == nil || len(s.sent(route)) != 2 {
			t.Errorf("%d requests, %v", len(s.sent(route)), err)
		}
	})
}

func TestLimit(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, test := range []struct {
		name, body string
		status     int
		header     map[string]string
		want       time.Duration
		limited    bool
	}{
		{"what Retry-After says", "", 403, map[string]string{"Retry-After": "7", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2000"}, 7 * time.Second, true},
		{"until the allowance is renewed, and a second for clocks", "", 403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030"}, 31 * time.Second, true},
		{"a second when it was renewed already", "", 429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "900"}, time.Second, true},
		{"a minute for a secondary limit that only its text tells", `{"message":"You have exceeded a Secondary rate limit."}`, 403, nil, time.Minute, true},
		{"a minute for a 429 without a word", "", 429, nil, time.Minute, true},
		{"nothing for a missing permission", `{"message":"Resource not accessible by integration"}`, 403, map[string]string{"X-RateLimit-Remaining": "4711"}, 0, false},
		{"nothing for a header that is no number", "", 403, map[string]string{"Retry-After": "soon"}, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := &http.Response{StatusCode: test.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(test.body))}
			for name, value := range test.header {
				response.Header.Set(name, value)
			}
			got, limited := limit(response, now)
			if got != test.want || limited != test.limited {
				t.Errorf("got %s, %v", got, limited)
			}
			if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != test.body {
				t.Errorf("the body was eaten: %q, %v", rest, err)
			}
		})
	}
}

func TestGitHubEnterprise(t *testing.T) {
	var asked []string
	ghe := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"sha":"` + head + `","tree":{"sha":"` + tree + `"}}`))
	}))
	defer ghe.Close()
	for _, address := range []string{ghe.URL + "/api/v3", ghe.URL + "/api/v3/"} {
		c, err := New(Config{APIURL: address, Token: token, Repository: "org/shop", HTTP: ghe.Client()})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Tree(t.Context(), head); err != nil || got != tree {
			t.Errorf("got %q, %v", got, err)
		}
		if err := c.SetStatus(t.Context(), head, Status{Context: "x", State: Success}); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"GET /api/v3/repos/org/shop/git/commits/" + head + " Bearer " + token, "POST /api/v3/repos/org/shop/statuses/" + head + " Bearer " + token,
	}
	if diff := cmp.Diff(append(want, want...), asked); diff != "" {
		t.Error(diff)
	}
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

func TestAnAnswerThatDoesNotEndIsAnError(t *testing.T) {
	sent := make(chan int64, 1)
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		total := int64(0)
		_, err := io.WriteString(w, `{"tree":{"sha":"`)
		for chunk := bytes.Repeat([]byte("x"), 1<<20); err == nil && total < 1<<30; total += int64(len(chunk)) {
			_, err = w.Write(chunk)
		}
		sent <- total
	}))
	defer endless.Close()
	c, err := New(Config{APIURL: endless.URL, Token: token, Repository: "org/shop"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Tree(t.Context(), head); err == nil || !strings.Contains(err.Error(), "GitHub's answer has more than 32 MiB") {
		t.Errorf("got %v", err)
	}
	if total := <-sent; total > 256<<20 {
		t.Errorf("%d MiB were taken", total>>20)
	}
}
