package release

import (
	"context"
	"errors"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/evidence"
)

// Enter is [Prepare] behind a gate: the image must be proven before anything is touched, it must not be older than what serves,
// and a candidate that was judged and found wanting is written down. It gives the chain of evidence too, and with an error what
// the report can say of the candidate, if anything.
func Enter(ctx context.Context, d Deps, r Request, w Witness) (*Candidate, []evidence.Link, error) {
	chain, err := w.Gate.Prove(ctx, r.Image, r.Change)
	if err != nil {
		return nil, chain, err
	}
	admit := r.Admit
	r.Admit = func(ctx context.Context, serving *cluster.Release) error {
		if admit != nil {
			if err := admit(ctx, serving); err != nil {
				return err
			}
		}
		if serving == nil || serving.Adopted {
			return nil
		}
		return w.Gate.Follows(ctx, r.Change, change.Point{Head: serving.Commit, Tree: serving.Tree, Merge: serving.Merge})
	}
	c, err := Prepare(ctx, d, r)
	if Judged(err) {
		err = errors.Join(err, w.Failed(ctx, c, firstLine(err)))
	}
	return c, chain, err
}
