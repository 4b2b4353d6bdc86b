package release

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/org/promote/pkg/cluster"
)

// While a canary counts pods, the autoscalers of both releases stand still: they would undo every step, and take pods from a
// baseline as traffic leaves it, which is the capacity that a rollback needs. The state names them before the first one is
// frozen, and each notes on itself what it was, so whoever ends the rollout can give them back their freedom.

// mayFreeze says that the release comes as a canary beside one that serves.
func (c *Candidate) mayFreeze() bool {
	return c.req.Replicas != nil && c.Baseline != nil && c.BaselineReplicas > 0
}

// planFreeze freezes the candidate's autoscalers before they exist, and names all that are to stand still. It refuses those that
// somebody else keeps as they are.
func (c *Candidate) planFreeze(ctx context.Context) error {
	if !c.mayFreeze() {
		return nil
	}
	var errs []error
	for _, o := range c.out.objects.Versioned {
		if o.GetKind() == "HorizontalPodAutoscaler" {
			errs = append(errs, cluster.FreezeAutoscaler(o, c.BaselineReplicas))
			c.State.Frozen = append(c.State.Frozen, o.GetName())
		}
	}
	found, err := c.deps.Cluster.Autoscalers(ctx, c.Baseline.Deployments)
	for _, a := range found {
		if a.Keeper != "" {
			errs = append(errs, fmt.Errorf("HorizontalPodAutoscaler/%s/%s is kept by %s, and has to stand still while a canary counts pods: pause that, or use the deploy action",
				c.req.Namespace, a.Name, a.Keeper))
		}
		c.State.Frozen = append(c.State.Frozen, a.Name)
	}
	slices.Sort(c.State.Frozen)
	c.State.Frozen = slices.Compact(c.State.Frozen)
	return errors.Join(append(errs, err)...)
}

// freeze lets the baseline's autoscalers stand still, and looks again how many pods there are now: that many it keeps.
func (c *Candidate) freeze(ctx context.Context) error {
	if !c.mayFreeze() || len(c.State.Frozen) == 0 {
		return nil
	}
	for _, name := range c.State.Frozen {
		if err := c.deps.Cluster.Freeze(ctx, name, c.BaselineReplicas); err != nil {
			return err
		}
	}
	for i, name := range c.Baseline.Deployments {
		desired, _, err := c.deps.Cluster.Replicas(ctx, name)
		if err != nil {
			return err
		}
		c.State.Replicas[name] = desired
		if i == 0 {
			c.BaselineReplicas = desired
		}
	}
	c.deps.Log.Infof("autoscalers stand still until the rollout is over: %v", c.State.Frozen)
	return c.deps.Cluster.SaveState(ctx, c.State)
}

// thaw gives the autoscalers that are left their freedom back.
func (c *Candidate) thaw(ctx context.Context) error {
	var errs []error
	for _, name := range c.State.Frozen {
		errs = append(errs, c.deps.Cluster.Thaw(ctx, name))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c.State.Frozen = nil
	return nil
}
