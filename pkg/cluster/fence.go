package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The fence. A process can be stopped between any two instructions, for longer than its lock lasts, and a look at the lock says
// nothing about the next instruction. So every write to an object that exists is done in this order:
//
//  1. read the object,
//  2. guard: the lock was still held after the read,
//  3. write, with the version of 1 as precondition.
//
// A run that takes over stamps every object the lock guards before it does anything else. Whoever was stopped between 2 and
// 3 has a version from before the stamp, and the API server refuses the write; whoever was stopped before 2 is stopped there.
// The versions hold for as long as a request is repeated, so a repetition needs no guard of its own.
//
// What does not exist has no version. Its creation carries one that no object ever had (see absent), so it can't change what
// the next run made; and when the lock turns out lost after it, the object is taken away again (see applied.undo).

// guard stops a write when the lock that this run held is gone. A run without a lock may write.
func (c *Cluster) guard(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	l := c.lock.Load()
	if l == nil {
		return nil
	}
	return l.check(ctx)
}

// may says whether an object that was just read may be written: nobody with a later token has stamped it, and the lock was
// held after the read.
func (c *Cluster) may(ctx context.Context, o metav1.Object) error {
	if err := c.fenced(o); err != nil {
		return err
	}
	return c.guard(ctx)
}

// fenced refuses an object that a run with a later token has stamped.
func (c *Cluster) fenced(o metav1.Object) error {
	l := c.lock.Load()
	if l == nil {
		return nil
	}
	token, err := strconv.ParseInt(o.GetAnnotations()[AnnotationToken], 10, 64)
	if err == nil && token > int64(l.token) {
		return fmt.Errorf("writing %s/%s: %w (token %d, ours is %d)", c.Namespace, o.GetName(), ErrLockLost, token, l.token)
	}
	return nil
}

// stamp writes the token on every object that the lock guards: what the state knows, the service's Deployments and Services,
// and the pods of its releases.
func (c *Cluster) stamp(ctx context.Context, service string, token int32) error {
	state, err := c.LoadState(ctx, service)
	if err != nil {
		return err
	}
	refs := append(state.inventory(), ObjectRef{APIVersion: "v1", Kind: "ConfigMap", Name: stateName(service)})
	of := metav1.ListOptions{LabelSelector: LabelService + "=" + service}
	deployments, err := c.Client.Deployments(c.Namespace).List(ctx, of)
	if err != nil {
		return c.failed("listing what the lock guards", err)
	}
	for _, d := range deployments.Items {
		refs = append(refs, ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Name: d.Name, UID: d.UID})
	}
	services, err := c.Client.Services(c.Namespace).List(ctx, of)
	if err != nil {
		return c.failed("listing what the lock guards", err)
	}
	for _, s := range services.Items {
		refs = append(refs, ObjectRef{APIVersion: "v1", Kind: "Service", Name: s.Name, UID: s.UID})
	}
	pods, err := c.podRefs(ctx, service, state.releases())
	if err != nil {
		return err
	}
	refs = append(refs, pods...)
	return each(ctx, distinct(refs, c.Namespace), func(ctx context.Context, ref ObjectRef) error { return c.stampOne(ctx, ref, token) })
}

func (c *Cluster) stampOne(ctx context.Context, ref ObjectRef, token int32) error {
	at, err := c.locate(ctx, ref)
	if errors.Is(err, errNotServed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stamping: %w", err)
	}
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%d"}}}`, AnnotationToken, token)
	_, err = answer(c.raw.Patch(types.MergePatchType).AbsPath(at...).Param("fieldManager", c.manager()).Body(patch).Do(ctx))
	// What this account may not patch, the run before could not either.
	if IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil
	}
	return c.failed("stamping "+ref.String(), err)
}

// podRefs lists the pods of a service: by its label, and by its releases', because adopted pods have no other.
func (c *Cluster) podRefs(ctx context.Context, service string, releases []string) ([]ObjectRef, error) {
	selectors := []string{LabelService + "=" + service}
	if len(releases) > 0 {
		selectors = append(selectors, LabelRelease+" in ("+strings.Join(releases, ",")+"),!"+LabelService)
	}
	var refs []ObjectRef
	for _, selector := range selectors {
		pods, err := c.pods(ctx, selector)
		if err != nil {
			return nil, err
		}
		for _, p := range pods {
			refs = append(refs, ObjectRef{APIVersion: "v1", Kind: "Pod", Name: p.Name, UID: p.UID})
		}
	}
	return refs, nil
}

// distinct names each object once, in the namespace and without a UID: an object that was made anew is guarded as well.
func distinct(refs []ObjectRef, namespace string) []ObjectRef {
	seen, out := map[ObjectRef]bool{}, []ObjectRef(nil)
	for _, r := range refs {
		r.Namespace, r.UID = namespace, ""
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}
