package cluster

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// watchSeconds is how long the API server keeps one watch; it is opened again afterwards.
const watchSeconds = 300

// source is a list that can be watched.
type source struct {
	what  string
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// follow reports the objects of a source whenever they change, until the context ends. A watch that breaks is taken up
// again with a new list; only a list that fails, after the transport's patience, is an error.
func (c *Cluster) follow(ctx context.Context, src source, options metav1.ListOptions, changed func(map[types.UID]runtime.Object)) error {
	for attempt := 0; ; attempt++ {
		list, err := src.list(ctx, options)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return c.failed("listing "+src.what+" of Namespace/"+c.Namespace, err)
		}
		objs, version, err := index(list)
		if err != nil {
			return fmt.Errorf("listing %s of Namespace/%s: %w", src.what, c.Namespace, err)
		}
		changed(objs)
		if c.followEvents(ctx, src, options, version, objs, changed) {
			attempt = 0
		}
		if err := sleep(ctx, backoff(attempt)); err != nil {
			return err
		}
	}
}

// followEvents watches until the watch breaks; it says whether anything arrived.
func (c *Cluster) followEvents(ctx context.Context, src source, options metav1.ListOptions, version string, objs map[types.UID]runtime.Object, changed func(map[types.UID]runtime.Object)) (any bool) {
	seconds := int64(watchSeconds)
	options.ResourceVersion, options.TimeoutSeconds = version, &seconds
	w, err := src.watch(ctx, options)
	if err != nil {
		return false
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return any
		case event, open := <-w.ResultChan():
			if !open {
				return any
			}
			o, err := meta.Accessor(event.Object)
			switch {
			case event.Type == watch.Error || err != nil:
				return any
			case event.Type == watch.Deleted:
				delete(objs, o.GetUID())
			case event.Type == watch.Added || event.Type == watch.Modified:
				objs[o.GetUID()] = event.Object
			default:
				continue
			}
			any = true
			changed(objs)
		}
	}
}

func index(list runtime.Object) (objs map[types.UID]runtime.Object, version string, err error) {
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return nil, "", err
	}
	objs = map[types.UID]runtime.Object{}
	err = meta.EachListItem(list, func(o runtime.Object) error {
		a, err := meta.Accessor(o)
		if err == nil {
			objs[a.GetUID()] = o
		}
		return err
	})
	return objs, accessor.GetResourceVersion(), err
}

// podsSource and its like are what waiting follows.
func (c *Cluster) podsSource() source {
	pods := c.Client.Pods(c.Namespace)
	return source{
		what:  "the pods",
		list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return pods.List(ctx, o) },
		watch: pods.Watch,
	}
}

func (c *Cluster) setsSource() source {
	sets := c.Client.ReplicaSets(c.Namespace)
	return source{
		what:  "the ReplicaSets",
		list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return sets.List(ctx, o) },
		watch: sets.Watch,
	}
}

func (c *Cluster) eventsSource() source {
	events := c.Client.Events(c.Namespace)
	return source{
		what:  "the events",
		list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return events.List(ctx, o) },
		watch: events.Watch,
	}
}

func (c *Cluster) objectSource(ctx context.Context, ref ObjectRef) (source, error) {
	r, err := c.mapper.resource(ctx, ref.gvk())
	if err != nil {
		return source{}, fmt.Errorf("finding %s: %w", ref, err)
	}
	objects := c.Dynamic.Resource(r.GroupVersionResource).Namespace(ref.Namespace)
	return source{
		what:  "the " + r.Resource,
		list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return objects.List(ctx, o) },
		watch: objects.Watch,
	}, nil
}
