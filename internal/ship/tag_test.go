package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shop is a repository with a remote, and the scripts that tag releases in it.
type shop struct {
	t          *testing.T
	dir, hacks string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	hacks, err := filepath.Abs("../../hack")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, dir: newTree(t, "shop"), hacks: hacks}
	write(t, filepath.Join(s.dir, "release.json"), "{}\n", 0o644)
	s.git("branch", "-M", "main")
	s.git("add", "release.json")
	s.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "Name no release")
	remote := filepath.Join(t.TempDir(), "remote.git")
	s.git("init", "-q", "--bare", remote)
	s.git("remote", "add", "origin", remote)
	s.git("push", "-q", "origin", "main")
	return s
}

func (s *shop) git(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "git", args...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *shop) run(script string, args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(s.hacks, script), args...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// release goes through the scripts as the workflow does, from main, and gives the commit that was tagged.
func (s *shop) release(version string) string {
	s.t.Helper()
	s.git("checkout", "-q", "main")
	s.git("checkout", "-q", "--detach")
	dist := s.t.TempDir()
	if err := (release{version: version, url: "https://x/" + version, to: dist}).name([]program{{"hello_linux_amd64", "11", "22"}}); err != nil {
		s.t.Fatal(err)
	}
	if out, err := s.run("tag-release", dist, version); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	if out, err := s.run("move-major", version); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return s.remote(version)
}

// remote is the commit that a tag of the remote is on, "" for none.
func (s *shop) remote(tag string) string {
	commit, _, _ := strings.Cut(s.git("ls-remote", "origin", "refs/tags/"+tag), "\t")
	return commit
}

func TestATagHoldsTheHashesAndMainDoesNot(t *testing.T) {
	s := newShop(t)
	commit := s.release("v1.2.3")
	if got := s.git("diff", "--name-only", "main", commit); got != "release.json" {
		t.Errorf("the tag's commit changes %q beside main, want release.json alone", got)
	}
	if !strings.Contains(s.git("show", commit+":release.json"), `"hello_linux_amd64": {"sha256": "11", "gz": "22"}`) {
		t.Error("the tag's tree does not have the hashes")
	}
	if s.git("rev-parse", commit+"^") != s.git("rev-parse", "main") || s.git("ls-remote", "origin", "refs/heads/main") != s.git("rev-parse", "main")+"\trefs/heads/main" {
		t.Error("main moved, or the tag is not right behind it")
	}
	// Whoever makes the commit again gets the same one.
	s.git("checkout", "-q", "main")
	if again := newCommit(s, "v1.2.3"); again != commit {
		t.Errorf("made again, the commit is %s, not %s", again, commit)
	}
}

// newCommit makes a release's commit for another remote.
func newCommit(s *shop, version string) string {
	s.git("tag", "--delete", version)
	other := filepath.Join(s.t.TempDir(), "other.git")
	s.git("init", "-q", "--bare", other)
	s.git("remote", "set-url", "origin", other)
	s.git("push", "-q", "origin", "main")
	return s.release(version)
}

func TestAVersionIsTaggedOnce(t *testing.T) {
	s := newShop(t)
	commit := s.release("v1.2.3")
	s.git("checkout", "-q", "main")
	dist := t.TempDir()
	if err := (release{version: "v1.2.3", url: "https://x", to: dist}).name(nil); err != nil {
		t.Fatal(err)
	}
	if out, err := s.run("tag-release", dist, "v1.2.3"); err == nil || !strings.Contains(out, "already there") || s.remote("v1.2.3") != commit {
		t.Errorf("got %v\n%s", err, out)
	}
	if out, err := s.run("tag-release", dist, "v1.2.4"); err == nil || !strings.Contains(out, "not that of v1.2.4") {
		t.Errorf("got %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "go.mod"), []byte("module example.com/other\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (release{version: "v1.2.4", url: "https://x", to: dist}).name(nil); err != nil {
		t.Fatal(err)
	}
	if out, err := s.run("tag-release", dist, "v1.2.4"); err == nil || !strings.Contains(out, "go.mod") || s.remote("v1.2.4") != "" {
		t.Errorf("got %v\n%s", err, out)
	}
}

func TestTheMajorTagFollowsTheNewestFinalVersion(t *testing.T) {
	s := newShop(t)
	for _, step := range []struct{ released, want string }{
		{"v1.2.3", "v1.2.3"}, {"v1.10.0", "v1.10.0"}, {"v1.9.1", "v1.10.0"}, {"v1.11.0-rc.1", "v1.10.0"}, {"v2.0.0", "v1.10.0"},
	} {
		s.release(step.released)
		if s.remote("v1") != s.remote(step.want) {
			t.Errorf("after %s, v1 is not at %s", step.released, step.want)
		}
	}
	if s.remote("v2") != s.remote("v2.0.0") {
		t.Error("v2 is not at v2.0.0")
	}
}
