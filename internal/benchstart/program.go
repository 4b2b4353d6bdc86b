package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// program is one action's program, alone and as install.sh finds it in a tree that a release was made of.
type program struct {
	action, path, script string
	environment          []string
	// size and packed are in millions of bytes.
	size, packed float64
}

// version is that of the release that is played.
const version = "v0.0.0"

// prepare builds a program and the tree.
func prepare(ctx context.Context, place, action string) (*program, error) {
	p := &program{action: action, path: filepath.Join(place, action), script: filepath.Join(place, "tree", "actions", "install.sh")}
	p.environment = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + place, "RUNNER_TOOL_CACHE=" + filepath.Join(place, "cache"), "PROMOTE_MIRROR=" + filepath.Join(place, "mirror")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", p.path, "./actions/"+action)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %q (run this in the repository's root): %w\n%s", action, err, said)
	}
	data, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, errWrite := w.Write(data)
	if err := errors.Join(errWrite, w.Close()); err != nil {
		return nil, err
	}
	p.size, p.packed = float64(len(data))/1e6, float64(packed.Len())/1e6
	name := action + "_" + runtime.GOOS + "_" + runtime.GOARCH
	files := map[string][]byte{
		filepath.Join("mirror", version, name+".gz"):        packed.Bytes(),
		filepath.Join("tree", "actions", action, "main.go"): nil,
		filepath.Join("tree", "release.json"): fmt.Appendf(nil, "{\n  \"version\": %q,\n  \"url\": \"\",\n  \"programs\": {\n    %q: {\"sha256\": \"%x\", \"gz\": \"%x\"}\n  }\n}\n",
			version, name, sha256.Sum256(data), sha256.Sum256(packed.Bytes())),
	}
	for _, script := range []string{"install.sh", "install-fetch.sh"} {
		if files[filepath.Join("tree", "actions", script)], err = os.ReadFile(filepath.Join("actions", script)); err != nil {
			return nil, err
		}
	}
	for path, data := range files {
		path = filepath.Join(place, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o755)); err != nil { //nolint:gosec // scripts
			return nil, err
		}
	}
	return p, nil
}

// measure starts the program alone and through install.sh by turns. The first start of each fills the caches and is not counted.
func (p *program) measure(ctx context.Context, rounds int) (alone, shimmed times, err error) {
	for round := range rounds + 1 {
		direct, err := p.start(ctx, p.path)
		if err != nil {
			return times{}, times{}, err
		}
		through, err := p.start(ctx, p.script, p.action)
		if err != nil {
			return times{}, times{}, err
		}
		if round > 0 {
			alone.add(direct)
			shimmed.add(through)
		}
	}
	alone.settle()
	shimmed.settle()
	return alone, shimmed, nil
}

// start runs a command until it has said that inputs are missing.
func (p *program) start(ctx context.Context, name string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = p.environment
	began := time.Now()
	said, err := cmd.CombinedOutput()
	took := time.Since(began)
	if cmd.ProcessState == nil {
		return 0, fmt.Errorf("starting %q: %w", p.action, err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(said), "::error") {
		return 0, fmt.Errorf("starting %q without inputs: exit code %d, want 1 and an error that names them\n%s", p.action, code, said)
	}
	return took, nil
}

// times are durations in milliseconds.
type times struct {
	all                 []float64
	least, median, most float64
}

func (t *times) add(d time.Duration) { t.all = append(t.all, float64(d)/float64(time.Millisecond)) }

func (t *times) settle() {
	slices.Sort(t.all)
	t.least, t.median, t.most = t.all[0], t.all[len(t.all)/2], t.all[len(t.all)-1]
}

func (t times) String() string { return fmt.Sprintf("%.0f (%.0f–%.0f)", t.median, t.least, t.most) }
