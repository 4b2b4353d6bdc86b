// Package change says which commit a workflow run is about. It turns the event that started the run into a [Change]: the
// head commit as its author pushed it, never the merge commit that GitHub makes for pull requests and moves with the base.
//
// It is pure: bytes in, a value out. It refuses what must not be acted on. A run that has nothing to do is a [Neutral]
// error (a fork, a review that is not an approval, a deleted branch), a run that may not go on is a [Refusal], and a
// payload that does not read as GitHub's is an error that names the field. Payloads come from pull requests and are
// hostile: commit hashes, names and refs are checked; titles stay data and are for the printer to escape.
//
//	c, err := change.FromEvent("pull_request", payload)
//	var neutral *change.Neutral
//	if errors.As(err, &neutral) { … nothing to do, and neutral.Reason says why … }
//	fmt.Println(c.Head) // 40 hex digits
package change

import "fmt"

// Change is a head commit and where it came from.
type Change struct {
	// Repository is owner/name.
	Repository string
	// Event is GitHub's name of the event, for instance "pull_request".
	Event string
	// PullRequest is the number of the pull request, 0 when the event knows none.
	PullRequest int
	// Head is the commit that is tested, built and deployed: 40 (or 64) hex digits. It is empty for workflow_dispatch
	// without a "commit" input, whose payload names no commit: see [Change.At].
	Head string
	// Tree is the git tree of Head and Merge the commit that brought it to the base branch. Both are filled in by who
	// can ask for them.
	Tree, Merge string
	// HeadRef and BaseRef are branch names without refs/heads/. BaseRef is empty for a push.
	HeadRef, BaseRef string
	// Title and Author are text from outside: escape them before printing.
	Title, Author string
}

// At returns the change with another head commit, which is checked like those in payloads.
func (c Change) At(head string) (Change, error) {
	if err := CheckCommit("commit", head); err != nil {
		return Change{}, err
	}
	c.Head = head
	return c, nil
}

// Subject names the change for messages: the pull request if there is one, else the commit.
func (c Change) Subject() string {
	if c.PullRequest > 0 {
		return fmt.Sprintf("pull request #%d", c.PullRequest)
	}
	return "commit " + Short(c.Head)
}

// Short is the first seven digits of a commit hash, as people write it.
func Short(commit string) string {
	if len(commit) < 7 {
		return commit
	}
	return commit[:7]
}

// Neutral says that there is nothing to do, and why. The run ends well.
type Neutral struct {
	// Name is the reason's short name, for instance "fork"; empty for reasons that are not about an event.
	Name string
	// Reason is a sentence without a full stop.
	Reason string
}

func (n *Neutral) Error() string { return "nothing to do: " + n.Reason }

// Refusal says that something may not go on. The run fails.
type Refusal struct {
	// Name is the reason's short name, for instance "unknown-event"; empty for reasons that are not about an event.
	Name string
	// Subject is what was refused, for instance "merge commit 1a2b3c4".
	Subject string
	// Reason says why, Fix what a person can do about it.
	Reason, Fix string
}

func (r *Refusal) Error() string {
	text := fmt.Sprintf("refusing %s: %s", r.Subject, r.Reason)
	if r.Fix != "" {
		text += "; " + r.Fix
	}
	return text
}
