package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	gogithub "github.com/google/go-github/v84/github"
)

func TestAccess(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	success := gogithub.RepoStatus{State: gogithub.Ptr("success")}

	t.Run("a wrong token has bad credentials", func(t *testing.T) {
		_, _, err := w.clientWith("ghs_wrong").Repositories.Get(ctx, owner, name)
		wantStatus(t, err, 401, "Bad credentials")
	})
	t.Run("without a token a private repository does not exist", func(t *testing.T) {
		_, _, err := w.clientWith("").Repositories.Get(ctx, owner, name)
		wantStatus(t, err, 404, "Not Found")
	})
	t.Run("another repository's token does not see it either", func(t *testing.T) {
		other, err := w.server.CreateRepository(ctx, "acme/other", RepositoryOptions{Private: true})
		check(t, err)
		token, err := other.NewToken(Bot, everything)
		check(t, err)
		_, _, err = w.clientWith(token).Repositories.Get(ctx, owner, name)
		wantStatus(t, err, 404, "Not Found")
	})
	t.Run("a token without the permission is told so, and which one it needs", func(t *testing.T) {
		reader := w.client(Bot, map[string]string{"contents": Read, "pull-requests": Read, "statuses": Read})
		_, answer, err := reader.Repositories.CreateStatus(ctx, owner, name, p.Head, success)
		wantStatus(t, err, 403, "Resource not accessible by integration")
		if got := answer.Header.Get("X-Accepted-GitHub-Permissions"); got != "statuses=write" {
			t.Errorf("accepted permissions are %q", got)
		}
		_, answer, err = reader.Issues.CreateComment(ctx, owner, name, p.Number, &gogithub.IssueComment{Body: gogithub.Ptr("x")})
		wantStatus(t, err, 403, "Resource not accessible by integration")
		if got := answer.Header.Get("X-Accepted-GitHub-Permissions"); got != "issues=write; pull_requests=write" {
			t.Errorf("accepted permissions are %q", got)
		}
		_, _, err = reader.PullRequests.Get(ctx, owner, name, p.Number)
		check(t, err)
		_, _, err = reader.Repositories.ListDeployments(ctx, owner, name, nil)
		wantStatus(t, err, 403, "Resource not accessible by integration")
	})
	t.Run("a person's token never does more than the person", func(t *testing.T) {
		_, _, err := w.client("linus", everything).Repositories.CreateStatus(ctx, owner, name, p.Head, success)
		wantStatus(t, err, 403, "not accessible by personal access token")
		_, _, err = w.client("linus", everything).PullRequests.Merge(ctx, owner, name, p.Number, "", nil)
		wantStatus(t, err, 403, "not accessible by personal access token")
	})
	t.Run("a public repository can be read by all and written by none without a token", func(t *testing.T) {
		_, err := w.server.CreateRepository(ctx, "acme/open", RepositoryOptions{})
		check(t, err)
		anyone := w.clientWith("")
		_, _, err = anyone.Repositories.Get(ctx, owner, "open")
		check(t, err)
		_, _, err = anyone.PullRequests.Create(ctx, owner, "open", &gogithub.NewPullRequest{Title: gogithub.Ptr("x"), Head: gogithub.Ptr("a"), Base: gogithub.Ptr("b")})
		wantStatus(t, err, 401, "Requires authentication")
		_, _, err = w.bot.PullRequests.Create(ctx, owner, "open", &gogithub.NewPullRequest{Title: gogithub.Ptr("x"), Head: gogithub.Ptr("a"), Base: gogithub.Ptr("b")})
		wantStatus(t, err, 403, "Resource not accessible by integration")
	})
	t.Run("a used-up allowance is refused until it is renewed", func(t *testing.T) {
		token, err := w.repo.NewToken(Bot, everything)
		check(t, err)
		check(t, w.server.SetRateLimit(token, 1, time.Hour))
		c := w.clientWith(token)
		_, answer, err := c.Repositories.Get(ctx, owner, name)
		check(t, err)
		if answer.Rate.Remaining != 0 || answer.Rate.Limit != 1000 {
			t.Errorf("got %v", answer.Rate)
		}
		// A fresh client has not seen the last answer, so it asks.
		_, _, err = w.clientWith(token).Repositories.Get(ctx, owner, name)
		if limited := new(gogithub.RateLimitError); !errors.As(err, &limited) {
			t.Errorf("got %v, want a rate limit", err)
		}
	})
	t.Run("unknown permissions and people are errors", func(t *testing.T) {
		_, err := w.repo.NewToken(Bot, map[string]string{"content": Read})
		if err == nil || !strings.Contains(err.Error(), "valid are actions, administration") {
			t.Errorf("got %v", err)
		}
		if _, err := w.repo.NewToken("nobody", nil); err == nil {
			t.Error("a token for nobody was made")
		}
	})
}

