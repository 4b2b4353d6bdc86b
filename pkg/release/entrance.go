package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/promote/pkg/cluster"
)

// Ways are the shared Services beside which the candidate has Services of its own that weights can lead to.
func (c *Candidate) Ways() []cluster.Way {
	var ways []cluster.Way
	for _, o := range c.out.objects.Services {
		if c.req.Own == OwnTested || c.req.Own == OwnBalanced && !balanced(o) {
			continue
		}
		for _, ref := range c.Release.Inventory {
			if ref.Kind == "Service" && ref.Name == candidateName(o.GetName()) {
				ways = append(ways, cluster.Way{Shared: o.GetName(), Own: ref})
			}
		}
	}
	return ways
}

// Balancers are the shared Services of the manifests that are load balancers.
func (c *Candidate) Balancers() []string {
	var names []string
	for _, o := range c.out.objects.Services {
		if balanced(o) {
			names = append(names, o.GetName())
		}
	}
	return names
}

// Open notes what is about to lead clients to the candidate's own Services. It is in the state with the next record, which must come
// before the first weight is moved.
func (c *Candidate) Open(e cluster.Entrance) { c.State.Entrance = &e }

// selectOwn lets the candidate's own Services, to which weights may still lead, select a release.
func (c *Candidate) selectOwn(ctx context.Context, release string) []error {
	var errs []error
	for _, way := range c.ways() {
		selector := with(with(userSelector(c.Services, way.Shared), cluster.LabelServe, "true"), cluster.LabelRelease, release)
		switch err := c.deps.Cluster.Select(ctx, way.Own.Name, selector); {
		case cluster.IsNotFound(err):
		case err != nil:
			errs = append(errs, err)
		default:
			c.deps.Log.Infof("Service/%s/%s selects %s", c.req.Namespace, way.Own.Name, release)
		}
	}
	return errs
}

func (c *Candidate) ways() []cluster.Way {
	if c.State == nil || c.State.Entrance == nil {
		return nil
	}
	return c.State.Entrance.Ways
}

// closeEntrance leads all clients to the shared Services again and removes those that nobody comes to any more. Who can't, because
// that takes rights outside of the namespace, leaves both for the next run: they lead to what serves.
func (c *Candidate) closeEntrance(ctx context.Context) error {
	left := c.State.Entrance
	if left == nil {
		return nil
	}
	if c.deps.Entrance == nil {
		c.deps.Log.Infof("the %s goes on leading to Services of the candidate's, which select what serves; the next run of the canary action closes it", left.Kind)
		return nil
	}
	open, err := c.deps.Entrance(ctx, *left)
	if err != nil {
		return fmt.Errorf("closing the %s that release %s was reached by: %w", left.Kind, c.Release.ID, err)
	}
	if err := open.Close(ctx); err != nil {
		return fmt.Errorf("closing the %s that release %s was reached by: %w", left.Kind, c.Release.ID, err)
	}
	// Whoever was on the way meanwhile still arrives.
	timer := time.NewTimer(max(c.req.Settle, gatewayTime))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	if err := c.deps.Cluster.Delete(ctx, left.Own()); err != nil {
		return err
	}
	c.State.Entrance = nil
	return nil
}

// errLeftOpen refuses a release whose own Services would be those that clients are still led to, before it is tested.
var errLeftOpen = errors.New("a canary that has died left an entrance open that leads to its own Services, which this action can't close: run the canary action with `mode: recover` first")

// closeLeft closes what a run that could not has left open, after its candidate was dealt with.
func (c *Candidate) closeLeft(ctx context.Context) error {
	if c.State.Entrance == nil || c.State.Candidate != nil {
		return nil
	}
	if c.deps.Entrance == nil {
		return errLeftOpen
	}
	c.deps.Log.Infof("closing the %s that an earlier run left open", c.State.Entrance.Kind)
	if err := c.closeEntrance(ctx); err != nil {
		return err
	}
	return c.phase(ctx, PhaseIdle)
}

// without drops the objects that are among others.
func without(refs, others []cluster.ObjectRef) []cluster.ObjectRef {
	return slices.DeleteFunc(slices.Clone(refs), func(r cluster.ObjectRef) bool {
		return slices.ContainsFunc(others, func(o cluster.ObjectRef) bool { return o.Kind == r.Kind && o.Name == r.Name })
	})
}
