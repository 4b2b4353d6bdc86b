package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

// everything is what a workflow may be given at most.
var everything = map[string]string{
	"contents": Write, "pull-requests": Write, "statuses": Write, "deployments": Write, "issues": Write,
}

// world is a running double with one repository, its people and a work tree.
type world struct {
	t      *testing.T
	server *Server
	repo   *Repository
	tree   string
	// bot is go-github as a workflow uses it, with a token that may do everything.
	bot *gogithub.Client
}

const (
	owner = "acme"
	name  = "checkout"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	server, err := Start(t.Context(), Options{Dir: t.TempDir(), wrap: validating(t)})
	check(t, err)
	t.Cleanup(func() { check(t, server.Close()) })
	for _, login := range []string{"ada", "grace", "linus", "mallory"} {
		check(t, server.AddUser(login, strings.ToUpper(login[:1])+login[1:], login+"@example.com"))
	}
	repo, err := server.CreateRepository(t.Context(), owner+"/"+name, RepositoryOptions{Private: true})
	check(t, err)
	check(t, repo.Grant("ada", Write))
	check(t, repo.Grant("grace", Admin))
	check(t, repo.Grant("linus", Read))
	w := &world{t: t, server: server, repo: repo, tree: t.TempDir()}
	w.bot = w.client(Bot, everything)
	w.git("init", "--quiet", "--initial-branch=main")
	w.git("remote", "add", "origin", repo.Path())
	w.commit("ada", "README.md", "hello\n", "First commit")
	w.push("main")
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client is go-github, authenticated by a new token.
func (w *world) client(login string, permissions map[string]string) *gogithub.Client {
	w.t.Helper()
	token, err := w.repo.NewToken(login, permissions)
	check(w.t, err)
	return w.clientWith(token)
}

func (w *world) clientWith(token string) *gogithub.Client {
	c := gogithub.NewClient(nil)
	if token != "" {
		c = c.WithAuthToken(token)
	}
	c.BaseURL, _ = url.Parse(w.server.URL() + "/")
	return c
}

// git runs git in the work tree and returns what it printed.
func (w *world) git(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir = w.tree
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes one file and commits it as a person; it returns the SHA.
func (w *world) commit(login, path, content, message string) string {
	w.t.Helper()
	full := filepath.Join(w.tree, path)
	check(w.t, os.MkdirAll(filepath.Dir(full), 0o755))
	check(w.t, os.WriteFile(full, []byte(content), 0o644))
	w.git("add", "--all")
	w.git("-c", "user.name="+login, "-c", "user.email="+login+"@example.com", "commit", "--quiet", "-m", message)
	return w.git("rev-parse", "HEAD")
}

// push pushes a branch and announces it.
func (w *world) push(branch string) []Event {
	w.t.Helper()
	w.git("push", "--quiet", "--force", "origin", branch)
	events, err := w.repo.PushBranch(w.t.Context(), branch, "ada")
	check(w.t, err)
	return events
}

// feature makes a branch off main with one commit that adds <branch>.txt, pushes it, and goes back to main.
func (w *world) feature(branch string) string {
	w.t.Helper()
	w.git("checkout", "--quiet", "-b", branch, "main")
	sha := w.commit("ada", branch+".txt", branch+"\n", "Add "+branch)
	w.push(branch)
	w.git("checkout", "--quiet", "main")
	return sha
}

// pull is a feature with an open pull request.
func (w *world) pull(branch string) PullRequest {
	w.t.Helper()
	w.feature(branch)
	p, _, err := w.repo.OpenPullRequest(w.t.Context(), branch, "main", "Add "+branch, "ada")
	check(w.t, err)
	return p
}

// wantStatus fails unless err is GitHub's answer with that status and a message that holds the text.
func wantStatus(t *testing.T, err error, status int, text string) {
	t.Helper()
	var answer *gogithub.ErrorResponse
	if !errors.As(err, &answer) {
		t.Fatalf("got error %v (%T), want an answer with status %d", err, err, status)
	}
	if answer.Response.StatusCode != status || !strings.Contains(answer.Error(), text) {
		t.Errorf("got %v, want status %d and %q", err, status, text)
	}
}

// do sends a request that go-github would not send.
func (w *world) do(ctx context.Context, method, path, body string, header http.Header) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, w.server.URL()+path, strings.NewReader(body))
	check(w.t, err)
	r.Header = header.Clone()
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	check(w.t, err)
	w.t.Cleanup(func() { answer.Body.Close() })
	return answer
}
