package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
)

// Switch moves all traffic to the candidate in one patch of each shared Service, verifies the endpoints and lets it bake.
// When the candidate does not hold, traffic goes back and the candidate is removed, in this order or not at all. After it
// comes [Candidate.Finish].
func (c *Candidate) Switch(ctx context.Context) error {
	if c.Unchanged {
		return nil
	}
	guarded, stop := c.guarded(ctx)
	defer stop()
	err := c.switchTraffic(guarded)
	if err == nil {
		return nil
	}
	return c.takeBack(ctx, err)
}

// guarded ends with the lock: a run that lost it must not write any more.
func (c *Candidate) guarded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.Lock.Context(), func() { cancel(context.Cause(c.Lock.Context())) })
	return ctx, func() { stop(); cancel(nil) }
}

func (c *Candidate) switchTraffic(ctx context.Context) error {
	if err := c.phase(ctx, PhaseSwitching); err != nil {
		return err
	}
	if err := c.ApplyShared(ctx); err != nil {
		return err
	}
	for _, s := range c.Services {
		if err := c.deps.Cluster.Select(ctx, s.Name, c.only(s.Name, c.Release.ID)); err != nil {
			return err
		}
	}
	return c.settle(ctx)
}

// settle awaits that the shared Services list the candidate, and lets it serve for a while.
func (c *Candidate) settle(ctx context.Context) error {
	for _, s := range c.Services {
		if err := c.deps.Cluster.AwaitEndpoints(ctx, s.Name, cluster.Endpoints{Releases: []string{c.Release.ID}}); err != nil {
			return err
		}
		c.deps.Log.Infof("Service/%s/%s now selects %s", c.req.Namespace, s.Name, c.Release.ID)
	}
	return c.bake(ctx)
}

// ApplyShared applies the shared Services, which go on selecting what they select, and the objects that change with them.
// Services that did not exist start with the release that serves, or with the candidate when it is the first.
func (c *Candidate) ApplyShared(ctx context.Context) error {
	release := c.Release.ID
	if c.Baseline != nil {
		release = c.Baseline.ID
	}
	objs := c.sharedServices(release)
	for _, o := range objs {
		live, err := c.deps.Cluster.Selector(ctx, o.GetName())
		if cluster.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		setSelector(o, live)
	}
	applied, err := c.deps.Cluster.Apply(ctx, append(objs, c.shared(true)...))
	c.recordShared(applied)
	c.touches(applied)
	return err
}

// bake lets the candidate serve for a while and then looks at it again.
func (c *Candidate) bake(ctx context.Context) error {
	if c.req.Bake <= 0 {
		return nil
	}
	c.deps.Log.Infof("baking %s for %s", c.Release.ID, c.req.Bake)
	timer := time.NewTimer(c.req.Bake)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	if err := c.wait(ctx); err != nil {
		return fmt.Errorf("baking %s: %w", c.Release.ID, err)
	}
	return nil
}

// takeBack gives the traffic back to the baseline and removes the candidate. A candidate that may still serve is left
// running: to remove it would be the outage.
func (c *Candidate) takeBack(ctx context.Context, why error) error {
	clean, cancel := cleanup(ctx)
	defer cancel()
	if err := c.Rollback(clean); err != nil {
		return errors.Join(why, fmt.Errorf("moving traffic back to %s did not succeed, so %s was left running and may still serve; the next run takes this up: %w",
			c.Baseline.ID, c.Release.ID, err))
	}
	return errors.Join(why, c.Discard(clean, why.Error()))
}

// Rollback puts the baseline alone behind the shared Services again: one patch each, before anything else; capacity
// follows. A baseline without a single ready pod must start first, because selecting nothing would turn a bad candidate
// into an outage.
func (c *Candidate) Rollback(ctx context.Context) error {
	if c.Baseline == nil {
		return nil
	}
	if err := c.startBaseline(ctx); err != nil {
		return err
	}
	errs := c.selectOwn(ctx, c.Baseline.ID)
	for _, s := range c.Services {
		err := c.deps.Cluster.Select(ctx, s.Name, c.only(s.Name, c.Baseline.ID))
		switch {
		case cluster.IsNotFound(err):
		case err != nil:
			errs = append(errs, err)
		default:
			c.deps.Log.Infof("Service/%s/%s selects %s again", c.req.Namespace, s.Name, c.Baseline.ID)
		}
	}
	if err := errors.Join(append(errs, c.refillBaseline(ctx))...); err != nil {
		return err
	}
	c.followed(ctx)
	return nil
}

const (
	// followTime bounds the wait for the endpoint lists after a rollback: a candidate that may be bad must not run on because a
	// controller is slow.
	followTime = 2 * time.Second
	// proxyTime is how long kube-proxy may take from the endpoint list to its tables. Who stops a pod sooner has connections refused.
	proxyTime = 500 * time.Millisecond
	// gatewayTime is the same for what weights lead through: a gateway that knows the pods themselves takes changes together.
	gatewayTime = 3 * time.Second
)

// followed gives the cluster a moment to follow a rollback, before anybody stops the candidate's pods.
func (c *Candidate) followed(ctx context.Context) {
	if c.listed(ctx) {
		c.lag(ctx)
	}
}

// listed waits a moment until the endpoint lists hold the baseline alone, and says whether they do.
func (c *Candidate) listed(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, followTime)
	defer cancel()
	names := make([]string, 0, len(c.Services))
	for _, s := range c.Services {
		names = append(names, s.Name)
	}
	for _, way := range c.ways() {
		names = append(names, way.Own.Name)
	}
	for _, name := range names {
		if err := c.deps.Cluster.AwaitEndpoints(ctx, name, cluster.Endpoints{Releases: []string{c.Baseline.ID}}); err != nil && !cluster.IsNotFound(err) {
			return false
		}
	}
	return true
}

// lag waits for as long as traffic may take to follow the endpoint lists.
func (c *Candidate) lag(ctx context.Context) {
	lag := proxyTime
	if len(c.ways()) > 0 {
		lag = gatewayTime
	}
	timer := time.NewTimer(lag)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// startBaseline waits for the baseline's pods when none of them is left to take the traffic.
func (c *Candidate) startBaseline(ctx context.Context) error {
	for _, name := range c.Baseline.Deployments {
		_, ready, err := c.deps.Cluster.Replicas(ctx, name)
		if err != nil {
			return err
		}
		if ready > 0 || c.State.Replicas[name] == 0 {
			continue
		}
		if err := c.deps.Cluster.Scale(ctx, name, c.State.Replicas[name]); err != nil {
			return err
		}
		if err := c.deps.Cluster.Wait(ctx, c.Baseline.Inventory, func(line string) { c.deps.Log.Infof("%s", line) }); err != nil {
			return err
		}
	}
	return nil
}

// refillBaseline gives the baseline back the replicas that a canary took from it.
func (c *Candidate) refillBaseline(ctx context.Context) error {
	var errs []error
	for _, name := range c.Baseline.Deployments {
		desired, _, err := c.deps.Cluster.Replicas(ctx, name)
		if err == nil && desired < c.State.Replicas[name] {
			err = c.deps.Cluster.Scale(ctx, name, c.State.Replicas[name])
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
