package cluster

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// keepScaled gives workloads that an autoscaler owns the replicas that they have. Leaving the field out would not do: a
// field that promote applied before and applies no longer is removed, and the default is one replica. A workload that does
// not exist yet starts with the manifest's number.
func (c *Cluster) keepScaled(ctx context.Context, objs []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if !anyReplicas(objs) {
		return objs, nil
	}
	owned, err := c.autoscaled(ctx, objs)
	if err != nil || len(owned) == 0 {
		return objs, err
	}
	out := make([]*unstructured.Unstructured, len(objs))
	for i, o := range objs {
		out[i] = o
		if !hasReplicas(o) || !owned[o.GetKind()+"/"+o.GetName()] {
			continue
		}
		live, err := c.read(ctx, c.ref(o))
		if IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, c.failed("reading "+c.ref(o).String(), err)
		}
		replicas, found, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
		if !found {
			continue
		}
		out[i] = o.DeepCopy()
		if err := unstructured.SetNestedField(out[i].Object, replicas, "spec", "replicas"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func anyReplicas(objs []*unstructured.Unstructured) bool {
	for _, o := range objs {
		if hasReplicas(o) {
			return true
		}
	}
	return false
}

func hasReplicas(o *unstructured.Unstructured) bool {
	_, found, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "replicas")
	return found && workloads[o.GetKind()]
}

// autoscaled names the workloads, as Kind/name, that an autoscaler targets: one among the objects, or one that exists.
func (c *Cluster) autoscaled(ctx context.Context, objs []*unstructured.Unstructured) (map[string]bool, error) {
	owned := map[string]bool{}
	for _, o := range objs {
		if o.GetKind() != "HorizontalPodAutoscaler" {
			continue
		}
		target, _, _ := unstructured.NestedStringMap(o.Object, "spec", "scaleTargetRef")
		owned[target["kind"]+"/"+target["name"]] = true
	}
	targets, err := c.scaleTargets(ctx)
	for _, target := range targets {
		owned[target] = true
	}
	return owned, err
}

// scaleTargets are the workloads, as Kind/name, that the namespace's autoscalers own. An apply that follows a dry run takes what
// that one found, once.
func (c *Cluster) scaleTargets(ctx context.Context) ([]string, error) {
	if found := c.targets.Swap(nil); found != nil {
		return *found, nil
	}
	live, err := c.Client.HorizontalPodAutoscalers(c.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, c.failed("listing the autoscalers of Namespace/"+c.Namespace, err)
	}
	targets := make([]string, len(live.Items))
	for i, h := range live.Items {
		targets[i] = h.Spec.ScaleTargetRef.Kind + "/" + h.Spec.ScaleTargetRef.Name
	}
	return targets, nil
}
