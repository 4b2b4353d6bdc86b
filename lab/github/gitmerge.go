package github

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// webFlow is the committer of everything GitHub commits itself.
var webFlow = person{Name: "GitHub", Email: "noreply@github.com"}

// errConflict says that two commits do not merge without a person.
var errConflict = errors.New("merge conflict")

// mergeTree is the tree of head merged into base, made without a work tree; errConflict if there is none.
func (g gitDir) mergeTree(ctx context.Context, base, head string) (string, error) {
	out, err := g.run(ctx, nil, "merge-tree", "--write-tree", "--no-messages", base, head)
	var failed *gitError
	if errors.As(err, &failed) && (failed.code == 1 || strings.Contains(failed.stderr, "unrelated histories")) {
		return "", errConflict
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(out), nil
}

// commitTree makes a commit and returns its SHA.
func (g gitDir) commitTree(ctx context.Context, tree, message string, author, committer person, parents ...string) (string, error) {
	args := []string{"commit-tree", tree, "-m", message}
	for _, parent := range parents {
		args = append(args, "-p", parent)
	}
	out, err := g.run(ctx, identity(author, committer), args...)
	return strings.TrimSpace(out), err
}

func identity(author, committer person) []string {
	return append(committerEnv(committer),
		"GIT_AUTHOR_NAME="+author.Name, "GIT_AUTHOR_EMAIL="+author.Email, "GIT_AUTHOR_DATE="+author.Date.Format(time.RFC3339))
}

func committerEnv(p person) []string {
	return []string{"GIT_COMMITTER_NAME=" + p.Name, "GIT_COMMITTER_EMAIL=" + p.Email, "GIT_COMMITTER_DATE=" + p.Date.Format(time.RFC3339)}
}

// rebase replays the commits of head that base lacks onto base and returns the new tip. Like GitHub it
// always makes new commits, with itself as the committer, even where a fast-forward would do.
func (g gitDir) rebase(ctx context.Context, base, head string, committer person) (string, error) {
	parent, err := os.MkdirTemp("", "promote-rebase-")
	if err != nil {
		return "", fmt.Errorf("rebasing: %w", err)
	}
	defer func() {
		// What stays behind lies in the system's folder for what is temporary.
		_ = os.RemoveAll(parent)
	}()
	tree := filepath.Join(parent, "tree")
	if _, err := g.run(ctx, nil, "worktree", "add", "--quiet", "--detach", tree, head); err != nil {
		return "", err
	}
	defer func() {
		// A record of a work tree that is gone does no harm: git prunes it by itself.
		_, _ = g.run(context.WithoutCancel(ctx), nil, "worktree", "remove", "--force", tree)
	}()
	in := func(args ...string) (string, error) {
		return runGit(exec.CommandContext(ctx, "git", append([]string{"-C", tree}, args...)...), committerEnv(committer), args)
	}
	var failed *gitError
	if _, err := in("rebase", "--quiet", "--no-ff", base); errors.As(err, &failed) {
		return "", errConflict
	} else if err != nil {
		return "", err
	}
	out, err := in("rev-parse", "HEAD")
	return strings.TrimSpace(out), err
}
