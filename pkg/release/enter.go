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
	r.Admit = w.admit(r.Admit, r.Change)
	c, err := Prepare(ctx, d, r)
	if Judged(err) {
		err = errors.Join(err, w.Failed(ctx, c, firstLine(err)))
	}
	return c, chain, err
}

// Reenter is [Resume] behind the same gate: what has been proven may have been revoked since, and the order may be another one.
func Reenter(ctx context.Context, d Deps, r Request, w Witness) (*Candidate, []evidence.Link, error) {
	chain, err := w.Gate.Prove(ctx, w.Image, r.Change)
	if err != nil {
		return nil, chain, err
	}
	r.Admit = w.admit(r.Admit, r.Change)
	c, err := Resume(ctx, d, r)
	return c, chain, err
}

// admit refuses a change that is older than what serves, after what admits otherwise; nil admits all.
func (w Witness) admit(admit func(context.Context, *cluster.Release) error, ch change.Change) func(context.Context, *cluster.Release) error {
	return func(ctx context.Context, serving *cluster.Release) error {
		if admit != nil {
			if err := admit(ctx, serving); err != nil {
				return err
			}
		}
		if serving == nil || serving.Adopted {
			return nil
		}
		return w.Gate.Follows(ctx, ch, change.Point{Head: serving.Commit, Tree: serving.Tree, Merge: serving.Merge})
	}
}
