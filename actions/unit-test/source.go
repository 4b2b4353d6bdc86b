package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	checkedout "github.com/org/promote/pkg/source"
)

// source is what is tested.
type source struct {
	change.Change
	// exact says that the folder holds the very tree of the commit; else a result proves nothing about that tree.
	exact   bool
	parents []string
	hints   hints
}

// theSource reads the event and makes sure that the folder holds that very commit: a status on a commit must not speak of
// another one's tests.
func theSource(ctx context.Context, a *gha.Action, gh *github.Client, in inputs) (source, error) {
	name, payload, err := a.Event()
	if err != nil {
		return source{}, err
	}
	c, err := change.FromEvent(name, payload)
	if err != nil {
		return source{}, err
	}
	if c.Head == "" { // a person started the run: GitHub names the commit beside the payload
		if c, err = c.At(a.Env().SHA); err != nil {
			return source{}, err
		}
	}
	s := source{Change: c, hints: readHints(name, payload, a.Env().RunAttempt)}
	out, err := checkedOut(ctx, in.dir)
	var missing *noGit
	switch {
	case errors.As(err, &missing):
		a.Warningf("%v; the tree is asked from GitHub, and nothing proves that the folder holds it", err)
		s.Tree, err = gh.Tree(ctx, c.Head)
		return s, err
	case err != nil:
		return source{}, err
	case out.commit != c.Head:
		return source{}, &change.Refusal{
			Subject: "the folder " + in.dir,
			Reason:  fmt.Sprintf("it holds commit %s, and the run is about %s", change.Short(out.commit), change.Short(c.Head)),
			Fix:     "give actions/checkout `ref: ${{ github.event.pull_request.head.sha || github.sha }}`",
		}
	}
	s.Tree, s.parents, s.exact = out.tree, out.parents, out.changed == ""
	if !s.exact {
		a.Infof("%s differs from the commit, so this run proves nothing about its tree", out.changed)
	}
	return s, nil
}

// noGit says that the checked-out commit cannot be told, since git or the repository's history is not there.
type noGit struct{ reason string }

func (n *noGit) Error() string { return "reading the commit that is checked out: " + n.reason }

// checkout is what git says about a folder.
type checkout struct {
	commit, tree string
	parents      []string
	// changed is the first file that differs from the commit; files that git does not know are left out, as builds and
	// caches make them.
	changed string
}

// checkedOut asks git what is in dir.
func checkedOut(ctx context.Context, dir string) (checkout, error) {
	ids, err := git(ctx, dir, "rev-parse", "HEAD", "HEAD^{tree}")
	if err != nil {
		return checkout{}, err
	}
	lines := strings.Fields(ids)
	if len(lines) != 2 {
		return checkout{}, &noGit{reason: fmt.Sprintf("git printed %d words instead of 2", len(lines))}
	}
	found := checkout{commit: lines[0], tree: lines[1]}
	if err := errors.Join(change.CheckCommit("HEAD", found.commit), change.CheckCommit("HEAD's tree", found.tree)); err != nil {
		return checkout{}, err
	}
	// The commit itself names its parents, also in a shallow clone, which has them not.
	commit, err := git(ctx, dir, "cat-file", "commit", "HEAD")
	if err != nil {
		return checkout{}, err
	}
	header, _, _ := strings.Cut(commit, "\n\n")
	for line := range strings.Lines(header) {
		if parent, ok := strings.CutPrefix(strings.TrimSpace(line), "parent "); ok {
			found.parents = append(found.parents, parent)
		}
	}
	changed, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return checkout{}, err
	}
	if line, _, _ := strings.Cut(changed, "\n"); len(line) > 3 {
		found.changed = line[3:]
	}
	return found, nil
}

// git runs a command that reads.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := checkedout.Git(ctx, dir, args...).Output()
	if err == nil {
		return string(out), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	reason := err.Error()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		reason, _, _ = strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
	}
	return "", &noGit{reason: reason}
}