func TestRequests(t *testing.T) {
	var log bytes.Buffer
	server, err := Start(t.Context(), Options{Dir: t.TempDir(), Log: &log, wrap: validating(t)})
	check(t, err)
	defer server.Close()
	repo, err := server.CreateRepository(t.Context(), owner+"/"+name, RepositoryOptions{Private: true})
	check(t, err)
	token, err := repo.NewToken(Bot, everything)
	check(t, err)
	w := &world{t: t, server: server, repo: repo}
	header := http.Header{"Authorization": {"Bearer " + token}, "User-Agent": {"test"}}
	path := "/repos/" + owner + "/" + name

	t.Run("the API also stands under /api/v3", func(t *testing.T) {
		if got := w.do(t.Context(), "GET", "/api/v3"+path, "", header); got.StatusCode != 200 {
			t.Errorf("got %s", got.Status)
		}
	})
	t.Run("what has not changed is not sent again", func(t *testing.T) {
		with := header.Clone()
		with.Set("If-None-Match", w.do(t.Context(), "GET", path, "", header).Header.Get("ETag"))
		if got := w.do(t.Context(), "GET", path, "", with); got.StatusCode != 304 {
			t.Errorf("got %s", got.Status)
		}
	})
	t.Run("an endpoint that the double lacks is not implemented, which is not the same as not found", func(t *testing.T) {
		if got := w.do(t.Context(), "GET", path+"/releases", "", header); got.StatusCode != 501 {
			t.Errorf("got %s", got.Status)
		}
	})
	t.Run("a request needs a user agent, a known API version and JSON", func(t *testing.T) {
		if got := w.do(t.Context(), "GET", path, "", http.Header{"User-Agent": {""}}); got.StatusCode != 403 {
			t.Errorf("no user agent: %s", got.Status)
		}
		if got := w.do(t.Context(), "GET", path, "", http.Header{"User-Agent": {"x"}, "X-Github-Api-Version": {"1999-01-01"}}); got.StatusCode != 400 {
			t.Errorf("old version: %s", got.Status)
		}
		if got := w.do(t.Context(), "POST", path+"/deployments", "{", header); got.StatusCode != 400 {
			t.Errorf("half JSON: %s", got.Status)
		}
		if got := w.do(t.Context(), "POST", path+"/deployments", `{"ref":7}`, header); got.StatusCode != 422 {
			t.Errorf("a number for a ref: %s", got.Status)
		}
	})
	t.Run("every request is in the log, without the token", func(t *testing.T) {
		all := server.Requests()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(all) != 8 || len(lines) != len(all) {
			t.Fatalf("%d requests, %d lines, want 8", len(all), len(lines))
		}
		var last Request
		check(t, json.Unmarshal([]byte(lines[7]), &last))
		if last.Method != "POST" || last.Status != 422 || last.Route != "/repos/{owner}/{repo}/deployments" || last.Login != Bot {
			t.Errorf("got %v", last)
		}
		if all[3].Route != "" {
			t.Errorf("the request that is not implemented has route %q", all[3].Route)
		}
		if strings.Contains(log.String(), token) {
			t.Error("the token is in the log")
		}
	})
}

func TestRestart(t *testing.T) {
	w := newWorld(t)
	p := w.pull("feature")
	token, err := w.repo.NewToken(Bot, everything)
	check(t, err)
	check(t, w.server.Close())
	again, err := Start(t.Context(), Options{Dir: w.server.dir, wrap: validating(t)})
	check(t, err)
	defer again.Close()
	w.server = again
	got, _, err := w.clientWith(token).PullRequests.Get(t.Context(), owner, name, p.Number)
	check(t, err)
	if got.GetHead().GetSHA() != p.Head {
		t.Errorf("got %v", got)
	}
	if strings.Contains(readFile(t, again.storePath()), token) {
		t.Error("the store holds the token itself")
	}
	repo, err := again.Repository("ACME/Checkout")
	check(t, err)
	if repo.Name() != "acme/checkout" {
		t.Errorf("got %q", repo.Name())
	}
}
