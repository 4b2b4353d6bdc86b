package release

import (
	"context"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
)

// NotPromotedError says that a run which was asked to promote its release did not.
type NotPromotedError struct {
	Run, Release, Serving string
	// Reason is what is recorded.
	Reason string
	// Held: it was held. Died: the run stopped renewing its lock.
	Held, Died bool
}

func (e *NotPromotedError) Error() string {
	text := fmt.Sprintf("run %s was asked to promote release %s, and has not: ", e.Run, e.Release)
	switch {
	case e.Died:
		return text + "it has died, or is cut off"
	case e.Held:
		return text + "it was cancelled, and holds it"
	}
	return text + fmt.Sprintf("%s serves: %s", e.Serving, e.Reason)
}

// Promote asks the run that rolls a service's release out to promote it, and waits for its end, limit at the most. It gives that run
// and its release; a [*NotPromotedError] when it ended otherwise, and a [*NotHeldError] when no run could be asked, as while
// a candidate is not up yet or is being taken back. held says that nobody was asked, since nobody is at work and the rollout is held.
func Promote(ctx context.Context, d Deps, service string, w cluster.Wish, limit time.Duration) (asked Rescued, held bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the run has not ended within %s", limit))
	defer cancel()
	lock := d.Cluster.ObserveLock(service)
	status, holder, err := lock.Look(ctx)
	if err != nil {
		return asked, false, err
	}
	state, err := d.Cluster.LoadState(ctx, service)
	switch {
	case err != nil:
		return asked, false, err
	case status == cluster.LockFree && isHeld(state):
		return asked, true, nil
	case status == cluster.LockFree || !rolling(state) || state.Candidate.Run != holder:
		return asked, false, notHeld(d.Cluster, state, holder)
	}
	w.Release = state.Candidate.ID
	asked = Rescued{Release: state.Candidate.ID, Commit: state.Candidate.Commit}
	if asked.Run, err = d.Cluster.AskToPromote(ctx, service, w); err != nil {
		return asked, false, err
	}
	if asked.Run != holder {
		// It ended in between; whoever has the lock now rolls out another release, or none, and does not heed it.
		return asked, false, notHeld(d.Cluster, state, asked.Run)
	}
	d.Log.Infof("asked run %s to promote release %s, and wait for its end", asked.Run, asked.Release)
	return asked, false, awaitPromotion(ctx, d, service, lock, &asked)
}

// rolling says that traffic is being moved to a candidate, or about to be.
func rolling(s *cluster.State) bool {
	return s.Candidate != nil && s.Phase == PhaseDiscard && len(s.Rollout) > 0
}

func awaitPromotion(ctx context.Context, d Deps, service string, lock *cluster.LockObserver, asked *Rescued) error {
	for {
		status, holder, err := lock.Look(ctx)
		if err != nil && ctx.Err() == nil {
			d.Log.Infof("waiting for run %s: %v", asked.Run, err)
		} else if err == nil && (status != cluster.LockHeld || holder != asked.Run) {
			return ended(ctx, d, service, status == cluster.LockLapsed, asked)
		}
		timer := time.NewTimer(abortPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("waiting for run %s to promote release %s: %w; it goes on, see its log", asked.Run, asked.Release, context.Cause(ctx))
		case <-timer.C:
		}
	}
}

// ended looks what the run that was asked has left.
func ended(ctx context.Context, d Deps, service string, lapsed bool, asked *Rescued) error {
	state, err := d.Cluster.LoadState(ctx, service)
	if err != nil {
		return err
	}
	asked.Serving = id(state.Serving)
	if asked.Serving == asked.Release {
		asked.Did = "it was asked to promote its release, and has"
		return nil
	}
	mine := state.Candidate != nil && state.Candidate.ID == asked.Release
	return &NotPromotedError{
		Run: asked.Run, Release: asked.Release, Serving: asked.Serving, Reason: state.Reason,
		Held: mine && state.Phase == PhaseHeld, Died: lapsed || mine && state.Phase != PhaseHeld,
	}
}
