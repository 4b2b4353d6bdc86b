package cluster

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Replicas reads how many pods a Deployment is to have, and how many of its pods are ready.
func (c *Cluster) Replicas(ctx context.Context, deployment string) (desired, ready int, err error) {
	d, err := c.deployment(ctx, deployment)
	if err != nil {
		return 0, 0, err
	}
	return desiredOf(d), int(d.Status.ReadyReplicas), nil
}

// Scale sets how many pods a Deployment is to have; it does not wait for them. Pods that an unfinished drain has withdrawn
// serve again when none of them is to go.
func (c *Cluster) Scale(ctx context.Context, deployment string, replicas int) error {
	subject := c.subject("Deployment", deployment)
	if replicas < 0 {
		return fmt.Errorf("scaling %s: %d replicas", subject, replicas)
	}
	var d *appsv1.Deployment
	err := c.repeat(ctx, func(ctx context.Context) (err error) {
		d, err = c.Client.Deployments(c.Namespace).Get(ctx, deployment, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := c.may(ctx, d); err != nil {
			return err
		}
		if desiredOf(d) == replicas {
			return nil
		}
		patch := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q},"spec":{"replicas":%d}}`, d.ResourceVersion, replicas)
		_, err = c.Client.Deployments(c.Namespace).Patch(ctx, deployment, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: c.manager()})
		return err
	})
	if err != nil || replicas == 0 {
		return c.failed("scaling "+subject, err)
	}
	return c.readmit(ctx, podsOf(d), replicas)
}

// podsOf selects the pods of a Deployment alone. The selector of one that promote adopted finds those of every release; the
// release's label, which it has with its pods, tells them apart.
func podsOf(d *appsv1.Deployment) string {
	selector := metav1.FormatLabelSelector(d.Spec.Selector)
	if release := d.Labels[LabelRelease]; release != "" && d.Spec.Selector.MatchLabels[LabelRelease] == "" {
		selector += "," + LabelRelease + "=" + release
	}
	return selector
}

func (c *Cluster) deployment(ctx context.Context, name string) (*appsv1.Deployment, error) {
	d, err := c.Client.Deployments(c.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, c.failed("reading "+c.subject("Deployment", name), err)
	}
	return d, nil
}

// desiredOf is the replica count with Kubernetes' default.
func desiredOf(d *appsv1.Deployment) int {
	if d.Spec.Replicas == nil {
		return 1
	}
	return int(*d.Spec.Replicas)
}
