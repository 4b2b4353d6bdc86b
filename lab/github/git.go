package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// gitDir is the path of a bare repository. Everything git does here is done by the git command.
type gitDir string

// gitError is a git command that ended with an error.
type gitError struct {
	args   []string
	code   int
	stderr string
}

func (e *gitError) Error() string {
	return fmt.Sprintf("running git %s: exit %d: %s", strings.Join(e.args, " "), e.code, strings.TrimSpace(e.stderr))
}

// run executes git with nothing of the caller's configuration or environment, so that a lab behaves the
// same on every machine.
func (g gitDir) run(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"--git-dir=" + string(g)}, args...)...)
	return runGit(cmd, env, args)
}

func runGit(cmd *exec.Cmd, env, args []string) (string, error) {
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "LC_ALL=C",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
	}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return stdout.String(), &gitError{args: args, code: exit.ExitCode(), stderr: stderr.String()}
	case err != nil:
		return "", fmt.Errorf("running git (install git 2.38 or newer): %w", err)
	}
	return stdout.String(), nil
}

// initBare makes an empty bare repository with no hooks.
func initBare(ctx context.Context, path, branch string) error {
	_, err := gitDir(path).run(ctx, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+branch, path)
	return err
}

func (s *Server) git(repo *repository) gitDir { return gitDir(s.gitPath(repo.fullName())) }

func (s *Server) gitPath(fullName string) string {
	return filepath.Join(s.dir, "repositories", filepath.FromSlash(key(fullName))+".git")
}

var (
	fullSHA  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shortSHA = regexp.MustCompile(`^[0-9a-f]{4,40}$`)
)

// validBranch keeps what git would read as an option or an expression away from git.
func validBranch(name string) bool {
	if name == "" || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.HasSuffix(name, ".lock") {
		return false
	}
	return !strings.ContainsAny(name, " ~^:?*[\\\x7f") && !strings.Contains(name, "..") && !strings.Contains(name, "@{") &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' })
}

// refSHA is what a full ref name points to, or "" when it does not exist.
func (g gitDir) refSHA(ctx context.Context, ref string) (string, error) {
	if !validBranch(ref) {
		return "", nil
	}
	out, err := g.run(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	var failed *gitError
	if errors.As(err, &failed) {
		return "", nil
	}
	return strings.TrimSpace(out), err
}

// resolve finds the commit that a ref of the API means: a branch, a tag, heads/x, tags/x, HEAD or a SHA,
// which may be short. "" means that there is none.
func (g gitDir) resolve(ctx context.Context, ref string) (string, error) {
	candidates := []string{"refs/heads/" + ref, "refs/tags/" + ref}
	if strings.HasPrefix(ref, "heads/") || strings.HasPrefix(ref, "tags/") {
		candidates = append(candidates, "refs/"+ref)
	}
	if shortSHA.MatchString(ref) || ref == "HEAD" || strings.HasPrefix(ref, "refs/") {
		candidates = append(candidates, ref)
	}
	for _, candidate := range candidates {
		if sha, err := g.refSHA(ctx, candidate); sha != "" || err != nil {
			return sha, err
		}
	}
	return "", nil
}

func (g gitDir) updateRef(ctx context.Context, ref, sha string) error {
	_, err := g.run(ctx, nil, "update-ref", ref, sha)
	return err
}

// isAncestor says whether older is reachable from newer.
func (g gitDir) isAncestor(ctx context.Context, older, newer string) (bool, error) {
	_, err := g.run(ctx, nil, "merge-base", "--is-ancestor", older, newer)
	var failed *gitError
	if errors.As(err, &failed) && failed.code == 1 {
		return false, nil
	}
	return err == nil, err
}

// mergeBase is the best common ancestor, or "" when the histories share nothing.
func (g gitDir) mergeBase(ctx context.Context, a, b string) (string, error) {
	out, err := g.run(ctx, nil, "merge-base", a, b)
	var failed *gitError
	if errors.As(err, &failed) && failed.code == 1 {
		return "", nil
	}
	return strings.TrimSpace(out), err
}
