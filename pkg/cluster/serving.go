package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
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

// Missing gives the refs whose objects do not exist any more, or whose names other objects have taken.
func (c *Cluster) Missing(ctx context.Context, refs []ObjectRef) ([]ObjectRef, error) {
	lost := make([]bool, len(refs))
	indices := make([]int, len(refs))
	for i := range refs {
		indices[i] = i
	}
	err := each(ctx, indices, func(ctx context.Context, i int) error {
		uid, err := c.readUID(ctx, refs[i])
		lost[i] = IsNotFound(err) || err == nil && refs[i].UID != "" && uid != refs[i].UID
		if IsNotFound(err) {
			return nil
		}
		return err
	})
	var gone []ObjectRef
	for i, ref := range refs {
		if lost[i] {
			gone = append(gone, ref)
		}
	}
	return gone, err
}

// readUID gives an object's UID without its content: nobody needs to see a Secret's data to know that it exists.
func (c *Cluster) readUID(ctx context.Context, ref ObjectRef) (types.UID, error) {
	at, err := c.locate(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("looking for %s: %w", ref, err)
	}
	data, err := answer(c.raw.Get().AbsPath(at...).SetHeader("Accept", asMetadata).Do(ctx))
	if err != nil {
		return "", c.failed("looking for "+ref.String(), err)
	}
	var meta metav1.PartialObjectMetadata
	if err := json.Unmarshal(data, &meta); err != nil {
		return "", fmt.Errorf("looking for %s: %w", ref, err)
	}
	return meta.UID, nil
}
