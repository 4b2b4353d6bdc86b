package demo

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/promote/lab/github"
)

// changes are the pull requests of the story, as patches on the example.
//
//go:embed changes/*.patch
var changes embed.FS

// makeRepository makes the bare repository with the workflow templates on main, and a clone for the author.
func (s *scene) makeRepository(ctx context.Context) error {
	var err error
	if s.repo, err = s.hub.CreateRepository(ctx, s.service.repository, github.RepositoryOptions{Private: true}); err != nil {
		return err
	}
	if err := errors.Join(s.repo.Grant(author, github.Write), s.repo.Grant(reviewer, github.Write)); err != nil {
		return err
	}
	s.clone = filepath.Join(s.dir, "clone")
	if err := s.git(ctx, "", "clone", "--quiet", s.repo.Path(), s.clone); err != nil {
		return err
	}
	if err := s.git(ctx, s.clone, "checkout", "--quiet", "-B", "main"); err != nil {
		return err
	}
	if err := s.copyWorkflows(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.clone, "README.md"), []byte("# "+s.service.name+"\n"), 0o644); err != nil {
		return err
	}
	s.timeline.run("the repository %s holds the workflows", s.service.repository)
	return s.commit(ctx, "main", "Start the repository")
}

// copyWorkflows copies what takes a commit to production and back, and the sweep of previews, which GitHub starts from the default
// branch alone. The template that makes previews comes with a pull request of its own: it takes a right beyond one namespace, so
// whoever wants it asks for it.
func (s *scene) copyWorkflows() error {
	workflows, err := filepath.Glob(filepath.Join(s.service.workflows, "*.yml"))
	if err != nil || len(workflows) == 0 {
		return errors.Join(err, fmt.Errorf("finding workflows: there is no *.yml in %q", s.service.workflows))
	}
	for _, from := range workflows {
		if filepath.Base(from) == "preview.yml" {
			continue
		}
		if err := s.copyWorkflow(filepath.Base(from)); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) copyWorkflow(name string) error {
	return copyFile(filepath.Join(s.service.workflows, name), filepath.Join(s.clone, ".github", "workflows", name))
}

// write commits a change on a branch of its own from main, and pushes it.
func (s *scene) write(ctx context.Context, branch, message string, change func(context.Context) error) error {
	for _, args := range [][]string{{"fetch", "--quiet", "origin"}, {"checkout", "--quiet", "-B", branch, "origin/main"}} {
		if err := s.git(ctx, s.clone, args...); err != nil {
			return err
		}
	}
	if err := change(ctx); err != nil {
		return err
	}
	return s.commit(ctx, branch, message)
}

// copyService copies the service's files into the clone.
func (s *scene) copyService(context.Context) error {
	return os.CopyFS(s.clone, without{os.DirFS(s.service.source), s.service.without})
}

// readme writes more into the README, which changes nothing that runs.
func (s *scene) readme(context.Context) error {
	return os.WriteFile(filepath.Join(s.clone, "README.md"), []byte("# checkout\n\nTakes orders and signs receipts.\n"), 0o644)
}

// patch applies the change whose file name starts with the number.
func (s *scene) patch(number string) func(context.Context) error {
	return func(ctx context.Context) error {
		names, err := fs.Glob(changes, "changes/"+number+"-*.patch")
		if err != nil || len(names) != 1 {
			return errors.Join(err, fmt.Errorf("finding change %s: %d files", number, len(names)))
		}
		data, err := changes.ReadFile(names[0])
		if err != nil {
			return err
		}
		file := filepath.Join(s.dir, filepath.Base(names[0]))
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
		return s.git(ctx, s.clone, "apply", "--index", file)
	}
}

// without leaves out what has one of the names at the top.
type without struct {
	fs.FS
	names []string
}

func (f without) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.FS, name)
	if name != "." {
		return entries, err
	}
	var kept []fs.DirEntry
	for _, e := range entries {
		if !slices.Contains(f.names, e.Name()) {
			kept = append(kept, e)
		}
	}
	return kept, err
}

func (s *scene) commit(ctx context.Context, branch, message string) error {
	for _, args := range [][]string{
		{"add", "--all"},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", message},
		{"push", "--quiet", "--force", "origin", branch},
	} {
		if err := s.git(ctx, s.clone, args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) git(ctx context.Context, dir string, args ...string) error {
	_, err := s.gitOutput(ctx, dir, args...)
	return err
}

func (s *scene) gitOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running git %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// randomText makes secrets that no log can hold by chance.
func randomText() string { return rand.Text() }
