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
	"github.com/org/promote/pkg/command"
)

// Commit is what is checked out.
type Commit struct {
	// Hash and Tree are 40 (or 64) hex digits.
	Hash, Tree string
}

// NoGitError says that the checked-out commit cannot be told, since git or the repository's history is not there.
type NoGitError struct{ Reason string }

func (e *NoGitError) Error() string { return "reading the commit that is checked out: " + e.Reason }

// Git is a git command that only reads what is in dir. The repository's own configuration may be of whoever ran code on this runner
// before, and names programs: those that can be named are not run, and none gets the run's inputs and credentials.
func Git(ctx context.Context, dir string, args ...string) *exec.Cmd {
	safe := []string{
		// In a container job the folder belongs to another user, which git refuses without this.
		"-c", "safe.directory=*",
		"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
		// An object that is missing is not fetched, for which git would start what the configuration names.
		"-c", "protocol.allow=never", "-c", "core.sshCommand=false", "-c", "credential.helper=",
		// Other steps may use the same repository: take no lock for a refreshed index.
		"--no-optional-locks", "--no-pager", "-C", dir,
	}
	cmd := exec.CommandContext(ctx, "git", append(safe, args...)...)
	cmd.Env, _ = command.Environ(cmd.Environ(), nil)
	cmd.Env = append(cmd.Env, "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1")
	return cmd
}

// At gives the commit that is checked out in dir.
func At(ctx context.Context, dir string) (Commit, error) {
	out, err := Git(ctx, dir, "rev-parse", "HEAD", "HEAD^{tree}").Output()
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
