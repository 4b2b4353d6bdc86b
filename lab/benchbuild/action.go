package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// actionRun is the action build as a workflow runs it: a checkout, an event, GitHub's API, outputs and a summary.
type actionRun struct {
	program, dir, work string
	env                []string
}

// newActionRun makes the source a git repository and answers for GitHub.
func newActionRun(ctx context.Context, program, dir, work string, r *images) (*actionRun, error) {
	if _, err := command(ctx, dir, nil, "git", "init", "-q", "-b", "main"); err != nil {
		return nil, err
	}
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if req.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = fmt.Fprint(w, `{"status":"behind"}`) // each commit follows the one that has the marker
	}))
	context.AfterFunc(ctx, hub.Close)
	a := &actionRun{program: program, dir: dir, work: work}
	a.env = []string{
		"GITHUB_API_URL=" + hub.URL, "GITHUB_REPOSITORY=org/shop", "GITHUB_RUN_ID=1", "GITHUB_SERVER_URL=" + hub.URL,
		"GITHUB_WORKSPACE=" + dir, "GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH=" + filepath.Join(work, "event.json"),
		"GITHUB_OUTPUT=" + filepath.Join(work, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(work, "summary"),
		"INPUT_GITHUB_TOKEN=not-a-token", "INPUT_IMAGE=" + r.host + "/action/checkout", "INPUT_BASE=" + r.base, "INPUT_PLATFORMS=linux/amd64",
	}
	return a, nil
}

// commit commits what was changed, if anything was, and makes the event that of a pull request with this head.
func (a *actionRun) commit(ctx context.Context) error {
	who := []string{"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com"}
	changed, err := command(ctx, a.dir, nil, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changed != "" {
		if _, err := command(ctx, a.dir, nil, "git", "add", "-A"); err != nil {
			return err
		}
		if _, err := command(ctx, a.dir, who, "git", "commit", "-q", "-m", "a change"); err != nil {
			return err
		}
	}
	head, err := command(ctx, a.dir, nil, "git", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	event := fmt.Sprintf(`{"action":"opened","repository":{"full_name":"org/shop"},"pull_request":{"number":7,"state":"open","title":"a change",
		"user":{"login":"ada"},"base":{"ref":"main"},"head":{"ref":"topic","sha":%q,"repo":{"full_name":"org/shop"}}}}`, head)
	for name, text := range map[string]string{"event.json": event, "output": "", "summary": ""} {
		if err := os.WriteFile(filepath.Join(a.work, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (a *actionRun) run(ctx context.Context) (string, error) {
	if _, err := command(ctx, a.dir, a.env, a.program); err != nil {
		return "", err
	}
	output, err := os.ReadFile(filepath.Join(a.work, "output"))
	if err != nil {
		return "", err
	}
	digest := regexp.MustCompile(`(?m)^sha256:[0-9a-f]{64}$`).FindString(string(output))
	if digest == "" {
		return "", fmt.Errorf("reading the action's outputs: no digest in %q", strings.TrimSpace(string(output)))
	}
	return digest, nil
}
