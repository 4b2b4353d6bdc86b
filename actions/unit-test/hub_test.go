package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// gitHub is the little of GitHub's API that the action talks to, on the repository of the test.
type gitHub struct {
	repo string // the folder that git is asked about

	mu       sync.Mutex
	statuses []hubStatus
	pulls    map[string][]string // heads of pull requests by commit
	calls    []string
	refuse   string // a part of the paths that are refused
	creator  string
	delay    time.Duration
}

type hubStatus struct {
	sha                                    string
	State, Context, Description, TargetURL string
	creator                                string
}

func (g *gitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	time.Sleep(g.delay) // the way to GitHub and back
	path := strings.TrimPrefix(r.URL.Path, "/repos/org/shop/")
	g.calls = append(g.calls, r.Method+" "+path)
	w.Header().Set("Content-Type", "application/json")
	answer := func(code int, body any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	}
	message := func(text string) map[string]string { return map[string]string{"message": text} }
	switch parts := strings.Split(path, "/"); {
	case r.Header.Get("Authorization") != "Bearer "+token:
		answer(http.StatusUnauthorized, message("Bad credentials"))
	case g.refuse != "" && strings.Contains(path, g.refuse):
		answer(http.StatusForbidden, message("Resource not accessible by integration"))
	case r.Method == http.MethodPost && len(parts) == 2 && parts[0] == "statuses":
		var in struct {
			State, Context, Description string
			TargetURL                   string `json:"target_url"`
		}
		body, _ := io.ReadAll(r.Body)
		if json.Unmarshal(body, &in) != nil || len([]rune(in.Description)) > 140 {
			answer(http.StatusUnprocessableEntity, message("Validation Failed"))
			return
		}
		if exec.Command("git", "-C", g.repo, "cat-file", "-e", parts[1]+"^{commit}").Run() != nil {
			answer(http.StatusUnprocessableEntity, message("No commit found for SHA: "+parts[1]))
			return
		}
		g.statuses = append(g.statuses, hubStatus{parts[1], in.State, in.Context, in.Description, in.TargetURL, g.creator})
		answer(http.StatusCreated, map[string]any{})
	case r.Method == http.MethodGet && len(parts) == 3 && parts[0] == "commits" && parts[2] == "statuses":
		all := []map[string]any{}
		for i := len(g.statuses) - 1; i >= 0; i-- {
			if s := g.statuses[i]; s.sha == parts[1] {
				kind := "User"
				if strings.HasSuffix(s.creator, "[bot]") {
					kind = "Bot"
				}
				all = append(all, map[string]any{
					"state": s.State, "context": s.Context, "description": s.Description, "target_url": s.TargetURL,
					"creator": map[string]string{"login": s.creator, "type": kind},
				})
			}
		}
		answer(http.StatusOK, all)
	case r.Method == http.MethodGet && len(parts) == 3 && parts[0] == "commits" && parts[2] == "pulls":
		all := []map[string]any{}
		for _, head := range g.pulls[parts[1]] {
			all = append(all, map[string]any{"merged_at": "2026-02-03T04:05:06Z", "merge_commit_sha": parts[1], "head": map[string]string{"sha": head}})
		}
		answer(http.StatusOK, all)
	case r.Method == http.MethodGet && len(parts) == 3 && parts[0] == "git" && parts[1] == "commits":
		tree, err := exec.Command("git", "-C", g.repo, "rev-parse", "--verify", "--quiet", parts[2]+"^{tree}").Output()
		if err != nil {
			answer(http.StatusNotFound, message("Not Found"))
			return
		}
		answer(http.StatusOK, map[string]any{"sha": parts[2], "tree": map[string]string{"sha": strings.TrimSpace(string(tree))}})
	case r.Method == http.MethodGet && (path == "commits" || path == "pulls"):
		answer(http.StatusOK, []any{})
	case r.Method == http.MethodGet && r.URL.Path == "/repos/org/shop":
		answer(http.StatusOK, map[string]string{"default_branch": "main"})
	case r.Method == http.MethodGet && path == "rules/branches/main":
		answer(http.StatusOK, []map[string]any{{"type": "required_status_checks", "parameters": map[string]any{
			"strict_required_status_checks_policy": true, "required_status_checks": []map[string]string{{"context": statusContext}},
		}}})
	case r.Method == http.MethodGet && path == "branches/main":
		answer(http.StatusOK, map[string]any{"name": "main", "protected": true, "protection": map[string]any{"enabled": false}})
	default:
		answer(http.StatusNotFound, message("Not Found"))
	}
}

type gitHubKey struct{}

// hubOf gives the test's GitHub, locked.
func hubOf(ts *testscript.TestScript) (*gitHub, func()) {
	hub := ts.Value(gitHubKey{}).(*gitHub)
	hub.mu.Lock()
	return hub, hub.mu.Unlock
}

// statuses writes the commit statuses that were set to the file statuses, with their links.
func statuses(ts *testscript.TestScript, _ bool, _ []string) {
	hub, done := hubOf(ts)
	defer done()
	var lines strings.Builder
	for _, s := range hub.statuses {
		fmt.Fprintf(&lines, "%s %s %s: %s %s\n", s.sha, s.Context, s.State, s.Description, s.TargetURL)
	}
	ts.Check(os.WriteFile(ts.MkAbs("statuses"), []byte(lines.String()), 0o600))
}

// calls writes the requests since it was last asked to the file calls, one a line, and checks how many there are: calls N.
func calls(ts *testscript.TestScript, _ bool, args []string) {
	hub, done := hubOf(ts)
	defer done()
	ts.Check(os.WriteFile(ts.MkAbs("calls"), []byte(strings.Join(hub.calls, "\n")+"\n"), 0o600))
	if len(args) == 1 && args[0] != fmt.Sprint(len(hub.calls)) {
		ts.Fatalf("%d calls, want %s:\n%s", len(hub.calls), args[0], strings.Join(hub.calls, "\n"))
	}
	hub.calls = nil
}

// onGitHub sets how GitHub behaves: refuse PATH, creator LOGIN, delay TIME, merged COMMIT HEAD, status SHA STATE URL.
func onGitHub(ts *testscript.TestScript, _ bool, args []string) {
	hub, done := hubOf(ts)
	defer done()
	switch args[0] {
	case "refuse":
		hub.refuse = args[1]
	case "creator":
		hub.creator = args[1]
	case "delay":
		delay, err := time.ParseDuration(args[1])
		ts.Check(err)
		hub.delay = delay
	case "merged":
		hub.pulls[args[1]] = append(hub.pulls[args[1]], args[2])
	case "status":
		hub.statuses = append(hub.statuses, hubStatus{sha: args[1], State: args[2], Context: statusContext, TargetURL: args[3], creator: hub.creator})
	default:
		ts.Fatalf("github knows no %s", args[0])
	}
}
