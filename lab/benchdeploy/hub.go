package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/fault"
	"github.com/org/promote/lab/github"
)

const (
	accessKey = "AKIALABBENCH00000000"
	secretKey = "lab-bench-secret-key"
)

// hub is a repository with a pull request on GitHub's double, its checkout, and AWS's double.
type hub struct {
	w     *world
	repo  *github.Repository
	aws   *aws.Server
	clone string
	// url is GitHub's, through a front.
	url   string
	first firstRequest
	token string
	event github.Event
}

func newHub(ctx context.Context, w *world) (*hub, error) {
	h := &hub{w: w, clone: filepath.Join(w.work, "clone")}
	gh, err := github.Start(ctx, github.Options{Dir: filepath.Join(w.work, "github")})
	if err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func() { _ = gh.Close() })
	if h.aws, err = aws.Start(ctx, aws.Options{AccessKey: accessKey, SecretKey: secretKey}); err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func() { _ = h.aws.Close() })
	if _, err := h.aws.PutSecret(secretID, secretValue); err != nil {
		return nil, err
	}
	front, err := fault.NewInjector(h.first.note).Front(gh.URL(), nil)
	if err != nil {
		return nil, err
	}
	w.undo = append(w.undo, front.Close)
	h.url = front.URL
	return h, h.begin(ctx, gh)
}

// begin makes the repository and opens the pull request.
func (h *hub) begin(ctx context.Context, gh *github.Server) error {
	err := gh.AddUser("ada", "Ada", "ada@example.com")
	if err != nil {
		return err
	}
	if h.repo, err = gh.CreateRepository(ctx, "acme/web", github.RepositoryOptions{Private: true}); err != nil {
		return err
	}
	if err := h.repo.Grant("ada", github.Write); err != nil {
		return err
	}
	h.token, err = h.repo.NewToken(github.Bot, map[string]string{"contents": "read", "statuses": "write", "pull-requests": "write", "deployments": "write"})
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"clone", "--quiet", h.repo.Path(), h.clone},
		{"-C", h.clone, "checkout", "--quiet", "-B", "main"}, {"-C", h.clone, "commit", "--quiet", "--allow-empty", "-m", "Begin"},
		{"-C", h.clone, "push", "--quiet", "origin", "main"},
		{"-C", h.clone, "checkout", "--quiet", "-B", "topic"}, {"-C", h.clone, "commit", "--quiet", "--allow-empty", "-m", "Change"},
		{"-C", h.clone, "push", "--quiet", "origin", "topic"},
	} {
		if err := git(ctx, args...); err != nil {
			return err
		}
	}
	// Announced now, a later push is one to the pull request.
	if _, err = h.repo.PushBranch(ctx, "topic", "ada"); err != nil {
		return err
	}
	_, h.event, err = h.repo.OpenPullRequest(ctx, "topic", "main", "Change", "ada")
	return err
}

func git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// commit puts the manifests into the pull request, when they are not those that it has.
func (h *hub) commit(ctx context.Context, manifests string) error {
	file := filepath.Join(h.clone, "deploy", "objects.yaml")
	if data, err := os.ReadFile(file); err == nil && string(data) == manifests {
		return nil
	}
	err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(manifests), 0o600))
	for _, args := range [][]string{{"add", "--all"}, {"commit", "--quiet", "-m", "Change"}, {"push", "--quiet", "origin", "topic"}} {
		if err != nil {
			return err
		}
		err = git(ctx, append([]string{"-C", h.clone}, args...)...)
	}
	if err != nil {
		return err
	}
	events, err := h.repo.PushBranch(ctx, "topic", "ada")
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Name == "pull_request" {
			h.event = e
		}
	}
	return nil
}
