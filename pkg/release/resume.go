package release

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
)

// NotHeldError says that no rollout of a service is held, and what stands instead.
type NotHeldError struct {
	Service, Namespace string
	// Serving is the release that serves; "" when none does.
	Serving string
	// Release is a candidate that is there, Run the run that brought it, Phase how far that came; "" when there is none.
	Release, Run, Phase string
	// Holder is the run that has the lock: it is at work, or has died with it. "" when nobody has it.
	Holder string
}

func (e *NotHeldError) Error() string {
	text := fmt.Sprintf("no rollout of %s in Namespace/%s is held: ", e.Service, e.Namespace)
	switch {
	case e.Holder != "" && e.Release != "":
		return text + fmt.Sprintf("run %s has the lock, and release %s is in phase %q", e.Holder, e.Release, e.Phase)
	case e.Holder != "":
		return text + fmt.Sprintf("run %s has the lock, and has no candidate up", e.Holder)
	case e.Release != "":
		return text + fmt.Sprintf("run %s has left release %s in phase %q, and nobody works on it", e.Run, e.Release, e.Phase)
	case e.Serving != "":
		return text + fmt.Sprintf("release %s serves alone", e.Serving)
	}
	return text + "nothing serves"
}

// Standing gives a service's state when its rollout is held; if not, a [*NotHeldError] says what stands.
func Standing(ctx context.Context, c *cluster.Cluster, service string) (*cluster.State, error) {
	state, err := c.LoadState(ctx, service)
	if err != nil || isHeld(state) {
		return state, err
	}
	_, holder, err := c.ObserveLock(service).Look(ctx)
	if err != nil {
		return nil, err
	}
	return state, notHeld(c, state, holder)
}

func isHeld(s *cluster.State) bool {
	return s.Phase == PhaseHeld && s.Candidate != nil && s.Serving != nil && len(s.Serving.Deployments) > 0
}

func notHeld(c *cluster.Cluster, s *cluster.State, holder string) *NotHeldError {
	e := &NotHeldError{Service: s.Service, Namespace: c.Namespace, Serving: id(s.Serving), Holder: holder}
	if s.Candidate != nil {
		e.Release, e.Run, e.Phase = s.Candidate.ID, s.Candidate.Run, s.Phase
	}
	return e
}

// Resume takes a rollout up that is held, with the lock. The candidate is what the run that held it left; nothing is written before its
// caller records that it goes on, and whoever Closes it before that leaves it held as it was. What a run that died left is not
// taken up: it may have died when it had decided to roll back.
//
// The request needs no manifests and no image: the candidate is rendered from what it was rendered from, at the same versions of
// secrets, which must give the same release.
func Resume(ctx context.Context, d Deps, r Request) (*Candidate, error) {
	state, err := Standing(ctx, d.Cluster, r.Service)
	if err != nil {
		return nil, err
	}
	held := state.Candidate.ID
	c, err := again(ctx, d, r, *state.Candidate)
	if err != nil {
		return nil, fmt.Errorf("taking up release %s, which is held: %w", held, err)
	}
	if err := d.Cluster.Preflight(ctx, r.Environment, c.out.kinds(), c.out.objects.Cluster...); err != nil {
		return nil, err
	}
	c.Lock, err = d.Cluster.Lock(ctx, r.Service, r.Run, cluster.LockOptions{
		Wait: cluster.LockTime + lockSlack, URL: r.RunURL, Order: r.Order, Line: r.line(),
		Waiting: func(h cluster.Holder) { d.Log.Infof("waiting whether %s still works on %s", h, r.Service) },
	})
	if err != nil {
		return nil, err
	}
	if err := c.takeUp(c.Lock.Context(), held); err != nil {
		return nil, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// again renders a recorded release as it was rendered.
func again(ctx context.Context, d Deps, r Request, record cluster.Release) (*Candidate, error) {
	e := &Earlier{Record: record, Change: change.Change{Head: record.Commit, Tree: record.Tree, Merge: record.Merge}}
	if err := e.read(ctx, d.Cluster, r.Service); err != nil {
		return nil, err
	}
	req := e.Restore(r)
	req.Image = record.Image
	out, err := render(ctx, d, req)
	if err != nil {
		return nil, err
	}
	if out.id != record.ID {
		return nil, fmt.Errorf("this version of promote renders it as %s: use the one that held it", out.id)
	}
	return &Candidate{deps: d, req: req, out: out, touched: true}, nil
}

// takeUp fills in what the record knows, once nobody else can change it.
func (c *Candidate) takeUp(ctx context.Context, held string) error {
	var err error
	if c.State, err = c.deps.Cluster.LoadState(ctx, c.req.Service); err != nil {
		return err
	}
	if !isHeld(c.State) || c.State.Candidate.ID != held {
		return notHeld(c.deps.Cluster, c.State, "")
	}
	c.Release, c.Baseline = *c.State.Candidate, c.State.Serving
	c.Services = c.Release.Services
	// Whoever watches over the rollout looks for the run that has it.
	c.Release.Run = c.req.Run
	c.State.Candidate = &c.Release
	c.BaselineReplicas = c.State.Replicas[c.Baseline.Deployments[0]]
	c.sizes = c.out.full(c.counterparts())
	if c.req.Admit != nil {
		if err := c.req.Admit(ctx, c.Baseline); err != nil {
			return err
		}
	}
	live, err := c.live(ctx)
	if err != nil {
		return err
	}
	if live.exist == 0 || c.State.Entrance == nil && live.baseline > 0 {
		return fmt.Errorf("taking up release %s, which is held: %d of its %d Services are there, and %d of them select %s alone: somebody has taken the traffic back",
			held, live.exist, len(c.Services), live.baseline, c.Baseline.ID)
	}
	c.deps.Log.Infof("release %s was held beside %s; run %s takes it up", held, c.Baseline.ID, c.req.Run)
	return nil
}
