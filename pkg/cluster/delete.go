package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Delete deletes exactly the objects that the refs name, workloads first and then the rest in reverse order, so that a pod
// that restarts meanwhile still finds its configuration. An object that is gone, or whose name another object has taken, is
// fine. A ref without a UID is deleted only when promote made the object. What the objects own goes with them in the
// background; [Cluster.AwaitGone] waits. All errors come at once.
func (c *Cluster) Delete(ctx context.Context, refs []ObjectRef) error {
	var first, second []ObjectRef
	for _, ref := range slices.Backward(refs) {
		if workloads[ref.Kind] {
			first = append(first, ref)
		} else {
			second = append(second, ref)
		}
	}
	var errs []error
	for _, wave := range [][]ObjectRef{first, second} {
		if err := c.guard(ctx); err != nil {
			return errors.Join(append(errs, fmt.Errorf("deleting: %w", err))...)
		}
		errs = append(errs, each(ctx, wave, c.deleteOne))
	}
	return errors.Join(errs...)
}

func (c *Cluster) deleteOne(ctx context.Context, ref ObjectRef) error {
	if ref.Namespace == "" {
		ref.Namespace = c.Namespace
	}
	if ref.UID != "" && c.lock.Load() == nil {
		// There is no lock that could be lost on the way.
		return c.deletedOr(ref, c.deleteVersion(ctx, ref, version{uid: ref.UID}))
	}
	for range applyTries {
		live, err := c.read(ctx, ref)
		switch {
		case IsNotFound(err), err == nil && ref.UID != "" && live.GetUID() != ref.UID, err == nil && live.GetDeletionTimestamp() != nil:
			return nil
		case err != nil:
			return c.failed("deleting "+ref.String(), err)
		case ref.UID == "" && !ours(live):
			return fmt.Errorf("deleting %s: promote did not make it and knows no UID of it: left alone", ref)
		}
		if err := c.may(ctx, live); err != nil {
			return fmt.Errorf("deleting %s: %w", ref, err)
		}
		if err = c.deleteVersion(ctx, ref, versionOf(live)); !isStale(err) {
			return c.deletedOr(ref, err)
		}
		if err := sleep(ctx, firstBackoff/4); err != nil {
			return err
		}
	}
	return fmt.Errorf("deleting %s: it was written again and again meanwhile", ref)
}

// deletedOr takes what means that the object is gone for success.
func (c *Cluster) deletedOr(ref ObjectRef, err error) error {
	if err == nil || IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return c.failed("deleting "+ref.String(), err)
}

// deleteVersion deletes an object if it is still the one that was read; without a resourceVersion, if it has the UID.
func (c *Cluster) deleteVersion(ctx context.Context, ref ObjectRef, v version) error {
	at, err := c.locate(ctx, ref)
	if err != nil {
		return err
	}
	if c.mapper.whole(ref.gvk()) {
		return fmt.Errorf("a %s belongs to the whole cluster, and promote deletes in its namespace alone", ref.Kind)
	}
	background, must := metav1.DeletePropagationBackground, &metav1.Preconditions{UID: &v.uid}
	if v.resourceVersion != "" {
		must.ResourceVersion = &v.resourceVersion
	}
	options, err := json.Marshal(metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions:     must,
		PropagationPolicy: &background,
	})
	if err != nil {
		return err
	}
	_, err = answer(c.raw.Delete().AbsPath(at...).SetHeader("Content-Type", "application/json").Body(options).Do(ctx))
	return err
}

// ours says that promote made the object for one release.
func ours(o *unstructured.Unstructured) bool {
	return o.GetLabels()[LabelRelease] != "" && (managedBy(o, FieldManager) || managedBy(o, managerOf(o.GetLabels()[LabelService])))
}

// AwaitGone waits until none of the objects exists any more. Objects that another has replaced are gone.
func (c *Cluster) AwaitGone(ctx context.Context, refs []ObjectRef) error {
	return c.poll(ctx, 2*time.Minute, func(ctx context.Context) (missing string, err error) {
		for _, ref := range refs {
			live, err := c.read(ctx, ref)
			if IsNotFound(err) || err == nil && ref.UID != "" && live.GetUID() != ref.UID {
				continue
			}
			if err != nil {
				return "", c.failed("reading "+ref.String(), err)
			}
			return fmt.Sprintf("%s still exists (finalizers: %v)", ref, live.GetFinalizers()), nil
		}
		return "", nil
	})
}
