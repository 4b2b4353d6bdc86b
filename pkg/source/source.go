// Package source says which commit a folder holds. Manifests, Dockerfiles and tests are read from the checkout that a run
// works in; what a status or a release says of a commit is only true when the folder holds that very commit.
//
// It runs git and no hook of the repository, and it refuses to guess: a folder whose history is not there is a [NoGitError].
//
//	at, err := source.At(ctx, workspace)
//	if err == nil && at.Tree != change.Tree { … another tree than the one that was tested }
package source

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/org/promote/pkg/change"
)

// Commit is what is checked out.
type Commit struct {
	// Hash and Tree are 40 (or 64) hex digits.
	Hash, Tree string
}

// NoGitError says that the checked-out commit cannot be told, since git or the repository's history is not there.
type NoGitError struct{ Reason string }

func (e *NoGitError) Error() string { return "reading the commit that is checked out: " + e.Reason }

// At gives the commit that is checked out in dir.
func At(ctx context.Context, dir string) (Commit, error) {
	// In a container job the folder belongs to another user, which git refuses without this; the commands run no hooks.
	git := exec.CommandContext(ctx, "git", "-c", "safe.directory=*", "-C", dir, "rev-parse", "HEAD", "HEAD^{tree}")
	out, err := git.Output()
	if err != nil {
		if ctx.Err() != nil {
			return Commit{}, context.Cause(ctx)
		}
		reason := err.Error()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			reason, _, _ = strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		}
		return Commit{}, &NoGitError{Reason: reason}
	}
	lines := strings.Fields(string(out))
	if len(lines) != 2 {
		return Commit{}, &NoGitError{Reason: fmt.Sprintf("git printed %d words instead of 2", len(lines))}
	}
	c := Commit{Hash: lines[0], Tree: lines[1]}
	return c, errors.Join(change.CheckCommit("HEAD", c.Hash), change.CheckCommit("HEAD's tree", c.Tree))
}
