package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

// newTree is a repository with one action, of its own past.
func newTree(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	write(t, filepath.Join(dir, "go.mod"), "module example.com/tree\n\ngo 1.26\n", 0o644)
	write(t, filepath.Join(dir, "actions/hello/main.go"), "package main\n\nfunc main() { println(\"hello\") }\n", 0o644)
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", name}} {
		git := exec.CommandContext(t.Context(), "git", args...)
		git.Dir = dir
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	return dir
}

func TestTwoBuildsGiveTheSameBytes(t *testing.T) {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	var sums [2]string
	for i, name := range []string{"here", "somewhere else/with another past"} {
		dir, program := newTree(t, name), filepath.Join(t.TempDir(), "hello")
		if i == 1 {
			t.Setenv("GOCACHE", t.TempDir()) // nothing that was compiled for the first
		}
		t.Setenv("GOFLAGS", []string{"", "-tags=nonsense"}[i])
		if err := build(t.Context(), dir, "hello", platform, program); err != nil {
			t.Fatal(err)
		}
		to := t.TempDir()
		if _, _, err := pack(program, "hello", to); err != nil {
			t.Fatal(err)
		}
		packed, err := os.ReadFile(filepath.Join(to, "hello.gz"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = fmt.Sprintf("%x", sha256.Sum256(packed))
	}
	if sums[0] != sums[1] {
		t.Errorf("one source gave %s and %s", sums[0], sums[1])
	}
}

func TestABundleIsWhatInstallTakes(t *testing.T) {
	place := t.TempDir()
	r := release{version: "v1.2.3", url: "https://nowhere.invalid/v1.2.3", to: filepath.Join(place, "dist"), created: time.Unix(1_700_000_000, 0)}
	write(t, filepath.Join(place, "hello"), "#!/bin/sh\necho released\n", 0o755)
	if err := os.Mkdir(r.to, 0o755); err != nil {
		t.Fatal(err)
	}
	p, _, err := pack(filepath.Join(place, "hello"), "hello_"+runtime.GOOS+"_"+runtime.GOARCH, r.to)
	if err != nil {
		t.Fatal(err)
	}
	programs := []program{p, {name: "other_plan9_mips", plain: "00", packed: "00"}}
	if err := errors.Join(r.name(programs), r.bundle(programs[:1]), r.sum()); err != nil {
		t.Fatal(err)
	}
	named, err := os.ReadFile(filepath.Join(r.to, "release.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(named) {
		t.Errorf("release.json is no JSON:\n%s", named)
	}
	published(t, r.to)
	tree := filepath.Join(place, "tree")
	write(t, filepath.Join(tree, "release.json"), string(named), 0o644)
	write(t, filepath.Join(tree, "actions/hello/main.go"), "", 0o644)
	for _, name := range []string{"install.sh", "install-fetch.sh"} {
		script, err := os.ReadFile(filepath.Join("../../actions", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(tree, "actions", name), string(script), 0o755)
	}
	install := exec.CommandContext(t.Context(), filepath.Join(tree, "actions/install.sh"), "hello")
	install.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PROMOTE_MIRROR=" + filepath.Join(r.to, "promote_v1.2.3_offline.tar")}
	if out, err := install.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "\nreleased\n") {
		t.Errorf("got %v\n%s", err, out)
	}
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "checksums.txt")
	check.Dir = r.to
	if out, err := check.CombinedOutput(); err != nil || strings.Count(string(out), ": OK") != 3 {
		t.Errorf("checking checksums.txt: %v\n%s", err, out)
	}
}

// published holds .goreleaser.yaml to all files but the changelog, which is the release's text.
func published(t *testing.T, dist string) {
	t.Helper()
	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Release struct {
			ExtraFiles []struct{ Glob string } `json:"extra_files"`
		}
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		taken := slices.ContainsFunc(config.Release.ExtraFiles, func(f struct{ Glob string }) bool {
			matches, err := filepath.Match(f.Glob, "dist/"+e.Name())
			return err == nil && matches
		})
		if !taken && e.Name() != "changelog.md" {
			t.Errorf(".goreleaser.yaml publishes no %s", e.Name())
		}
	}
}

// TestTheTreeNamesNoRelease holds the main branch to building from source: its sources are those of no release.
func TestTheTreeNamesNoRelease(t *testing.T) {
	data, err := os.ReadFile("../../release.json")
	if err != nil {
		t.Fatal(err)
	}
	var named struct{ Version string }
	if err := json.Unmarshal(data, &named); err != nil {
		t.Fatal(err)
	}
	if named.Version == "" {
		return
	}
	// Only a release's own commit names one, and it changes nothing else.
	changed, err := exec.CommandContext(t.Context(), "git", "diff", "--name-only", "HEAD~1", "HEAD").Output()
	if err != nil || strings.TrimSpace(string(changed)) != "release.json" {
		t.Errorf("release.json names %s, and this commit changes %q (%v); only the commit of a release may name one", named.Version, changed, err)
	}
}

func TestTheVersionBefore(t *testing.T) {
	tags := []string{"v1", "v1.2.0", "v1.10.0", "v1.9.0", "v2.0.0-rc.1", "v2.0.0", "vnext"}
	for version, want := range map[string]string{"v1.10.1": "v1.10.0", "v2.0.0": "v1.10.0", "v2.0.0-rc.2": "v2.0.0-rc.1", "v1.2.0": "", "v0.1.0": ""} {
		if got := before(version, tags); got != want {
			t.Errorf("before %s comes %q, want %q", version, got, want)
		}
	}
}

func TestWhatIsNoReleaseIsRefusedAtOnce(t *testing.T) {
	full := t.TempDir()
	write(t, filepath.Join(full, "old.gz"), "", 0o644)
	err := run(t.Context(), []string{"-version", "1.2", "-url", "http://x/", "-platforms", "linux_amd64,beos_ppc", "-to", full}, &bytes.Buffer{})
	for _, want := range []string{`-version "1.2"`, `-url "http://x/"`, `no "beos_ppc"`, "old.gz"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
}
