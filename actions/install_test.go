package actions

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree is a repository like this one with the one action hello, and a runner's cache.
type tree struct {
	t           *testing.T
	root, cache string
	environment []string
}

const hello = `package main

import ("fmt"; "os"; "example.com/tree/pkg/words")

func main() { fmt.Println(words.Hello, "pid", os.Getpid()) }
`

func newTree(t *testing.T) *tree {
	t.Helper()
	tr := &tree{t: t, root: filepath.Join(t.TempDir(), "a tree"), cache: filepath.Join(t.TempDir(), "tool cache")}
	tr.write("go.mod", "module example.com/tree\n\ngo 1.26\n")
	tr.write("go.sum", "")
	tr.write("actions/hello/main.go", hello)
	tr.write("pkg/words/words.go", "package words\n\nconst Hello = \"hello\"\n")
	tr.write("release.json", "{\n  \"version\": \"\",\n  \"url\": \"\",\n  \"programs\": {}\n}\n")
	for _, name := range []string{"install.sh", "install-build.sh", "install-fetch.sh"} {
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tr.write("actions/"+name, string(script))
	}
	if err := os.Chmod(filepath.Join(tr.root, "actions/install.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	tr.environment = append(os.Environ(), "RUNNER_TOOL_CACHE="+tr.cache, "GOTOOLCHAIN=local", "GOCACHE="+strings.TrimSpace(string(goCache)),
		"GOOS=plan9", "GOFLAGS=-mod=vendor -tags=nonsense", "GOWORK=/nowhere/go.work") // a workflow's own, which must not matter
	return tr
}

func (tr *tree) write(name, text string) {
	tr.t.Helper()
	path := filepath.Join(tr.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

// command is how an action starts the script.
func (tr *tree) command(action string) *exec.Cmd {
	cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", `exec "$GITHUB_ACTION_PATH/../install.sh" "$1"`, "bash", action)
	cmd.Env = slices.Concat([]string{"GITHUB_ACTION_PATH=" + filepath.Join(tr.root, "actions", "hello")}, tr.environment)
	return cmd
}

// run starts the script as an action does and gives what it printed, its exit code and its process id.
func (tr *tree) run(action string) (out string, code, pid int) {
	tr.t.Helper()
	cmd := tr.command(action)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	if err := cmd.Start(); err != nil {
		tr.t.Fatal(err)
	}
	_ = cmd.Wait()
	return both.String(), cmd.ProcessState.ExitCode(), cmd.Process.Pid
}

// files lists everything below a folder.
func (tr *tree) files(dir string) []string {
	tr.t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	return all
}

func TestInstall(t *testing.T) {
	const building = "building 'hello' from source"
	t.Run("builds once, becomes the program, and leaves its own tree alone", func(t *testing.T) {
		tr := newTree(t)
		before := tr.files(tr.root)
		for i, wantBuild := range []bool{true, false} {
			out, code, pid := tr.run("hello")
			if code != 0 || strings.Contains(out, building) != wantBuild {
				t.Fatalf("run %d: exit code %d\n%s", i+1, code, out)
			}
			// The process that GitHub would signal is the program itself.
			if want := "hello pid " + strconv.Itoa(pid); !strings.Contains(out, want) {
				t.Errorf("run %d: got %q, want %q", i+1, out, want)
			}
		}
		if diff := cmp.Diff(before, tr.files(tr.root)); diff != "" {
			t.Errorf("files in the tree:\n%s", diff)
		}
		if left := tr.files(tr.cache); len(left) != 1 {
			t.Errorf("the cache holds %q", left)
		}
	})
	t.Run("another source is another program, another test is not", func(t *testing.T) {
		tr := newTree(t)
		tr.run("hello")
		tr.write("pkg/words/words_test.go", "package words\n")
		tr.write("actions/hello/README.md", "text")
		if out, _, _ := tr.run("hello"); strings.Contains(out, building) {
			t.Errorf("built again:\n%s", out)
		}
		tr.write("pkg/words/words.go", "package words\n\nconst Hello = \"good day\"\n")
		if out, _, _ := tr.run("hello"); !strings.Contains(out, building) || !strings.Contains(out, "good day") {
			t.Errorf("got %q", out)
		}
	})
	t.Run("several jobs at once all run, and one builds", func(t *testing.T) {
		tr := newTree(t)
		var wait sync.WaitGroup
		outs := make([]string, 4)
		for i := range outs {
			wait.Go(func() { outs[i], _, _ = tr.run("hello") })
		}
		wait.Wait()
		all := strings.Join(outs, "")
		if strings.Count(all, "hello pid") != len(outs) || strings.Count(all, building) != 1 {
			t.Errorf("got\n%s", all)
		}
	})
	t.Run("a lock that a killed job left is taken over", func(t *testing.T) {
		tr := newTree(t)
		tr.run("hello")
		programs := tr.files(tr.cache)
		dead := exec.Command("true")
		if err := dead.Run(); err != nil {
			t.Fatal(err)
		}
		key := filepath.Dir(programs[0])
		lock := key + ".hello.lock"
		if err := os.RemoveAll(key); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(lock, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(lock, "pid"), []byte(strconv.Itoa(dead.Process.Pid)), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, code, _ := tr.run("hello"); code != 0 || !strings.Contains(out, "hello pid") {
			t.Errorf("exit code %d\n%s", code, out)
		}
	})
	t.Run("source that does not compile is one clear error and leaves nothing", func(t *testing.T) {
		tr := newTree(t)
		tr.write("actions/hello/main.go", "package main\n\nfunc main() { nonsense() }\n")
		out, code, _ := tr.run("hello")
		if code != 1 || !strings.Contains(out, "undefined: nonsense") || strings.Count(out, "::error title=promote::promote could not build 'hello'") != 1 {
			t.Errorf("exit code %d\n%s", code, out)
		}
		if left := tr.files(tr.cache); len(left) != 0 {
			t.Errorf("the cache holds %q", left)
		}
	})
	t.Run("an unknown action is an error that names it", func(t *testing.T) {
		tr := newTree(t)
		for action, want := range map[string]string{"bye": "there is no action 'bye'", "../x": "must be the name of an action", "": "must be the name of an action"} {
			if out, code, _ := tr.run(action); code != 1 || !strings.Contains(out, "::error title=promote::") || !strings.Contains(out, want) {
				t.Errorf("%q: exit code %d\n%s", action, code, out)
			}
		}
	})
	t.Run("a Go that is too old is an error that says so", func(t *testing.T) {
		tr := newTree(t)
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\necho 'go: go.mod requires go >= 1.26' >&2; exit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		tr.environment = append(tr.environment, "PATH="+bin+":/usr/bin:/bin")
		out, code, _ := tr.run("hello")
		if code != 1 || !strings.Contains(out, "cannot provide it: go: go.mod requires go >= 1.26") {
			t.Errorf("exit code %d\n%s", code, out)
		}
	})
	t.Run("a folder that cannot be written to gives way to the next", func(t *testing.T) {
		tr := newTree(t)
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		other := t.TempDir()
		tr.environment = append(tr.environment, "RUNNER_TOOL_CACHE="+file, "XDG_CACHE_HOME="+other)
		if out, code, _ := tr.run("hello"); code != 0 || len(tr.files(filepath.Join(other, "promote"))) != 1 {
			t.Errorf("exit code %d\n%s", code, out)
		}
	})
}
