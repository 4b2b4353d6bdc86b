package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// AnnotationFrozen holds, on a HorizontalPodAutoscaler that stands still, what it was before: a [thawed] in JSON.
const AnnotationFrozen = "promote.dev/frozen"

// thawed is what freezing an autoscaler changes of its spec.
type thawed struct {
	MinReplicas *int64         `json:"minReplicas,omitempty"`
	MaxReplicas int64          `json:"maxReplicas"`
	Behavior    map[string]any `json:"behavior"`
}

// still is the behavior of an autoscaler that changes nothing. What an autoscaler does whatever its behavior is to keep its bounds.
func still() map[string]any {
	return map[string]any{"scaleUp": map[string]any{"selectPolicy": "Disabled"}, "scaleDown": map[string]any{"selectPolicy": "Disabled"}}
}

// FreezeAutoscaler makes a HorizontalPodAutoscaler stand still, for any number of pods from 1 to most, and notes on it what it was.
// It changes the object and no cluster; one that stands still already is left as it is.
func FreezeAutoscaler(o *unstructured.Unstructured, most int) error {
	if o.GetAnnotations()[AnnotationFrozen] != "" {
		return nil
	}
	var was thawed
	spec, _, err := unstructured.NestedMap(o.Object, "spec")
	if err != nil {
		return fmt.Errorf("reading %s: %w", RefOf(o), err)
	}
	if least, ok, _ := unstructured.NestedInt64(spec, "minReplicas"); ok {
		was.MinReplicas = &least
	}
	was.MaxReplicas, _, _ = unstructured.NestedInt64(spec, "maxReplicas")
	was.Behavior, _, _ = unstructured.NestedMap(spec, "behavior")
	note, err := json.Marshal(was)
	if err != nil {
		return fmt.Errorf("noting what %s was: %w", RefOf(o), err)
	}
	setAnnotation(o, AnnotationFrozen, string(note))
	spec["minReplicas"], spec["maxReplicas"], spec["behavior"] = int64(1), max(was.MaxReplicas, int64(most)), still()
	return unstructured.SetNestedMap(o.Object, spec, "spec")
}

// Autoscaler is a HorizontalPodAutoscaler of a Deployment.
type Autoscaler struct {
	Name, Deployment string
	// Keeper is who keeps its spec as it is, as Kind/name; "" when nobody does.
	Keeper string
	// Frozen says that it stands still.
	Frozen bool
}

// Autoscalers finds those of the Deployments of these names.
func (c *Cluster) Autoscalers(ctx context.Context, deployments []string) ([]Autoscaler, error) {
	list, err := c.Client.HorizontalPodAutoscalers(c.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, c.failed("listing the autoscalers of Namespace/"+c.Namespace, err)
	}
	var found []Autoscaler
	for _, h := range list.Items {
		if t := h.Spec.ScaleTargetRef; t.Kind != "Deployment" || !slices.Contains(deployments, t.Name) {
			continue
		}
		a := Autoscaler{Name: h.Name, Deployment: h.Spec.ScaleTargetRef.Name, Frozen: h.Annotations[AnnotationFrozen] != ""}
		if owner := metav1.GetControllerOf(&h); owner != nil {
			a.Keeper = owner.Kind + "/" + owner.Name
		}
		found = append(found, a)
	}
	return found, nil
}

// Freeze makes an autoscaler stand still; see [FreezeAutoscaler]. One that is gone is fine.
func (c *Cluster) Freeze(ctx context.Context, autoscaler string, most int) error {
	return c.edit(ctx, c.autoscaler(autoscaler), "freezing", func(o *unstructured.Unstructured) error { return FreezeAutoscaler(o, most) })
}

// Thaw gives an autoscaler back what it was before it stood still. One that is gone, or does not stand still, is fine.
func (c *Cluster) Thaw(ctx context.Context, autoscaler string) error {
	return c.edit(ctx, c.autoscaler(autoscaler), "thawing", func(o *unstructured.Unstructured) error {
		note := o.GetAnnotations()[AnnotationFrozen]
		if note == "" {
			return nil
		}
		var was thawed
		if err := json.Unmarshal([]byte(note), &was); err != nil {
			return fmt.Errorf("reading the annotation %s: %w", AnnotationFrozen, err)
		}
		annotations := o.GetAnnotations()
		delete(annotations, AnnotationFrozen)
		o.SetAnnotations(annotations)
		spec, _, err := unstructured.NestedMap(o.Object, "spec")
		if err != nil {
			return err
		}
		delete(spec, "minReplicas")
		delete(spec, "behavior")
		spec["maxReplicas"] = was.MaxReplicas
		if was.MinReplicas != nil {
			spec["minReplicas"] = *was.MinReplicas
		}
		if was.Behavior != nil {
			spec["behavior"] = was.Behavior
		}
		return unstructured.SetNestedMap(o.Object, spec, "spec")
	})
}

func (c *Cluster) autoscaler(name string) ObjectRef {
	return ObjectRef{APIVersion: autoscalingv2.SchemeGroupVersion.String(), Kind: "HorizontalPodAutoscaler", Namespace: c.Namespace, Name: name}
}
