package change

import "fmt"

// Point is where a release stands in history: what an environment's state records of the release that serves, and what a
// change is about to put in its place.
type Point struct {
	// Head is the commit that was tested, Tree its git tree.
	Head, Tree string
	// Merge is the commit that brought Head to the base branch; empty for a release of a pull request that is open.
	Merge string
}

// Point gives the change's place in history.
func (c Change) Point() Point { return Point{Head: c.Head, Tree: c.Tree, Merge: c.Merge} }

// Relation is how the next commit stands to the one that serves.
type Relation string

const (
	// Same is one commit, or one tree.
	Same Relation = "same"
	// Newer holds the commit that serves.
	Newer Relation = "newer"
	// Older is held by it.
	Older Relation = "older"
	// Diverged is neither.
	Diverged Relation = "diverged"
	// Unknown is a commit that the repository no longer has (it was force-pushed away), or two without a common ancestor.
	Unknown Relation = "unknown"
)

// Comparison is the question that decides whether one release is older than another.
type Comparison struct {
	// Serving and Next are the commits to compare. Both are empty when there is nothing to ask: see [Compare].
	Serving, Next string
	// Merged says that both are commits on the base branch, whose history is one line.
	Merged bool
}

// Compare says which commits decide, and whether history must be asked at all. Merge commits are compared with each other:
// the heads of two squashed pull requests diverge however they came to the base branch. Where one of the two has none (an
// open pull request, or a state written before merges were recorded) the heads are. A release of unknown origin, such as one
// that was adopted, has nothing to be older than, and one tree is one content whatever its commits.
func Compare(next, serving Point) (Comparison, bool) {
	same := next.Head == serving.Head || next.Tree != "" && next.Tree == serving.Tree
	if serving.Head == "" || next.Head == "" || same {
		return Comparison{}, false
	}
	if next.Merge != "" && serving.Merge != "" {
		return Comparison{Serving: serving.Merge, Next: next.Merge, Merged: true}, true
	}
	return Comparison{Serving: serving.Head, Next: next.Head}, true
}

// CheckOrder refuses to put an older release in the place of a newer one, unless that is what was asked for. Open pull
// requests diverge all the time and take turns in test and stage, so that there only an ancestor of what serves is older.
// Commits of the base branch come one after the other: one that does not hold what serves would take something away.
func CheckOrder(by Comparison, r Relation, allowRollback bool) error {
	if allowRollback || r == Same || r == Newer {
		return nil
	}
	var reason string
	switch {
	case r == Older:
		reason = fmt.Sprintf("it is older than commit %s, which serves and holds it already (a run that was started again?)", Short(by.Serving))
	case !by.Merged && (r == Diverged || r == Unknown):
		return nil
	case r == Diverged:
		reason = fmt.Sprintf("commit %s, which serves, is not in its history: the base branch was rewritten, or the two are of different branches", Short(by.Serving))
	case r == Unknown:
		reason = fmt.Sprintf("the repository no longer knows how it stands to commit %s, which serves: one of them was taken off the base branch", Short(by.Serving))
	default:
		return fmt.Errorf("comparing commit %q with %q: unknown relation %q", by.Next, by.Serving, r)
	}
	return &Refusal{
		Name: "not-newer", Subject: "commit " + Short(by.Next), Reason: reason,
		Fix: "set the input `allow-rollback: true` if going back is what you want",
	}
}
