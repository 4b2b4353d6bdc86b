package cluster

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// single is a pointer to the Go type of a kind.
type single interface {
	runtime.Object
	metav1.Object
}

// one is a kind whose objects are asked for by name.
type one[O single] struct {
	client rest.Interface
	params runtime.ParameterCodec
	// namespace is empty for kinds of the whole cluster.
	resource, namespace string
	fresh               func() O
}

// many is a kind that is also listed and watched.
type many[O single, L runtime.Object] struct {
	one[O]
	freshList func() L
}

func oneOf[T any, O interface {
	*T
	single
}](k *Kinds, version schema.GroupVersion, resource, namespace string) one[O] {
	return one[O]{client: k.clients[version], params: k.params, resource: resource, namespace: namespace, fresh: func() O { return new(T) }}
}

func manyOf[T, U any, O interface {
	*T
	single
}, L interface {
	*U
	runtime.Object
}](k *Kinds, version schema.GroupVersion, resource, namespace string) many[O, L] {
	return many[O, L]{one: oneOf[T, O](k, version, resource, namespace), freshList: func() L { return new(U) }}
}

// to addresses a request to the kind.
func (k one[O]) to(r *rest.Request) *rest.Request {
	return r.NamespaceIfScoped(k.namespace, k.namespace != "").Resource(k.resource)
}

// Get reads an object.
func (k one[O]) Get(ctx context.Context, name string, options metav1.GetOptions) (O, error) {
	found := k.fresh()
	return found, k.to(k.client.Get()).Name(name).VersionedParams(&options, k.params).Do(ctx).Into(found)
}

// Create makes an object and gives it as the server has it.
func (k one[O]) Create(ctx context.Context, o O, options metav1.CreateOptions) (O, error) {
	made := k.fresh()
	return made, k.to(k.client.Post()).VersionedParams(&options, k.params).Body(o).Do(ctx).Into(made)
}

// Update replaces an object and gives it as the server has it.
func (k one[O]) Update(ctx context.Context, o O, options metav1.UpdateOptions) (O, error) {
	now := k.fresh()
	return now, k.to(k.client.Put()).Name(o.GetName()).VersionedParams(&options, k.params).Body(o).Do(ctx).Into(now)
}

// Patch changes an object and gives it as the server has it.
func (k one[O]) Patch(ctx context.Context, name string, as types.PatchType, patch []byte, options metav1.PatchOptions) (O, error) {
	now := k.fresh()
	return now, k.to(k.client.Patch(as)).Name(name).VersionedParams(&options, k.params).Body(patch).Do(ctx).Into(now)
}

// Delete removes an object.
func (k one[O]) Delete(ctx context.Context, name string, options metav1.DeleteOptions) error {
	return k.to(k.client.Delete()).Name(name).Body(&options).Do(ctx).Error()
}

// subresource addresses a request to a part of an object.
func (k one[O]) subresource(r *rest.Request, name, part string) *rest.Request {
	return k.to(r).Name(name).SubResource(part)
}

// List reads the objects that match.
func (k many[O, L]) List(ctx context.Context, options metav1.ListOptions) (L, error) {
	found := k.freshList()
	return found, k.to(k.client.Get()).VersionedParams(&options, k.params).Timeout(seconds(options.TimeoutSeconds)).Do(ctx).Into(found)
}

// Watch follows the objects that match.
func (k many[O, L]) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	return k.to(k.client.Get()).VersionedParams(&options, k.params).Timeout(seconds(options.TimeoutSeconds)).Watch(ctx)
}

func seconds(n *int64) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}
