package cluster

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Action is what an apply did, or would do, to an object.
type Action string

// The actions of an apply.
const (
	Created    Action = "created"
	Configured Action = "configured"
	Unchanged  Action = "unchanged"
)

// Applied is what became of one applied object; its Ref has the UID.
type Applied struct {
	Ref    ObjectRef
	Action Action
	// Forced is what other managers lost because the user asked for it; nil when nothing was in the way.
	Forced *ConflictError
}

// String is a line for the log.
func (a Applied) String() string {
	if a.Forced == nil {
		return a.Ref.String() + " " + string(a.Action)
	}
	return fmt.Sprintf("%s %s, with fields taken from others: %s", a.Ref, a.Action, a.Forced.owners())
}

// Apply applies the objects server-side under the service's own manager, without taking fields from others unless
// [Config.Force] says so: first what pods may need to start, then the workloads. All errors come at once, with what was applied nevertheless. Replicas of a workload
// that an autoscaler owns stay as they are.
func (c *Cluster) Apply(ctx context.Context, objs []*unstructured.Unstructured) ([]Applied, error) {
	objs, err := c.keepScaled(ctx, objs)
	if err != nil {
		return nil, err
	}
	c.discover(ctx, objs)
	results := make([]*Applied, len(objs))
	for n, wave := range c.waves(objs) {
		if err := c.guard(ctx); err != nil {
			return collect(results), fmt.Errorf("applying: %w", err)
		}
		err := each(ctx, wave, func(ctx context.Context, i int) error {
			var err error
			results[i], err = c.applyOne(ctx, objs[i])
			return err
		})
		if err == nil && n == 0 {
			err = c.established(ctx, objs, wave)
		}
		if err != nil {
			return collect(results), err
		}
	}
	return collect(results), nil
}

// collect drops what was not applied.
func collect(results []*Applied) []Applied {
	var applied []Applied
	for _, r := range results {
		if r != nil {
			applied = append(applied, *r)
		}
	}
	return applied
}

// workloads start pods; everything else is applied before them, so that no pod starts without its configuration.
var workloads = map[string]bool{
	"Deployment": true, "StatefulSet": true, "DaemonSet": true, "ReplicaSet": true, "Job": true, "CronJob": true, "Pod": true,
	"HorizontalPodAutoscaler": true,
}

// waves orders the objects' indices: what belongs to the whole cluster, what pods may need, what makes pods.
func (c *Cluster) waves(objs []*unstructured.Unstructured) [][]int {
	waves := make([][]int, 3)
	for i, o := range objs {
		wave := 1
		switch {
		case c.ref(o).Namespace == "":
			wave = 0
		case workloads[o.GetKind()]:
			wave = 2
		}
		waves[wave] = append(waves[wave], i)
	}
	return waves
}

// applyTries bounds how often an apply begins anew because its object changed meanwhile: controllers write the status of what
// was just made every few milliseconds.
const applyTries = 20

// applyOne applies one object, for the version of it that was read while the lock was held, and says what that did.
func (c *Cluster) applyOne(ctx context.Context, o *unstructured.Unstructured) (*Applied, error) {
	ref, first := c.ref(o), (*version)(nil)
	for attempt := 0; ; attempt++ {
		before, err := c.lastSeen(ctx, ref)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = &before
		}
		if err := c.guard(ctx); err != nil {
			return nil, fmt.Errorf("applying %s: %w", ref, err)
		}
		result, created, forced, err := c.applyResolving(ctx, o, before)
		if isStale(err) && attempt < applyTries {
			c.seen.Delete(ref)
			if before == (version{}) && !c.madeBy(ctx, o) {
				first = nil
			}
			if err := sleep(ctx, backoff(min(attempt, 2))/4); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, c.failedOn("applying", o, err)
		}
		done := version{result.GetUID(), result.GetResourceVersion()}
		c.seen.Store(ref, done)
		action := Configured
		switch {
		case created, *first == version{}:
			// What was not there, and is there by our manager, was made here, also when the answer was lost.
			action = Created
		case before == done:
			action = Unchanged
		}
		ref.UID = done.uid
		if err := c.guard(ctx); err != nil && action == Created {
			return nil, errors.Join(fmt.Errorf("applying %s: %w", ref, err), c.undo(context.WithoutCancel(ctx), ref))
		}
		return &Applied{Ref: ref, Action: action, Forced: forced}, nil
	}
}

