package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// testReports is where real reports of test runners are kept.
var testReports, _ = filepath.Abs(filepath.Join("..", "..", "pkg", "tests", "testdata", "reports"))

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"unit-test": main})
}

// TestScripts runs the action as GitHub does: a process with INPUT_* and GITHUB_* variables, a git checkout, an event file
// and an API.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata",
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"commit":   commit,
			"push":     push,
			"statuses": statuses,
			"calls":    calls,
			"github":   onGitHub,
			"reports":  fixtures,
			"quick":    quick,
			"gone":     gone,
			"signal":   signalCommand,
			"mkold":    makeOld,
		},
	})
}

const token = "ghs_0123456789abcdef"

func setup(env *testscript.Env) error {
	hub := &gitHub{repo: filepath.Join(env.WorkDir, "repo"), pulls: map[string][]string{}, creator: "github-actions[bot]"}
	server := httptest.NewServer(hub)
	env.Defer(server.Close)
	env.Values[gitHubKey{}] = hub
	for _, name := range []string{"output", "summary", "gh-env"} {
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), nil, 0o600); err != nil {
			return err
		}
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	goCache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"GITHUB_API_URL="+server.URL, "GITHUB_REPOSITORY=org/shop", "GITHUB_RUN_ID=42", "GITHUB_SERVER_URL=https://github.test",
		"GITHUB_WORKSPACE="+filepath.Join(env.WorkDir, "repo"), "GITHUB_EVENT_NAME=push",
		"GITHUB_EVENT_PATH="+filepath.Join(env.WorkDir, "event.json"),
		"GITHUB_ACTION_PATH="+here,
		"GITHUB_OUTPUT="+filepath.Join(env.WorkDir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(env.WorkDir, "summary"),
		"GITHUB_ENV="+filepath.Join(env.WorkDir, "gh-env"),
		"INPUT_GITHUB_TOKEN="+token,
		"GOCACHE="+filepath.Join(goCache, "go-build"), "GOTOOLCHAIN=local", "GOFLAGS=-buildvcs=false",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	)
	return nil
}

// commit makes the folder repo a git repository and the event a push of its head. HEAD and TREE are set.
func commit(ts *testscript.TestScript, neg bool, _ []string) {
	for _, command := range [][]string{
		{"init", "-q", "-b", "main", "repo"}, {"-C", "repo", "add", "-A"}, {"-C", "repo", "commit", "-q", "--allow-empty", "-m", "a change"},
	} {
		ts.Check(ts.Exec("git", command...))
	}
	push(ts, neg, nil)
}

// push makes the event a push of the repository's head: push [BEFORE [forced]]. HEAD, TREE and BEFORE are set.
func push(ts *testscript.TestScript, _ bool, args []string) {
	before, forced := strings.Repeat("0", 40), false
	if len(args) > 0 {
		before, forced = args[0], len(args) > 1
	}
	ts.Setenv("BEFORE", ts.Getenv("HEAD"))
	ts.Check(ts.Exec("git", "-C", "repo", "rev-parse", "HEAD"))
	head := strings.TrimSpace(ts.ReadFile("stdout"))
	ts.Check(ts.Exec("git", "-C", "repo", "rev-parse", "HEAD^{tree}"))
	ts.Setenv("HEAD", head)
	ts.Setenv("TREE", strings.TrimSpace(ts.ReadFile("stdout")))
	event := fmt.Sprintf(`{"ref":"refs/heads/main","before":%q,"after":%q,"forced":%v,"head_commit":{"distinct":true},"repository":{"full_name":"org/shop"},"sender":{"login":"ada"}}`,
		before, head, forced)
	ts.Check(os.WriteFile(ts.MkAbs("event.json"), []byte(event), 0o600))
}

// runnersHome is where the reports in testdata were made, as their paths say.
const runnersHome = "/home/runner/work/shop/shop"

// copyReports copies what a runner left into a folder, whose name then stands in the paths.
func copyReports(runner, to string) error {
	from := filepath.Join(testReports, runner)
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		target := filepath.Join(to, relative)
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(target, 0o755))
		}
		data, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(target, bytes.ReplaceAll(data, []byte(runnersHome), []byte(to)), 0o644))
	})
}

// fixtures copies the reports of a runner: reports RUNNER FOLDER.
func fixtures(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(copyReports(args[0], ts.MkAbs(args[1])))
}

// gone waits until the process whose id stands in a file is no more: gone FILE.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	var pid int
	_, err := fmt.Sscan(ts.ReadFile(args[0]), &pid)
	ts.Check(err)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
	}
	ts.Fatalf("process %d still runs", pid)
}

// signalCommand cancels the action as GitHub does, with SIGINT to its process, once its id stands in a file: signal FILE.
func signalCommand(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var pid int
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if n, _ := fmt.Sscan(string(data), &pid); err == nil && n == 1 {
			ts.Check(syscall.Kill(pid, syscall.SIGINT))
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("file %s did not come", args[0])
		}
	}
}

// makeOld sets a file's time to an hour ago.
func makeOld(ts *testscript.TestScript, _ bool, args []string) {
	then := time.Now().Add(-time.Hour)
	ts.Check(os.Chtimes(ts.MkAbs(args[0]), then, then))
}

// quick runs the action and fails when it takes longer: quick TIME.
func quick(ts *testscript.TestScript, _ bool, args []string) {
	most, err := time.ParseDuration(args[0])
	ts.Check(err)
	began := time.Now()
	ts.Check(ts.Exec("unit-test"))
	if took := time.Since(began); took > most {
		ts.Fatalf("it took %s, more than %s", took, most)
	} else {
		ts.Logf("it took %s", took)
	}
}
