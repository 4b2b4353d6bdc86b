package release

import (
	"context"
	"time"

	"github.com/org/promote/pkg/cluster"
)

// watchPause lies between two looks at the lock; a tenth of the time that a watchdog may take.
const watchPause = time.Second

// Watch stands by while the run that left the service's candidate works on it, and rescues what it leaves when it dies: its lock
// is then no longer renewed. It returns when nothing is left to watch: the run has ended in order, another has taken its place, or
// all is safe again. seen is called after each look that was answered; nil is allowed.
//
// What a run did not finish because it was cancelled is finished too. A rollout that was held on purpose is left as it is.
func Watch(ctx context.Context, d Deps, r Request, run string, seen func()) (Rescued, error) {
	lock := d.Cluster.ObserveLock(r.Service)
	told := ""
	for {
		did, over, err := glance(ctx, d, r, run, lock)
		switch {
		case over:
			return did, err
		case err != nil && err.Error() != told:
			told = err.Error()
			d.Log.Warningf("watching %s: %v", r.Service, err)
		case err == nil && seen != nil:
			seen()
		}
		timer := time.NewTimer(watchPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return Rescued{}, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// glance looks once. over says that nothing is left to watch.
func glance(ctx context.Context, d Deps, r Request, run string, lock *cluster.LockObserver) (did Rescued, over bool, err error) {
	status, holder, err := lock.Look(ctx)
	if err != nil {
		return Rescued{}, false, err
	}
	if status == cluster.LockHeld && holder == run {
		return Rescued{}, false, nil
	}
	state, err := d.Cluster.LoadState(ctx, r.Service)
	switch {
	case err != nil:
		return Rescued{}, false, err
	case state.Candidate == nil || state.Candidate.Run != run:
		return Rescued{Serving: id(state.Serving)}, true, nil
	case status == cluster.LockHeld:
		return Rescued{}, false, nil // another run, or another watchdog, is at it
	case status == cluster.LockFree && state.Phase == PhaseHeld:
		d.Log.Infof("run %s has left its candidate %s up, as it was told to", run, state.Candidate.ID)
		return Rescued{Serving: id(state.Serving)}, true, nil
	case status == cluster.LockFree:
		d.Log.Infof("run %s has ended before it was done with its candidate %s", run, state.Candidate.ID)
	default:
		d.Log.Warningf("%s has not renewed the lock of %s for %s: it is dead or cut off", holder, r.Service, cluster.LockTime)
	}
	did, err = Rescue(ctx, d, r, lock)
	return did, err == nil && did.Did != "", err
}
