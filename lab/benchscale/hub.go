package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/github"
)

// hub is a service's repository on a GitHub double of its own, with its checkout, and where its images are.
type hub struct {
	gh         *github.Server
	repo       *github.Repository
	clone      string
	token      string
	repository name.Repository
	service    *service
}

func newHub(ctx context.Context, s *service) (*hub, error) {
	dir, err := s.w.dir("github")
	if err != nil {
		return nil, err
	}
	h := &hub{service: s, clone: filepath.Join(dir, "clone")}
	// It is closed by its owner: the work that makes many hubs at once is over before they are used.
	if h.gh, err = github.Start(context.WithoutCancel(ctx), github.Options{Dir: filepath.Join(dir, "double")}); err != nil {
		return nil, err
	}
	if h.repository, err = name.NewRepository(s.w.registry + "/acme/" + s.namespace); err != nil {
		return nil, err
	}
	for login, person := range map[string]string{"ada": "Ada", "grace": "Grace"} {
		if err := h.gh.AddUser(login, person, login+"@example.com"); err != nil {
			return nil, err
		}
	}
	if h.repo, err = h.gh.CreateRepository(ctx, "acme/web", github.RepositoryOptions{Private: true}); err != nil {
		return nil, err
	}
	for _, login := range []string{"ada", "grace"} {
		if err := h.repo.Grant(login, github.Write); err != nil {
			return nil, err
		}
	}
	h.token, err = h.repo.NewToken(github.Bot, map[string]string{"contents": "read", "statuses": "write", "pull-requests": "write", "deployments": "write"})
	if err != nil {
		return nil, err
	}
	if err := git(ctx, "clone", "--quiet", h.repo.Path(), h.clone); err != nil {
		return nil, err
	}
	file := filepath.Join(h.clone, "deploy", "web.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, []byte(manifests), 0o600); err != nil {
		return nil, err
	}
	return h, h.git(ctx, [][]string{{"checkout", "--quiet", "-B", "main"}, {"add", "--all"}, {"commit", "--quiet", "-m", "Begin"}, {"push", "--quiet", "origin", "main"}})
}

// merged opens a pull request, gives its head an image, has it approved, merges it and checks the merge out.
func (h *hub) merged(ctx context.Context, branch string) (github.Event, error) {
	if err := os.WriteFile(filepath.Join(h.clone, "README.md"), []byte(branch+"\n"), 0o600); err != nil {
		return github.Event{}, err
	}
	err := h.git(ctx, [][]string{{"checkout", "--quiet", "-B", branch}, {"add", "--all"}, {"commit", "--quiet", "-m", "Change " + branch}, {"push", "--quiet", "origin", branch}})
	if err != nil {
		return github.Event{}, err
	}
	pull, _, err := h.repo.OpenPullRequest(ctx, branch, "main", "Change "+branch, "ada")
	if err != nil {
		return github.Event{}, err
	}
	if err := remote.Write(h.repository.Tag(pull.Head), h.service.w.image, remote.WithContext(ctx)); err != nil {
		return github.Event{}, err
	}
	if _, err := h.repo.Approve(ctx, pull.Number, "grace"); err != nil {
		return github.Event{}, err
	}
	merged, err := h.repo.Merge(ctx, pull.Number, github.Squash, "ada")
	if err != nil {
		return github.Event{}, err
	}
	return merged.Push, h.git(ctx, [][]string{{"fetch", "--quiet", "origin", "main"}, {"checkout", "--quiet", "-B", "main", merged.SHA}})
}

func (h *hub) git(ctx context.Context, commands [][]string) error {
	for _, args := range commands {
		if err := git(ctx, append([]string{"-C", h.clone}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

func git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
