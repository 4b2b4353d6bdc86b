package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/org/promote/lab/github"
)

// hub is a repository on GitHub's double, with its checkout.
type hub struct {
	w      *world
	server *github.Server
	repo   *github.Repository
	clone  string
	token  string
}

func (w *world) newHub(ctx context.Context) (*hub, error) {
	dir, err := os.MkdirTemp(w.work, "hub-")
	if err != nil {
		return nil, err
	}
	h := &hub{w: w, clone: filepath.Join(dir, "clone")}
	if h.server, err = github.Start(ctx, github.Options{Dir: filepath.Join(dir, "github")}); err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func(context.Context) { _ = h.server.Close() })
	if err := h.server.AddUser("ada", "Ada", "ada@example.com"); err != nil {
		return nil, err
	}
	if h.repo, err = h.server.CreateRepository(ctx, "acme/web", github.RepositoryOptions{Private: true}); err != nil {
		return nil, err
	}
	if err := h.repo.Grant("ada", github.Write); err != nil {
		return nil, err
	}
	h.token, err = h.repo.NewToken(github.Bot, map[string]string{"contents": "read", "statuses": "write", "pull-requests": "write", "deployments": "write"})
	if err != nil {
		return nil, err
	}
	if err := git(ctx, "", "clone", "--quiet", h.repo.Path(), h.clone); err != nil {
		return nil, err
	}
	return h, nil
}

// begin puts the manifests on the base branch.
func (h *hub) begin(ctx context.Context, manifests string) error {
	file := filepath.Join(h.clone, "deploy", "web.yaml")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(manifests), 0o600)); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"checkout", "--quiet", "-B", "main"}, {"add", "--all"}, {"commit", "--quiet", "-m", "Begin"}, {"push", "--quiet", "origin", "main"},
	} {
		if err := git(ctx, h.clone, args...); err != nil {
			return err
		}
	}
	return nil
}

// merge opens a pull request for a change, gives its head an image, merges it, and checks the merge out.
func (h *hub) merge(ctx context.Context, change string) (github.Event, error) {
	for _, args := range [][]string{
		{"checkout", "--quiet", "-B", change}, {"commit", "--quiet", "--allow-empty", "-m", "Change " + change}, {"push", "--quiet", "origin", change},
	} {
		if err := git(ctx, h.clone, args...); err != nil {
			return github.Event{}, err
		}
	}
	pull, _, err := h.repo.OpenPullRequest(ctx, change, "main", "Change "+change, "ada")
	if err != nil {
		return github.Event{}, err
	}
	head, err := exec.CommandContext(ctx, "git", "-C", h.clone, "rev-parse", "HEAD").Output()
	if err != nil {
		return github.Event{}, fmt.Errorf("reading the head of %s: %w", change, err)
	}
	if err := remote.Write(h.w.repository.Tag(strings.TrimSpace(string(head))), h.w.pushed, remote.WithContext(ctx)); err != nil {
		return github.Event{}, err
	}
	merged, err := h.repo.Merge(ctx, pull.Number, github.Squash, "ada")
	if err != nil {
		return github.Event{}, err
	}
	return merged.Push, errors.Join(
		git(ctx, h.clone, "fetch", "--quiet", "origin", "main"),
		git(ctx, h.clone, "checkout", "--quiet", "-B", "main", merged.SHA))
}

func git(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
