package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
)

// clientSideApply is the manager of what `kubectl apply` wrote without --server-side.
const clientSideApply = "kubectl-client-side-apply"

// conflictOf reads who owns what from the API server's answer; nil when the error is another one.
func conflictOf(ref ObjectRef, err error) *ConflictError {
	status, ok := isConflict(err)
	if !ok {
		return nil
	}
	conflict := &ConflictError{Subject: ref.String(), Fields: map[string][]string{}}
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		manager := managerIn(cause.Message)
		if !slices.Contains(conflict.Fields[manager], cause.Field) {
			conflict.Fields[manager] = append(conflict.Fields[manager], cause.Field)
		}
	}
	if len(conflict.Fields) == 0 {
		return nil
	}
	return conflict
}

// managerIn takes the name out of: conflict with "name" with subresource "scale" using apps/v1.
func managerIn(message string) string {
	_, rest, _ := strings.Cut(message, `"`)
	name, _, found := strings.Cut(rest, `"`)
	if !found {
		return message
	}
	return name
}

// only says that no other manager is part of the conflict.
func (e *ConflictError) only(managers ...string) bool {
	for manager := range e.Fields {
		if !slices.Contains(managers, manager) {
			return false
		}
	}
	return true
}

func managedBy(o *unstructured.Unstructured, manager string) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == manager })
}

// managerFor is the manager that applies an object: its service's. What belongs to the whole cluster is applied from several
// namespaces, which must not overwrite one another unseen.
func (c *Cluster) managerFor(o *unstructured.Unstructured) string {
	manager := managerOf(o.GetLabels()[LabelService])
	if c.ref(o).Namespace == "" {
		manager += "." + c.Namespace
	}
	return manager
}

// inherits says that an earlier manager's fields on a live object are ours to take over.
func (c *Cluster) inherits(o, live *unstructured.Unstructured) bool {
	if managedBy(live, clientSideApply) {
		return true
	}
	return c.managerFor(o) != FieldManager && appliedBy(live, FieldManager)
}

func appliedBy(o *unstructured.Unstructured, manager string) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == manager && f.Operation == metav1.ManagedFieldsOperationApply
	})
}

// yields says whether a conflict goes away when the objects are applied: with ourselves it does, with others by force alone.
func (c *Cluster) yields(ctx context.Context, o *unstructured.Unstructured, conflict *ConflictError) error {
	if c.force || conflict.only(c.managerFor(o)) {
		return nil
	}
	if !conflict.only(c.managerFor(o), FieldManager, clientSideApply) {
		return conflict
	}
	live, err := c.read(ctx, c.ref(o))
	if err != nil {
		return c.failed("reading "+c.ref(o).String(), err)
	}
	return foreign(o, live, conflict)
}

// foreign refuses an object that another service of promote applied before each service had a manager of its own.
func foreign(o, live *unstructured.Unstructured, conflict *ConflictError) error {
	theirs, ours := live.GetLabels()[LabelService], o.GetLabels()[LabelService]
	if theirs == "" || theirs == ours {
		return nil
	}
	if conflict == nil {
		conflict = &ConflictError{Subject: RefOf(live).String(), Fields: map[string][]string{FieldManager: {".metadata.labels." + LabelService}}}
	}
	conflict.Service = theirs
	return conflict
}

// migrate hands what client-side apply and earlier versions of promote owned to the service's manager and applies again, so
// that fields the manifest no longer has are removed (kubernetes#99003). at is the version that the object was seen in.
//
// What `kubectl create` or `edit`, or Helm, wrote is left to them: a person or a program meant it, and may come back. Where
// the manifest says otherwise that is a conflict, and the input `force` decides it.
func (c *Cluster) migrate(ctx context.Context, o *unstructured.Unstructured, at version) (*unstructured.Unstructured, bool, error) {
	ref, manager := c.ref(o), c.managerFor(o)
	live, err := c.read(ctx, ref)
	if err != nil {
		return nil, false, err
	}
	if err := foreign(o, live, nil); err != nil {
		return nil, false, err
	}
	if versionOf(live) != at {
		if err := c.may(ctx, live); err != nil {
			return nil, false, err
		}
	}
	if patch, err := handOver(live, manager); err != nil {
		return nil, false, fmt.Errorf("taking %s over from %s: %w", ref, clientSideApply, err)
	} else if len(patch) > 0 {
		path, err := c.locate(ctx, ref)
		if err != nil {
			return nil, false, err
		}
		data, err := answer(c.raw.Patch(types.JSONPatchType).AbsPath(path...).Param("fieldManager", manager).Body(patch).Do(ctx))
		if err == nil {
			err = live.UnmarshalJSON(data)
		}
		if err != nil {
			return nil, false, fmt.Errorf("taking %s over from %s: %w", ref, clientSideApply, err)
		}
	}
	at = versionOf(live)
	result, created, err := c.applyOnce(ctx, o, applyMode{at: &at})
	if conflict := conflictOf(ref, err); conflict != nil {
		if conflict.only(manager, FieldManager) {
			return c.applyOnce(ctx, o, applyMode{force: true, at: &at})
		}
		return nil, false, conflict
	}
	return result, created, err
}

// handOver is the patch, good for the object as it was read, that makes the manager the one which applied what client-side
// apply and earlier versions of promote did; empty when they did nothing.
func handOver(live *unstructured.Unstructured, manager string) ([]byte, error) {
	after := live.DeepCopy()
	entries := after.GetManagedFields()
	// csaupgrade merges updates alone. What the manager "promote" updated, such as a replica count, must stay an update: a field
	// that was applied and is applied no longer is removed.
	const applied = FieldManager + " (applied)"
	for i, e := range entries {
		if manager != FieldManager && e.Manager == FieldManager && e.Operation == metav1.ManagedFieldsOperationApply {
			entries[i].Manager, entries[i].Operation = applied, metav1.ManagedFieldsOperationUpdate
		}
	}
	after.SetManagedFields(entries)
	if err := csaupgrade.UpgradeManagedFields(after, sets.New(clientSideApply, applied), manager); err != nil {
		return nil, err
	}
	if equality.Semantic.DeepEqual(live.GetManagedFields(), after.GetManagedFields()) {
		return nil, nil
	}
	return json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": after.GetManagedFields()},
		// Not a test: a version that does not match is then a conflict and not an invalid request.
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
}
