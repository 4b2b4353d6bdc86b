package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/promote/pkg/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Phases of a rollout, as the state object names them. Each is written before the work it stands for.
const (
	PhaseIdle      = "idle"
	PhaseAdopting  = "adopting"
	PhasePreparing = "preparing"
	PhaseTested    = "tested"
	PhaseSwitching = "switching"
	PhaseCleaning  = "cleaning"
	PhaseDiscard   = "discarding"
	// PhaseHeld is a rollout that was left as it is on purpose.
	PhaseHeld = "held"
)

const (
	// cleanupTime bounds what takes a candidate back.
	cleanupTime = 2 * time.Minute
	// hurriedTime bounds it in a run that was cancelled. The runner sends its second signal, which ends the process, 7.5 s after
	// the first, and the last words need some of that too. What is left undone then the next run finds in the state.
	hurriedTime = 4 * time.Second
)

// cleanup is the context of work that must still happen when ctx is over.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := cleanupTime
	if ctx.Err() != nil {
		limit = hurriedTime
	}
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// Prepare brings the candidate up and tests it. When it fails, everything it made is gone again and the baseline was
// never touched; what it gives then, if anything, is for the report alone. The caller owns the candidate's lock and must
// Close it.
func Prepare(ctx context.Context, d Deps, r Request) (*Candidate, error) {
	out, err := render(ctx, d, r)
	switch {
	case err != nil && r.Place == nil:
		return nil, errors.Join(err, d.Cluster.Preflight(ctx, r.Environment, nil))
	case err == nil && r.Place != nil:
		err = r.Place(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := d.Cluster.Preflight(ctx, r.Environment, out.kinds(), out.objects.Cluster...); err != nil {
		return nil, err
	}
	if r.Restores != "" && r.Restores != out.id {
		// It was another promote that rendered it then.
		d.Log.Warningf("release %s comes back as %s: it is rendered in another way now, from the same manifests, values and secret versions", r.Restores, out.id)
	}
	c := &Candidate{deps: d, req: r, out: out, Release: out.release(r), Services: out.services()}
	if r.DryRun {
		if c.Changes, err = d.Cluster.DryRun(ctx, c.all(), c.out.filled...); err != nil {
			return c, out.located(err)
		}
		c.logChanges()
		return c, nil
	}
	c.Lock, err = d.Cluster.Lock(ctx, r.Service, r.Run, cluster.LockOptions{
		Wait: r.wait(), URL: r.RunURL, Order: r.Order, Line: r.line(), Supersede: r.Concurrency == Supersede,
		Waiting: func(h cluster.Holder) {
			d.Log.Infof("waiting for the lock of %s in %s, for %s so far: held by %s", r.Service, r.Environment, h.Waited.Round(time.Second), h)
		},
	})
	if err != nil {
		return nil, superseded(err)
	}
	if err := c.prepare(c.Lock.Context()); err != nil {
		return c, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// prepare is what needs the lock.
func (c *Candidate) prepare(ctx context.Context) error {
	var err error
	if c.State, err = c.deps.Cluster.LoadState(ctx, c.req.Service); err != nil {
		return err
	}
	c.State.Environment = c.req.Environment
	if err := c.recover(ctx); err != nil {
		return fmt.Errorf("finishing what an earlier run left of %s in %s: %w", c.req.Service, c.req.Environment, err)
	}
	if c.State.Entrance != nil {
		return errLeftOpen
	}
	c.Baseline = c.State.Serving
	if c.Unchanged, err = c.serves(ctx); err != nil || c.Unchanged {
		return err
	}
	if c.req.Admit != nil {
		if err := c.req.Admit(ctx, c.Baseline); err != nil {
			return err
		}
	}
	if err := c.takeOver(ctx); err != nil {
		return err
	}
	if err := c.size(ctx); err != nil {
		return err
	}
	if c.Changes, err = c.deps.Cluster.DryRun(ctx, c.all(), c.out.filled...); err != nil {
		return c.out.located(err)
	}
	c.logChanges()
	if err := c.refuseDropped(); err != nil {
		return err
	}
	if err := c.bringUp(ctx); err != nil {
		for _, d := range cluster.Diagnoses(err) {
			c.deps.Log.Infof("%s, before anything is removed:\n%s", d.Subject, d)
		}
		c.deps.Log.Infof("removing release %s; what served before goes on serving", c.Release.ID)
		clean, cancel := cleanup(ctx)
		defer cancel()
		return errors.Join(err, c.Discard(clean, err.Error()))
	}
	return nil
}

// bringUp writes the intent, applies, waits and tests.
func (c *Candidate) bringUp(ctx context.Context) error {
	objs := append([]*unstructured.Unstructured{}, c.out.objects.Cluster...)
	objs = append(append(objs, c.early()...), c.own()...)
	c.Release.Inventory = intended(c.own())
	c.intendShared()
	c.State.Candidate = &c.Release
	if err := c.phase(ctx, PhasePreparing); err != nil {
		return err
	}
	if err := c.keepOrigin(ctx); err != nil {
		return err
	}
	if err := c.freeze(ctx); err != nil {
		return err
	}
	end := c.deps.Log.Group("Apply " + c.Release.ID)
	applied, err := c.deps.Cluster.Apply(ctx, objs)
	for _, a := range applied {
		c.deps.Log.Infof("%s", a)
	}
	end()
	c.record(applied)
	c.recordShared(applied)
	c.touches(applied)
	if err != nil {
		return c.out.located(err)
	}
	for _, a := range applied {
		if inPlace[a.Ref.Kind] && a.Ref.Kind != "CronJob" { // which has nothing to wait for
			c.alongside = append(c.alongside, a.Ref)
		}
	}
	if err := c.phase(ctx, PhasePreparing); err != nil {
		return err
	}
	if err := c.wait(ctx); err != nil {
		return err
	}
	if err := c.test(ctx); err != nil {
		return err
	}
	return c.phase(ctx, PhaseTested)
}

// wait waits for the candidate's objects, with a line whenever something changes.
func (c *Candidate) wait(ctx context.Context) error {
	end := c.deps.Log.Group("Wait for " + c.Release.ID)
	defer end()
	ctx, cancel := context.WithTimeout(ctx, c.req.Timeout)
	defer cancel()
	return c.deps.Cluster.Wait(ctx, slices.Concat(c.Release.Inventory, c.alongside), func(line string) { c.deps.Log.Infof("%s", line) })
}

// phase writes what is about to happen.
func (c *Candidate) phase(ctx context.Context, phase string) error {
	c.State.Phase = phase
	return c.deps.Cluster.SaveState(ctx, c.State)
}

// Close gives the lock back.
func (c *Candidate) Close(ctx context.Context) error {
	if c.Lock == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, hurriedTime)
	defer cancel()
	return c.Lock.Release(ctx)
}
