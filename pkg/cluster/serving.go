package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/labels"
)

// Serving gives the Deployment of that name when a selector finds its pods; the ref is empty when there is none, or others are
// found.
func (c *Cluster) Serving(ctx context.Context, deployment string, selector map[string]string) (ObjectRef, error) {
	d, err := c.deployment(ctx, deployment)
	if IsNotFound(err) {
		return ObjectRef{}, nil
	}
	if err != nil {
		return ObjectRef{}, err
	}
	by := labels.Set{}
	for key, value := range selector {
		if key != LabelRelease && key != LabelServe { // an adoption under way adds these to the pods, not to the template
			by[key] = value
		}
	}
	if len(by) == 0 || !by.AsSelector().Matches(labels.Set(d.Spec.Template.Labels)) {
		return ObjectRef{}, nil
	}
	return ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: d.Namespace, Name: d.Name, UID: d.UID}, nil
}
