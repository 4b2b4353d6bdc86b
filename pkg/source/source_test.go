package source_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/promote/pkg/source"
)

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestAt(t *testing.T) {
	t.Run("the commit and the tree that are checked out", func(t *testing.T) {
		dir := t.TempDir()
		git(t, dir, "init", "--quiet")
		git(t, dir, "commit", "--quiet", "--allow-empty", "-m", "one")
		got, err := source.At(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		want := source.Commit{Hash: git(t, dir, "rev-parse", "HEAD"), Tree: git(t, dir, "rev-parse", "HEAD^{tree}")}
		if got != want {
			t.Errorf("At = %v, want %v", got, want)
		}
	})
	t.Run("a folder without history is a NoGitError", func(t *testing.T) {
		_, err := source.At(t.Context(), t.TempDir())
		var noGit *source.NoGitError
		if !errors.As(err, &noGit) || !strings.Contains(noGit.Reason, "not a git repository") {
			t.Errorf("At = %v, want a NoGitError that says so", err)
		}
	})
}

func TestNothingThatTheRepositoryNamesGetsTheRunsSecrets(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "--quiet")
	if err := os.WriteFile(filepath.Join(dir, ".gitattributes"), []byte("* filter=evil\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "-m", "one")
	// Code that ran on this runner before may have left this. A filter is the one program that git runs whatever it is told.
	seen := filepath.Join(t.TempDir(), "seen")
	for _, key := range []string{"filter.evil.clean", "core.fsmonitor", "core.sshCommand", "core.pager", "credential.helper", "diff.external"} {
		git(t, dir, "config", key, "echo ran "+key+" >>"+seen+"; env >>"+seen+"; cat")
	}
	git(t, dir, "config", "extensions.partialClone", "origin")
	git(t, dir, "config", "remote.origin.url", "ssh://git@127.0.0.1/evil")
	git(t, dir, "config", "remote.origin.promisor", "true")
	t.Setenv("INPUT_GITHUB_TOKEN", "ghs_evil")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
	// Of the same size, so that git must look into it.
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("two\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Git(t.Context(), dir, "status", "--porcelain").Output(); err != nil {
		t.Fatal(err)
	}
	_, _ = source.Git(t.Context(), dir, "cat-file", "commit", strings.Repeat("1", 40)).Output() // is missing
	got, err := os.ReadFile(seen)
	if err != nil {
		t.Fatalf("the filter was not run, so nothing is shown: %v", err)
	}
	for _, secret := range []string{"ghs_evil", "hunter2"} {
		if strings.Contains(string(got), secret) {
			t.Errorf("a program that the repository names got %s", secret)
		}
	}
	for line := range strings.Lines(string(got)) {
		if strings.HasPrefix(line, "ran ") && line != "ran filter.evil.clean\n" {
			t.Errorf("git %s", line)
		}
	}
}