// madeBy says that an object which was not there a moment ago is there by this service's own apply.
func (c *Cluster) madeBy(ctx context.Context, o *unstructured.Unstructured) bool {
	live, err := c.read(ctx, c.ref(o))
	return err == nil && appliedBy(live, c.managerFor(o))
}

// lastSeen is an object's version, from the dry run or read now.
func (c *Cluster) lastSeen(ctx context.Context, ref ObjectRef) (version, error) {
	if v, known := c.seen.Load(ref); known {
		return v.(version), nil
	}
	live, err := c.read(ctx, ref)
	switch {
	case IsNotFound(err):
		return version{}, nil
	case err != nil:
		return version{}, c.failed("reading "+ref.String(), err)
	}
	if err := c.fenced(live); err != nil {
		return version{}, err
	}
	return versionOf(live), nil
}

// undo takes away what was created after the lock was lost. It holds only for the object as this run made it: the next run's
// apply removes the token that a creation carries.
func (c *Cluster) undo(ctx context.Context, ref ObjectRef) error {
	l := c.lock.Load()
	if l == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, undoTime)
	defer cancel()
	for range applyTries {
		live, err := c.read(ctx, ref)
		if IsNotFound(err) || err == nil && (live.GetUID() != ref.UID || live.GetAnnotations()[AnnotationToken] != fmt.Sprint(l.token)) {
			return nil
		}
		if err == nil {
			err = c.deleteVersion(ctx, ref, versionOf(live))
		}
		if err == nil || !isStale(err) {
			return c.failed("removing "+ref.String()+" again", err)
		}
	}
	return nil
}

// isStale says that a write was refused because its object is not, or no longer, the version that it holds for.
func isStale(err error) bool {
	_, managers := isConflict(err)
	return apierrors.IsConflict(err) && !managers
}

// applyResolving applies an object, and once more where a conflict is with ourselves (with our own scaling and selecting, which
// are updates and not applies; with what an earlier promote, or `kubectl apply`, wrote before this service had a manager), or
// where the user said that fields are to be taken. forced is who lost fields to that.
func (c *Cluster) applyResolving(ctx context.Context, o *unstructured.Unstructured, at version) (result *unstructured.Unstructured, created bool, forced *ConflictError, err error) {
	result, created, err = c.applyOnce(ctx, o, applyMode{at: &at})
	conflict := conflictOf(c.ref(o), err)
	switch {
	case err == nil && !created && c.inherits(o, result):
		// Fields that an earlier manager applied and the manifest no longer has would stay for ever.
		result, created, err = c.migrate(ctx, o, versionOf(result))
		conflict = conflictOf(c.ref(o), err)
	case conflict != nil && conflict.only(c.managerFor(o)):
		result, created, err = c.applyOnce(ctx, o, applyMode{force: true, at: &at})
		return result, created, nil, err
	case conflict != nil && conflict.only(c.managerFor(o), FieldManager, clientSideApply):
		result, created, err = c.migrate(ctx, o, at)
		conflict = conflictOf(c.ref(o), err)
	}
	if conflict == nil {
		return result, created, nil, err
	}
	if !c.force {
		return nil, false, nil, conflict
	}
	c.seen.Delete(c.ref(o))
	if at, err = c.lastSeen(ctx, c.ref(o)); err != nil {
		return nil, false, nil, err
	}
	if err := c.guard(ctx); err != nil {
		return nil, false, nil, err
	}
	result, created, err = c.applyOnce(ctx, o, applyMode{force: true, at: &at})
	return result, created, conflict, err
}

