package release

import (
	"context"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
)

const (
	// abortPause lies between two looks whether a run that was asked has ended.
	abortPause = time.Second
	// abortTime bounds the wait: a run hears of it within seconds, and its rollback may have to start pods first.
	abortTime = 10 * time.Minute
)

// Abort has the candidate of a service undone, whoever brought it up: a run that is at work is asked to and waited for, and what was
// held, or left by one that died, is undone here. why is what the run that is asked says of it. The request needs what [Rescue] needs.
func Abort(ctx context.Context, d Deps, r Request, why string) (Rescued, error) {
	r.Held = true
	ctx, cancel := context.WithTimeoutCause(ctx, abortTime, fmt.Errorf("the run has not ended within %s", abortTime))
	defer cancel()
	lock, asked := d.Cluster.ObserveLock(r.Service), Rescued{}
	for {
		status, holder, err := lock.Look(ctx)
		switch {
		case err != nil:
			return asked, err
		case status != cluster.LockHeld || asked.Run != "" && holder != asked.Run:
			return aborted(ctx, d, r, lock, asked)
		case asked.Run == "":
			if asked, err = ask(ctx, d, r, why); err != nil {
				return asked, err
			}
		}
		timer := time.NewTimer(abortPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return asked, fmt.Errorf("waiting for run %s to undo what it does: %w; see its log", asked.Run, context.Cause(ctx))
		case <-timer.C:
		}
	}
}

// ask asks whoever holds the lock now.
func ask(ctx context.Context, d Deps, r Request, why string) (Rescued, error) {
	state, err := d.Cluster.LoadState(ctx, r.Service)
	if err != nil {
		return Rescued{}, err
	}
	var asked Rescued
	if asked.Run, err = d.Cluster.AskToAbort(ctx, r.Service, why); err != nil {
		return asked, err
	}
	if state.Candidate != nil {
		asked.Release, asked.Commit = state.Candidate.ID, state.Candidate.Commit
	}
	if asked.Run != "" {
		d.Log.Infof("asked run %s to undo what it does, and wait for its end", asked.Run)
	}
	return asked, nil
}

// aborted looks what the run that was asked has left, and undoes that; nobody was asked when nobody was at work.
func aborted(ctx context.Context, d Deps, r Request, lock *cluster.LockObserver, asked Rescued) (Rescued, error) {
	found, err := Rescue(ctx, d, r, lock)
	if err != nil || found.Did != "" || asked.Run == "" {
		return found, err
	}
	asked.Serving = found.Serving
	switch {
	case asked.Release == "" || found.Serving != asked.Release:
		asked.Did = "it was asked to undo its release and has ended"
	default:
		asked.Did = "it was asked too late: its release had passed and serves"
	}
	return asked, nil
}
