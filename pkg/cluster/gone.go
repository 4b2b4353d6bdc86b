package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// listedFrom is how many objects of one kind it takes to list them instead of reading each; listPage is how many come at once.
const (
	listedFrom = 10
	listPage   = 500
)

// Missing gives the refs whose objects do not exist any more, or whose names other objects have taken. Many objects of one kind
// are listed, without their content, where the account may do that; Secrets are always read one by one, since the right to list
// them is the right to see them all.
func (c *Cluster) Missing(ctx context.Context, refs []ObjectRef) ([]ObjectRef, error) {
	listed, err := c.listUIDs(ctx, refs)
	if err != nil {
		return nil, err
	}
	lost := make([]bool, len(refs))
	indices := make([]int, len(refs))
	for i := range refs {
		indices[i] = i
	}
	err = each(ctx, indices, func(ctx context.Context, i int) error {
		uid, there := listed[withoutUID(refs[i])]
		if there && refs[i].UID != "" && uid == refs[i].UID {
			return nil
		}
		// What a list does not hold may have lost its label only.
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

func withoutUID(ref ObjectRef) ObjectRef {
	ref.UID = ""
	return ref
}

// listUIDs lists the kinds of which there are many refs. A kind that may not be listed is left out.
func (c *Cluster) listUIDs(ctx context.Context, refs []ObjectRef) (map[ObjectRef]types.UID, error) {
	count := map[ObjectRef]int{}
	for _, ref := range refs {
		if ref.Namespace == c.Namespace && ref.gvk() != (schema.GroupVersionKind{Version: "v1", Kind: "Secret"}) {
			count[ObjectRef{APIVersion: ref.APIVersion, Kind: ref.Kind, Namespace: ref.Namespace}]++
		}
	}
	found := map[ObjectRef]types.UID{}
	for kind, n := range count {
		if n < listedFrom {
			continue
		}
		err := c.listKind(ctx, kind, found)
		// A list that takes too long for its pages to belong together has expired; then each is read.
		if err != nil && !apierrors.IsForbidden(err) && !IsNotFound(err) && !apierrors.IsResourceExpired(err) {
			return nil, c.failed("listing the "+kind.Kind+" objects of namespace "+c.Namespace, err)
		}
	}
	return found, nil
}

// listKind adds the UIDs of the objects of a kind that carry a service's label.
func (c *Cluster) listKind(ctx context.Context, kind ObjectRef, into map[ObjectRef]types.UID) error {
	r, err := c.mapper.resource(ctx, kind.gvk())
	if err != nil || !r.namespaced {
		return err
	}
	for next := ""; ; {
		data, err := answer(c.raw.Get().AbsPath(r.path(c.Namespace, "")...).SetHeader("Accept", asMetadataList).
			Param("labelSelector", LabelService).Param("limit", fmt.Sprint(listPage)).Param("continue", next).Do(ctx))
		if err != nil {
			return err
		}
		var list metav1.PartialObjectMetadataList
		if err := json.Unmarshal(data, &list); err != nil {
			return fmt.Errorf("parsing the list of %s: %w", kind.Kind, err)
		}
		for _, o := range list.Items {
			kind.Name = o.Name
			into[kind] = o.UID
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
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