// DryRun asks the API server what applying the objects would do; nothing is changed. All problems come at once. filled names the
// places that the diffs must not show.
func (c *Cluster) DryRun(ctx context.Context, objs []*unstructured.Unstructured, filled ...Filled) ([]Change, error) {
	c.targets.Store(nil)
	objs, err := c.keepScaled(ctx, objs)
	if err != nil {
		return nil, err
	}
	c.discover(ctx, objs)
	changes := make([]Change, len(objs))
	var errs []error
	coming := map[schema.GroupKind]bool{}
	for _, wave := range c.waves(objs) {
		errs = append(errs, each(ctx, wave, func(ctx context.Context, i int) error {
			change, err := c.dryRunOne(ctx, objs[i], filled)
			if err != nil && coming[objs[i].GroupVersionKind().GroupKind()] {
				// Its definition comes with it, or changes: only then the API server can judge it.
				change, err = Change{Ref: c.ref(objs[i]), Action: Configured, Diff: c.diff(objs[i], nil, objs[i], filled)}, nil
			}
			changes[i] = change
			return err
		}))
		for _, i := range wave {
			if d, is := definitionOf(objs[i]); is && changes[i].Action != Unchanged {
				coming[d.kind] = true
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return changes, nil
}

func (c *Cluster) dryRunOne(ctx context.Context, o *unstructured.Unstructured, filled []Filled) (Change, error) {
	ref := c.ref(o)
	result, created, err := c.tryOut(ctx, o, false)
	if conflict := conflictOf(ref, err); conflict != nil {
		if err := c.yields(ctx, o, conflict); err != nil {
			return Change{}, err
		}
		result, created, err = c.tryOut(ctx, o, true)
	}
	if err != nil {
		return Change{}, c.failedOn("checking", o, err)
	}
	if created {
		c.seen.Store(ref, version{})
		return Change{Ref: ref, Action: Created, Diff: c.diff(o, nil, o, filled)}, nil
	}
	live, err := c.read(ctx, ref)
	if err != nil {
		return Change{}, c.failed("reading "+ref.String(), err)
	}
	if err := c.fenced(live); err != nil {
		return Change{}, err
	}
	if set := live.GetLabels()[labelPartOf]; set != "" && o.GetLabels()[LabelService] != "" && set != setID(c.Namespace, o.GetLabels()[LabelService]) {
		return Change{}, fmt.Errorf("checking %s: it belongs to the ApplySet %s, which another tool or service keeps: rename it in the manifest, or take it out of that set", ref, set)
	}
	ref.UID = live.GetUID()
	c.seen.Store(c.ref(o), versionOf(live))
	diff := c.diff(o, live, result, filled)
	if diff == "" {
		return Change{Ref: ref, Action: Unchanged}, nil
	}
	return Change{Ref: ref, Action: Configured, Diff: diff}, nil
}

// tryOut sends one dry run, and again when somebody was writing the object just then.
func (c *Cluster) tryOut(ctx context.Context, o *unstructured.Unstructured, force bool) (result *unstructured.Unstructured, created bool, err error) {
	for attempt := range internalTries {
		result, created, err = c.applyOnce(ctx, o, applyMode{dryRun: true, force: force})
		if !isStale(err) {
			break
		}
		if err := sleep(ctx, backoff(attempt)/4); err != nil {
			return nil, false, err
		}
	}
	return result, created, err
}

// isConflict says that an error is a conflict of field managers, not of versions.
func isConflict(err error) (*apierrors.StatusError, bool) {
	var status *apierrors.StatusError
	if !errors.As(err, &status) || !apierrors.IsConflict(err) || status.ErrStatus.Details == nil {
		return nil, false
	}
	return status, len(status.ErrStatus.Details.Causes) > 0
}
