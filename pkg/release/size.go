package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/org/promote/pkg/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// size decides how many pods the candidate starts with, given what runs now. The caller may ask for fewer, as a canary does.
// A Deployment that an autoscaler owns starts with what its counterpart in the baseline has: the autoscaler would need
// minutes to get there again, and clients would meet one pod meanwhile.
func (c *Candidate) size(ctx context.Context) error {
	c.State.Replicas, c.BaselineReplicas = map[string]int{}, 0
	if c.Baseline != nil {
		for i, name := range c.Baseline.Deployments {
			desired, _, err := c.deps.Cluster.Replicas(ctx, name)
			if cluster.IsNotFound(err) { // somebody deleted it; there is nothing to keep
				continue
			}
			if err != nil {
				return err
			}
			c.State.Replicas[name] = desired
			if i == 0 {
				c.BaselineReplicas = desired
			}
		}
	}
	c.sizes = c.out.full(c.counterparts())
	first := maps.Clone(c.sizes)
	if c.req.Replicas != nil {
		for name := range first {
			first[name] = c.req.Replicas(c.BaselineReplicas)
		}
	}
	return errors.Join(c.out.setReplicas(first), c.planFreeze(ctx))
}

// counterparts are the replicas of the baseline's Deployments under the names that the candidate's have.
func (c *Candidate) counterparts() map[string]int {
	live := map[string]int{}
	for name, n := range c.State.Replicas {
		live[strings.TrimSuffix(name, "-"+c.Baseline.ID)+"-"+c.Release.ID] = n
	}
	return live
}

// full is how many pods each Deployment of the manifests is to have when it serves alone, by its versioned name.
func (r *rendered) full(live map[string]int) map[string]int {
	sizes := map[string]int{}
	for _, o := range r.objects.Versioned {
		if o.GetKind() != "Deployment" {
			continue
		}
		sizes[o.GetName()] = 1 // Kubernetes' default
		if n, ok, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); ok {
			sizes[o.GetName()] = int(n)
		}
	}
	for name, least := range r.autoscaled() {
		sizes[name] = max(least, live[name])
	}
	return sizes
}

// autoscaled are the least replicas of the Deployments that an autoscaler of the manifests owns, by name.
func (r *rendered) autoscaled() map[string]int {
	owned := map[string]int{}
	for _, o := range r.objects.Versioned {
		if o.GetKind() != "HorizontalPodAutoscaler" {
			continue
		}
		least := int64(1) // Kubernetes' default
		if n, ok, _ := unstructured.NestedInt64(o.Object, "spec", "minReplicas"); ok {
			least = n
		}
		target, _, _ := unstructured.NestedString(o.Object, "spec", "scaleTargetRef", "name")
		owned[target] = int(least)
	}
	return owned
}

// setReplicas writes the replica counts into the Deployments.
func (r *rendered) setReplicas(sizes map[string]int) error {
	for _, o := range r.objects.Versioned {
		n, ok := sizes[o.GetName()]
		if o.GetKind() != "Deployment" || !ok {
			continue
		}
		if err := unstructured.SetNestedField(o.Object, int64(n), "spec", "replicas"); err != nil {
			return fmt.Errorf("setting the replicas of Deployment/%s: %w", o.GetName(), err)
		}
	}
	return nil
}

// resize gives the candidate of a canary, which now serves alone, the pods that the manifests ask for. An autoscaler's are
// its own affair.
func (c *Candidate) resize(ctx context.Context) error {
	if c.req.Replicas == nil {
		return nil
	}
	owned := c.out.autoscaled()
	for _, name := range c.Release.Deployments {
		want, ok := c.sizes[name]
		if _, auto := owned[name]; auto || !ok {
			continue
		}
		desired, _, err := c.deps.Cluster.Replicas(ctx, name)
		switch {
		case err != nil:
			return err
		case desired < want:
			err = c.deps.Cluster.Scale(ctx, name, want)
		case desired > want:
			err = c.deps.Cluster.Drain(ctx, name, want, c.req.Settle)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
