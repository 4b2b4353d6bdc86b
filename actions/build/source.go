package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
	checkedout "github.com/org/promote/pkg/source"
)

// source is the checked-out commit that an image is made of.
type source struct {
	tree string
	time time.Time
	// prefix is the build context's path in the repository, "" for its root.
	prefix string
	// extra says that the context holds files which git ignores: the builder may see what the commit does not have.
	extra bool
}

// theChange reads which commit the event is about.
func theChange(a *gha.Action) (change.Change, error) {
	name, payload, err := a.Event()
	if err != nil {
		return change.Change{}, err
	}
	c, err := change.FromEvent(name, payload)
	if err == nil && c.Head == "" { // a person started the run: GitHub names the commit beside the payload
		return c.At(a.Env().SHA)
	}
	return c, err
}

// theSource makes sure that the build context is what the commit has in that folder, so that the image tagged with a
// commit is made of that commit.
func theSource(ctx context.Context, in inputs, c change.Change) (source, error) {
	facts, err := git(ctx, in.context, "show", "-s", "--format=%H %T %ct", "HEAD")
	if err != nil {
		return source{}, err
	}
	fields := strings.Fields(facts)
	if len(fields) != 3 {
		return source{}, fmt.Errorf("reading the checked-out commit: git printed %d words instead of 3", len(fields))
	}
	seconds, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return source{}, fmt.Errorf("reading the commit's time: %w", err)
	}
	if fields[0] != c.Head {
		return source{}, &change.Refusal{
			Subject: fmt.Sprintf("building %q", in.context),
			Reason:  fmt.Sprintf("it holds commit %s, and the image is to be that of commit %s", change.Short(fields[0]), change.Short(c.Head)),
			Fix:     "add `ref: ${{ github.event.pull_request.head.sha || github.sha }}` to actions/checkout",
		}
	}
	prefix, err := git(ctx, in.context, "rev-parse", "--show-prefix")
	if err != nil {
		return source{}, err
	}
	prefix = strings.TrimRight(prefix, "/\n")
	dir, paths := in.context, []string{".", in.dockerfile}
	switch in.material {
	case image.FromGo: // the compiler reads go.mod, and packages, wherever they are in the repository
		dir, paths = filepath.Join(in.context, up(prefix)), []string{"."}
	case image.FromFiles:
		paths = []string{"."}
	}
	listing, err := git(ctx, dir, append([]string{"--literal-pathspecs", "status", "--porcelain=v1", "-z", "--untracked-files=all",
		"--ignored=traditional", "--no-renames", "--"}, paths...)...)
	if err != nil {
		return source{}, err
	}
	dirty, extra := unlike(listing)
	if len(dirty) > 0 {
		return source{}, &change.Refusal{
			Subject: fmt.Sprintf("building %q", dir),
			Reason:  fmt.Sprintf("it is not what commit %s has there: %s", change.Short(c.Head), strings.Join(first(dirty, 10), ", ")),
			Fix:     "build before the steps that write these files, or list files that are no part of the source in .gitignore",
		}
	}
	return source{
		tree: fields[1], time: time.Unix(seconds, 0).UTC(), prefix: prefix, extra: extra,
	}, nil
}

// up is the way from a folder of the repository to its root.
func up(prefix string) string {
	if prefix == "" {
		return "."
	}
	return strings.Repeat("../", strings.Count(prefix, "/")+1)
}

// unlike reads `git status --porcelain=v1 -z`: paths that differ from the commit, with how, and whether there are ignored
// ones.
func unlike(listing string) (dirty []string, ignored bool) {
	for entry := range strings.SplitSeq(listing, "\x00") {
		if len(entry) < 4 {
			continue
		}
		status, path := entry[:2], entry[3:]
		switch status {
		case "!!":
			ignored = true
		case "??":
			dirty = append(dirty, fmt.Sprintf("%q is untracked", path))
		default:
			dirty = append(dirty, fmt.Sprintf("%q is changed", path))
		}
	}
	return dirty, ignored
}

// git runs a command that only reads.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := checkedout.Git(ctx, dir, args...).Output()
	if err == nil {
		return string(out), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		reason, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		err = errors.New(reason)
	}
	return "", fmt.Errorf("reading the commit that is checked out in %q: %w; put actions/checkout before this step, and git on the runner", dir, err)
}

// first gives at most so many items, and says how many there are besides.
func first(items []string, most int) []string {
	if len(items) <= most {
		return items
	}
	return append(append([]string{}, items[:most]...), fmt.Sprintf("and %d more", len(items)-most))
}
