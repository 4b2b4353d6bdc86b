//go:build lab

// Package pages does what the pages say: a block of commands under the comment `run` or `run: folder` is run as it stands, the kubectl
// commands of one under `lab` are asked of the API server, and the getting-started page leads a service to production.
package pages

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/promote/internal/docs"
	"github.com/org/promote/lab/cluster"
	"github.com/org/promote/lab/demo"
	"github.com/org/promote/lab/world"
)

// TestTheGettingStartedPageLeadsToProduction does the page's first steps in an empty folder, by its own commands, and then what
// its `make try` does.
func TestTheGettingStartedPageLeadsToProduction(t *testing.T) {
	w, root := open(t)
	script := ""
	for _, b := range page(t, root, "docs/getting-started.md").Blocks() {
		if b.Mark == "run" {
			script += b.Text
		}
	}
	dir := t.TempDir()
	bash(t, dir, script,
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+root+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/org/promote")
	folder := filepath.Join(dir, "greeter")
	lab, err := cluster.Open(cluster.Config{Out: os.Stdout})
	if err != nil {
		t.Fatal(err)
	}
	dockerfile, err := os.ReadFile(filepath.Join(folder, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Bases(t.Context(), string(dockerfile)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := demo.Remove(context.WithoutCancel(t.Context()), w, "greeter"); err != nil {
			t.Error(err)
		}
	})
	if err := demo.PlayService(t.Context(), w, root, "greeter", folder, "/", os.Stdout); err != nil {
		t.Fatal(err)
	}
}

func TestTheBlocksThatPagesRun(t *testing.T) {
	_, root := open(t)
	count := 0
	for _, p := range pages(t, root) {
		for _, b := range p.Blocks() {
			folder, found := strings.CutPrefix(b.Mark, "run: ")
			if !found {
				continue
			}
			count++
			t.Run(p.Path, func(t *testing.T) { bash(t, filepath.Join(root, folder), b.Text) })
		}
	}
	if count == 0 {
		t.Error("no page has a block that is run")
	}
}

// TestTheCommandsOfThePages asks the API server what it would say to each kubectl command, and changes nothing.
func TestTheCommandsOfThePages(t *testing.T) {
	w, root := open(t)
	kubectl := kubectl(t, root)
	count := 0
	for _, p := range pages(t, root) {
		for _, b := range p.Blocks() {
			if b.Mark != "lab" {
				continue
			}
			for _, c := range b.Commands() {
				if c.Words[0] != "kubectl" {
					t.Errorf("%s:%d: %q cannot be asked of the API server", p.Path, c.Line, c.Words)
					continue
				}
				count++
				var args []string
				for _, word := range c.Words[1:] {
					args = append(args, strings.TrimPrefix(word, "../promote/"))
				}
				if slices.Contains([]string{"apply", "create", "label", "annotate", "patch", "delete"}, args[0]) {
					args = append(args, "--dry-run=server")
				}
				cmd := exec.CommandContext(t.Context(), kubectl, args...)
				cmd.Dir, cmd.Env = root, append(os.Environ(), "KUBECONFIG="+w.AdminKubeconfig)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s:%d: %q: %v: %s", p.Path, c.Line, c.Words, err, out)
				}
			}
		}
	}
	if count < 5 {
		t.Errorf("only %d commands of kubectl were found", count)
	}
}

func open(t *testing.T) (w world.World, root string) {
	t.Helper()
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		t.Fatal(err)
	}
	release, err := w.Hold(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	root, err = filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return w, root
}

func pages(t *testing.T, root string) []docs.Page {
	t.Helper()
	all, err := docs.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func page(t *testing.T, root, path string) docs.Page {
	t.Helper()
	all := pages(t, root)
	at := slices.IndexFunc(all, func(p docs.Page) bool { return p.Path == path })
	if at < 0 {
		t.Fatalf("there is no page %s", path)
	}
	return all[at]
}

// bash runs a script as a person would paste it, up to its first failure.
func bash(t *testing.T, dir, script string, env ...string) {
	t.Helper()
	// Job control, or `kill %1` would find no job.
	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-emuo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("running\n%s\n%v: %s", script, err, out)
	}
}

// kubectl is the machine's, or else is built from its Go module as the benchmarks do.
func kubectl(t *testing.T, root string) string {
	t.Helper()
	if path, err := exec.LookPath("kubectl"); err == nil {
		return path
	}
	path := filepath.Join(t.TempDir(), "kubectl")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./kubectl")
	cmd.Dir = filepath.Join(root, "hack", "bench")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building kubectl: %v: %s", err, out)
	}
	return path
}
