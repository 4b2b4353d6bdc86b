package failing

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// watched are the kinds whose changes are recorded: those that waiting looks at.
var watched = []schema.GroupVersionResource{
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "apps", Version: "v1", Resource: "replicasets"},
	{Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "apps", Version: "v1", Resource: "daemonsets"},
	{Group: "batch", Version: "v1", Resource: "jobs"},
	{Version: "v1", Resource: "pods"},
	{Version: "v1", Resource: "events"},
}

// Change is one thing that the API server told a watch.
type Change struct {
	// At is when it was told, counted from the first.
	At metav1.Duration `json:"at"`
	// Type is ADDED, MODIFIED or DELETED.
	Type   string         `json:"type"`
	Object map[string]any `json:"object"`

	told time.Time
}

// Recording collects changes while it runs.
type Recording struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex
	changes []Change
}

// Watch begins to record what happens in a namespace. End with Stop.
func (w *World) Watch(ctx context.Context, namespace string) (*Recording, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &Recording{cancel: cancel}
	for _, kind := range watched {
		objects := w.dynamic.Resource(kind).Namespace(namespace)
		list, err := objects.List(ctx, metav1.ListOptions{})
		if err != nil {
			cancel()
			return nil, fmt.Errorf("listing the %s of Namespace/%s: %w", kind.Resource, namespace, err)
		}
		changes, err := objects.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if err != nil {
			cancel()
			return nil, fmt.Errorf("watching the %s of Namespace/%s: %w", kind.Resource, namespace, err)
		}
		r.running.Go(func() {
			defer changes.Stop()
			for event := range changes.ResultChan() {
				r.add(event)
			}
		})
	}
	return r, nil
}

func (r *Recording) add(event watch.Event) {
	o, ok := event.Object.(*unstructured.Unstructured)
	if !ok || event.Type == watch.Error {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Change{Type: string(event.Type), Object: o.Object, told: time.Now()}
	if len(r.changes) > 0 {
		c.At.Duration = c.told.Sub(r.changes[0].told).Round(time.Millisecond)
	}
	r.changes = append(r.changes, c)
}

// Stop ends the recording and gives the changes in the order in which they were told.
func (r *Recording) Stop() []Change {
	r.cancel()
	r.running.Wait()
	return r.changes
}

// Known is when a text was first told, by this machine's clock; false when it was not.
func (r *Recording) Known(text string) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.changes {
		if data, err := json.Marshal(c.Object); err == nil && strings.Contains(string(data), text) {
			return c.told, true
		}
	}
	return time.Time{}, false
}
