package rollout

import "context"

// refused asks whether the rollout may still go on, and gives what happened when it may not; nil lets it. The answer may take
// its time, so what takes traffic already is watched meanwhile.
func (r *run) refused(ctx context.Context) *Observation {
	if r.edge.May == nil {
		return nil
	}
	failed, err := r.watched(ctx, r.edge.May)
	switch {
	case failed != nil && ctx.Err() == nil:
		return failed
	case err == nil:
		return nil
	}
	o := r.ended(ctx, err)
	if o.Event == ActionFailed {
		// Not the move failed: somebody does not want it any more.
		o.Event, o.Reason = Aborted, err.Error()
	}
	return &o
}
