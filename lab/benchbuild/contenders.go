package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contenders are ko, go with crane, promote's builder go, and promote's action as a workflow runs it. All put the service on
// the same base, in the same registry, without SBOMs.
func contenders(ctx context.Context, s settings, r *images, work string) ([]*contender, error) {
	dirs := map[string]string{}
	for _, name := range []string{"ko", "crane", "go", "action"} {
		dirs[name] = filepath.Join(work, name, "checkout")
		if err := os.CopyFS(dirs[name], os.DirFS(s.source)); err != nil {
			return nil, err
		}
		// An action would find the Dockerfile; all of these do without.
		if err := os.RemoveAll(filepath.Join(dirs[name], "Dockerfile")); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	action, err := newActionRun(ctx, s.action, dirs["action"], work, r)
	if err != nil {
		return nil, err
	}
	return []*contender{
		{name: "ko build", dir: dirs["ko"], build: func(ctx context.Context) (string, error) {
			out, err := command(ctx, dirs["ko"], []string{"KO_DOCKER_REPO=" + r.host + "/ko", "KO_DEFAULTBASEIMAGE=" + r.base},
				s.ko, "build", "--bare", "--sbom=none", "--platform=linux/amd64", "--tags=test", ".")
			_, digest, _ := strings.Cut(strings.TrimSpace(out), "@")
			return digest, err
		}},
		{name: "go build + crane append", dir: dirs["crane"], build: func(ctx context.Context) (string, error) {
			return craneBuild(ctx, s.crane, dirs["crane"], work, r)
		}},
		{name: "promote, builder go", dir: dirs["go"], build: func(ctx context.Context) (string, error) {
			return command(ctx, dirs["go"], nil, self, onceVerb, dirs["go"], r.base, r.host+"/go/checkout")
		}},
		{name: "promote, the whole action", dir: dirs["action"], prepare: action.commit, build: action.run},
	}, nil
}

// craneBuild is what a person writes who wants neither: compile, pack, append.
func craneBuild(ctx context.Context, crane, dir, work string, r *images) (string, error) {
	root := filepath.Join(work, "root")
	if _, err := command(ctx, dir, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(root, "checkout"), "."); err != nil {
		return "", err
	}
	layer := filepath.Join(work, "layer.tar.gz")
	if _, err := command(ctx, root, nil, "tar", "-czf", layer, "checkout"); err != nil {
		return "", err
	}
	out, err := command(ctx, dir, nil, crane, "append", "--insecure", "-b", r.base, "-f", layer, "-t", r.host+"/crane/checkout:test")
	_, digest, _ := strings.Cut(strings.TrimSpace(out), "@")
	return digest, err
}

// command runs a program and gives what it printed.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("running %s: %w\n%s%s", filepath.Base(name), err, out, failed.String())
	}
	return strings.TrimSpace(string(out)), nil
}
