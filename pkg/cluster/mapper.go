package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// resource is how a kind is reached: its name in URLs, and whether it lives in namespaces.
type resource struct {
	schema.GroupVersionResource
	namespaced bool
}

// path is the URL path of one object.
func (r resource) path(namespace, name string) []string {
	segments := []string{"apis", r.Group, r.Version}
	if r.Group == "" {
		segments = []string{"api", r.Version}
	}
	if r.namespaced {
		segments = append(segments, "namespaces", namespace)
	}
	return append(segments, r.Resource, name)
}

// errNotServed says that the API server has no such kind.
var errNotServed = errors.New("the cluster does not serve")

// whole says that a kind is known to belong to the whole cluster; it asks nobody.
func (m *mapper) whole(gvk schema.GroupVersionKind) bool {
	if r, ok := known[gvk]; ok {
		return !r.namespaced
	}
	m.mu.Lock()
	d, asked := m.groups[gvk.GroupVersion()]
	m.mu.Unlock()
	if !asked {
		return false
	}
	select {
	case <-d.done:
		r, known := d.kinds[gvk.Kind]
		return known && !r.namespaced
	default:
		return false
	}
}

// forget asks anew for the kinds of a group, because a definition was applied.
func (m *mapper) forget(group string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.groups, func(gv schema.GroupVersion, _ *discovery) bool { return gv.Group == group })
}

// mapper finds the resource of a kind by asking for its one group and version, once. client-go's own mapper downloads the
// list of all groups and every group's resources, megabytes on a cluster with many custom resources.
type mapper struct {
	client rest.Interface
	mu     sync.Mutex
	groups map[schema.GroupVersion]*discovery
}

// discovery is one group and version; done is closed when its lookup ended.
type discovery struct {
	done  chan struct{}
	kinds map[string]resource
	err   error
}

func newMapper(client rest.Interface) *mapper {
	return &mapper{client: client, groups: map[schema.GroupVersion]*discovery{}}
}

// resource finds how a kind is reached.
func (m *mapper) resource(ctx context.Context, gvk schema.GroupVersionKind) (resource, error) {
	if r, ok := known[gvk]; ok {
		return r, nil
	}
	m.mu.Lock()
	d, started := m.groups[gvk.GroupVersion()]
	if !started {
		d = &discovery{done: make(chan struct{})}
		m.groups[gvk.GroupVersion()] = d
	}
	m.mu.Unlock()
	if !started {
		d.kinds, d.err = m.discover(ctx, gvk.GroupVersion())
		if d.err != nil {
			// The next caller asks again; whoever waits now shares the error.
			m.mu.Lock()
			delete(m.groups, gvk.GroupVersion())
			m.mu.Unlock()
		}
		close(d.done)
	}
	select {
	case <-d.done:
	case <-ctx.Done():
		return resource{}, context.Cause(ctx)
	}
	if d.err != nil {
		return resource{}, d.err
	}
	r, ok := d.kinds[gvk.Kind]
	if !ok {
		return resource{}, fmt.Errorf("%w a kind %q in %q: check apiVersion and kind in the manifest, or install what defines it", errNotServed, gvk.Kind, gvk.GroupVersion())
	}
	return r, nil
}

func (m *mapper) discover(ctx context.Context, gv schema.GroupVersion) (map[string]resource, error) {
	path := []string{"apis", gv.Group, gv.Version}
	if gv.Group == "" {
		path = []string{"api", gv.Version}
	}
	data, err := answer(m.client.Get().AbsPath(path...).Do(ctx))
	if IsNotFound(err) {
		return nil, fmt.Errorf("%w %q: check apiVersion in the manifest, or install what defines it", errNotServed, gv)
	}
	if err != nil {
		return nil, fmt.Errorf("asking which kinds %q has: %w", gv, err)
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("parsing the kinds of %q: %w", gv, err)
	}
	kinds := map[string]resource{}
	for _, r := range list.APIResources {
		// Subresources such as deployments/scale are listed too.
		if _, seen := kinds[r.Kind]; seen || strings.Contains(r.Name, "/") {
			continue
		}
		kinds[r.Kind] = resource{gv.WithResource(r.Name), r.Namespaced}
	}
	return kinds, nil
}
