package cluster

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// edit changes an object's annotations and spec in one patch, for the version that was read. One that is gone is fine.
func (c *Cluster) edit(ctx context.Context, ref ObjectRef, doing string, change func(*unstructured.Unstructured) error) error {
	err := c.repeat(ctx, func(ctx context.Context) error {
		live, err := c.read(ctx, ref)
		if err != nil {
			return err
		}
		if err := c.may(ctx, live); err != nil {
			return err
		}
		want := live.DeepCopy()
		if err := change(want); err != nil {
			return err
		}
		patch, changed, err := replaced(live, want)
		if err != nil || !changed {
			return err
		}
		at, err := c.locate(ctx, ref)
		if err != nil {
			return err
		}
		_, err = answer(c.raw.Patch(types.JSONPatchType).AbsPath(at...).Param("fieldManager", c.manager()).Body(patch).Do(ctx))
		return err
	})
	if IsNotFound(err) {
		return nil
	}
	return c.failed(doing+" "+ref.String(), err)
}

// replaced is a JSON patch that replaces annotations and spec of the very version that was read. A merge patch would leave what the
// one has and the other has not.
func replaced(live, want *unstructured.Unstructured) (patch []byte, changed bool, err error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}
	before, err := json.Marshal([]any{live.GetAnnotations(), live.Object["spec"]})
	if err != nil {
		return nil, false, err
	}
	after, err := json.Marshal([]any{want.GetAnnotations(), want.Object["spec"]})
	if err != nil || string(before) == string(after) {
		return nil, false, err
	}
	operations := []operation{
		{"replace", "/metadata/resourceVersion", live.GetResourceVersion()},
		{"add", "/metadata/annotations", want.GetAnnotations()},
		{"replace", "/spec", want.Object["spec"]},
	}
	if len(want.GetAnnotations()) == 0 {
		operations[1] = operation{Op: "remove", Path: "/metadata/annotations"}
	}
	patch, err = json.Marshal(operations)
	return patch, true, err
}
