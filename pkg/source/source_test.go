package source_test

import (
	"errors"
	"os/exec"
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
