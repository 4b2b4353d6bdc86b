package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Selector reads which pods a Service selects.
func (c *Cluster) Selector(ctx context.Context, service string) (map[string]string, error) {
	s, err := c.Client.Services(c.Namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return nil, c.failed("reading "+c.subject("Service", service), err)
	}
	return s.Spec.Selector, nil
}

// Select replaces a Service's selector in ONE patch, which holds only for the Service as it was just read. A Service that
// selects this already is not written. When it is to select one release, that release's withdrawn pods serve again first: to
// select pods that none of them may serve would be an outage.
func (c *Cluster) Select(ctx context.Context, service string, selector map[string]string) (err error) {
	subject := c.subject("Service", service)
	if len(selector) == 0 {
		return fmt.Errorf("selecting for %s: an empty selector would select nothing", subject)
	}
	if release := selector[LabelRelease]; release != "" && selector[LabelServe] != "" {
		if err := c.guard(ctx); err != nil {
			return fmt.Errorf("selecting for %s: %w", subject, err)
		}
		// Its failure must not keep the one patch that matters from being sent.
		defer func(readmitted error) { err = errors.Join(err, readmitted) }(c.readmit(ctx, withdrawnOf(release), math.MaxInt))
	}
	err = c.repeat(ctx, func(ctx context.Context) error {
		s, err := c.Client.Services(c.Namespace).Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := c.may(ctx, s); err != nil {
			return err
		}
		if maps.Equal(s.Spec.Selector, selector) {
			return nil
		}
		patch, err := json.Marshal([]map[string]any{
			{"op": "test", "path": "/metadata/resourceVersion", "value": s.ResourceVersion},
			{"op": "add", "path": "/spec/selector", "value": selector},
		})
		if err != nil {
			return err
		}
		_, err = c.Client.Services(c.Namespace).Patch(ctx, service, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: c.manager()})
		return err
	})
	return c.failed("selecting for "+subject, err)
}
