package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
)

// Rescued is what [Rescue] found and did.
type Rescued struct {
	// Did is what was done, in words; "" when nothing was left to do.
	Did string
	// Run is the run that had left it, Release its candidate, Commit the candidate's.
	Run, Release, Commit string
	// Serving is the release that serves now; "" when none does.
	Serving string
	// Holder is the run that works on the service; "" unless that is why nothing was done.
	Holder string
	// Held says that a rollout is held on purpose, and that this is why nothing was done.
	Held bool
}

// Rescue finishes or undoes what a run left of a service and works on no longer, as the next run would do before anything else. A
// run that still works on it is left alone, and so is a rollout that is held, unless the request says Held. The request needs Service,
// Namespace, Run, Timeout and Settle. It may be called again and again, and by several at once: the lock lets one of them work.
//
// seen is who has watched the lock so far; without it a lock that nobody renews is waited for.
func Rescue(ctx context.Context, d Deps, r Request, seen *cluster.LockObserver) (Rescued, error) {
	state, err := d.Cluster.LoadState(ctx, r.Service)
	if err != nil {
		return Rescued{}, err
	}
	if state.Candidate == nil && (state.Entrance == nil || d.Entrance == nil) {
		return Rescued{Serving: id(state.Serving)}, nil
	}
	if state.Candidate != nil && state.Phase == PhaseHeld && !r.Held {
		return Rescued{Serving: id(state.Serving), Run: state.Candidate.Run, Release: state.Candidate.ID, Commit: state.Candidate.Commit, Held: true}, nil
	}
	lock, err := d.Cluster.Lock(ctx, r.Service, r.Run, cluster.LockOptions{
		Wait: cluster.LockTime + lockSlack, URL: r.RunURL, Seen: seen,
		Waiting: func(h cluster.Holder) { d.Log.Infof("waiting whether %s still works on %s", h, r.Service) },
	})
	var locked *cluster.LockedError
	if errors.As(err, &locked) {
		return Rescued{Serving: id(state.Serving), Holder: locked.Holder}, nil
	}
	if err != nil {
		return Rescued{}, err
	}
	if d.Secrets == nil {
		d.Secrets = noSecrets{}
	}
	c := &Candidate{deps: d, req: r, Lock: lock, out: &rendered{objects: &manifest.Objects{}}}
	found, err := c.rescue(c.Lock.Context())
	return found, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
}

// lockSlack is what looking for a lock that has lapsed may take longer than its duration.
const lockSlack = 3 * time.Second

func (c *Candidate) rescue(ctx context.Context) (Rescued, error) {
	var err error
	if c.State, err = c.deps.Cluster.LoadState(ctx, c.req.Service); err != nil {
		return Rescued{}, err
	}
	if c.State.Candidate == nil {
		found := Rescued{Serving: id(c.State.Serving)}
		if c.State.Entrance != nil {
			found.Did = "its candidate was dealt with already, and the " + c.State.Entrance.Kind + " that led to it is closed"
		}
		return found, c.closeLeft(ctx)
	}
	found := Rescued{Run: c.State.Candidate.Run, Release: c.State.Candidate.ID, Commit: c.State.Candidate.Commit}
	if err := c.recover(ctx); err != nil {
		return found, fmt.Errorf("finishing what run %s left of %s: %w", found.Run, c.req.Service, err)
	}
	if c.State, err = c.deps.Cluster.LoadState(ctx, c.req.Service); err != nil {
		return found, err
	}
	found.Serving = id(c.State.Serving)
	switch found.Serving {
	case found.Release:
		found.Did = "it serves, and what it left to do is done"
	case "":
		found.Did = "it is removed, and nothing serves"
	default:
		found.Did = fmt.Sprintf("it is removed, and %s serves alone", found.Serving)
	}
	return found, nil
}

func id(r *cluster.Release) string {
	if r == nil {
		return ""
	}
	return r.ID
}

// noSecrets is for who may read none. What can't be rendered without them waits for the next deployment.
type noSecrets struct{}

func (noSecrets) Resolve(context.Context, []secrets.Ref) (map[secrets.Ref]secrets.Value, error) {
	return nil, errNoSecrets
}

func (noSecrets) ResolveAt(context.Context, map[secrets.Ref]string) (map[secrets.Ref]secrets.Value, error) {
	return nil, errNoSecrets
}

var errNoSecrets = errors.New("who undoes this may read no secrets")
