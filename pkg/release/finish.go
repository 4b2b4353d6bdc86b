package release

import (
	"context"
	"errors"
	"slices"

	"github.com/org/promote/pkg/cluster"
)

// historyLength bounds the state object; etcd takes 1 MiB, and nobody rolls back further than this.
const historyLength = 10

// Finish records the candidate as what serves and removes the old release: its pods first leave the endpoint list, run on
// for the settle time because open connections still reach them, and are then deleted by their recorded UIDs. Its error is
// about what is left over: the candidate serves, and the next run removes the rest.
func (c *Candidate) Finish(ctx context.Context) error {
	if c.Unchanged {
		return nil
	}
	ctx, stop := c.guarded(ctx)
	defer stop()
	serving := c.Release
	c.State.Serving, c.State.Previous = &serving, c.Baseline
	if err := c.phase(ctx, PhaseCleaning); err != nil {
		return err
	}
	if err := c.resize(ctx); err != nil {
		return err
	}
	if err := c.closeEntrance(ctx); err != nil {
		return err
	}
	if c.Baseline != nil && c.Baseline.ID != c.Release.ID {
		if err := c.retire(ctx); err != nil {
			return err
		}
	}
	if err := c.deps.Cluster.Delete(ctx, without(candidateServices(c.Release.Inventory), c.State.Entrance.Own())); err != nil {
		return err
	}
	serving.Inventory = withoutCandidateServices(c.Release.Inventory)
	if err := errors.Join(c.thaw(ctx), c.prune(ctx)); err != nil {
		return err
	}
	c.State.Candidate, c.State.Previous, c.State.Replicas = nil, nil, nil
	return c.phase(ctx, PhaseIdle)
}

// retire removes the release that served before.
func (c *Candidate) retire(ctx context.Context) error {
	for _, name := range c.Baseline.Deployments {
		if err := c.deps.Cluster.Drain(ctx, name, 0, c.req.Settle); err != nil && !cluster.IsNotFound(err) {
			return err
		}
	}
	if err := c.deps.Cluster.Delete(ctx, withoutCandidateServices(c.Baseline.Inventory)); err != nil {
		return err
	}
	c.deps.Log.Infof("release %s is gone", c.Baseline.ID)
	// What comes back to serve leaves the history; it enters it again in its turn.
	history := append([]cluster.Release{*c.Baseline}, slices.DeleteFunc(c.State.History, func(r cluster.Release) bool {
		return r.ID == c.Release.ID || r.ID == c.Baseline.ID
	})...)
	var old []string
	for _, r := range history[min(len(history), historyLength):] {
		old = append(old, r.ID)
	}
	c.State.History = history[:min(len(history), historyLength)]
	return c.forget(ctx, old...)
}

// Discard removes the candidate alone, which must not take traffic any more. What serves is not touched.
func (c *Candidate) Discard(ctx context.Context, why string) error {
	if c.Unchanged || c.State == nil || c.State.Candidate == nil {
		return nil
	}
	c.State.Reason = why
	if err := c.phase(ctx, PhaseDiscard); err != nil {
		return err
	}
	leftovers := c.Release.Inventory
	if c.Baseline != nil && c.Baseline.ID == c.Release.ID {
		// The very release that serves was being repaired; removing it would be the outage.
		leftovers = candidateServices(leftovers)
	}
	if err := c.deps.Cluster.Delete(ctx, without(leftovers, c.State.Entrance.Own())); err != nil {
		return errors.Join(errors.New("the candidate "+c.Release.ID+" could not be removed; the next run will"), err)
	}
	if err := c.closeEntrance(ctx); err != nil {
		return err
	}
	if err := c.thaw(ctx); err != nil {
		return err
	}
	c.restoreShared(ctx)
	if !c.remembered(c.Release.ID) {
		if err := c.forget(ctx, c.Release.ID); err != nil {
			return err
		}
	}
	c.State.Candidate, c.State.Replicas = nil, nil
	return c.phase(ctx, PhaseIdle)
}

func candidateServices(refs []cluster.ObjectRef) []cluster.ObjectRef {
	return split(refs, true)
}

func withoutCandidateServices(refs []cluster.ObjectRef) []cluster.ObjectRef {
	return split(refs, false)
}

// split separates the candidate's own Services: they go when it serves, the rest stays with the release.
func split(refs []cluster.ObjectRef, services bool) []cluster.ObjectRef {
	var out []cluster.ObjectRef
	for _, r := range refs {
		if (r.Kind == "Service") == services {
			out = append(out, r)
		}
	}
	return out
}
