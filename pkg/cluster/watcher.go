package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// lookAgain is how often trouble is looked at when nothing changes: patience runs out without an event.
const lookAgain = time.Second

// eventsAfter is when a wait begins to read events too: only what does not start at once needs them.
const eventsAfter = 3 * time.Second

// steadyTime is how long a container without a readiness probe must run; most that cannot run end sooner.
const steadyTime = 3 * time.Second

// watcher waits for one object.
type watcher struct {
	cluster *Cluster
	ref     ObjectRef
	started time.Time
	tell    func(string)

	mu     sync.Mutex
	object *unstructured.Unstructured
	listed bool
	pods   map[types.UID]runtime.Object
	sets   map[types.UID]runtime.Object
	events map[types.UID]runtime.Object
	// poked says that something changed; one is enough.
	poked chan struct{}

	// doneSince is since when the object has been ready without a break; restarts is how often its containers had been started
	// again then.
	doneSince time.Time
	restarts  int32
	// seen keeps the first words and time of each trouble: later it only reads "Back-off".
	seen map[string]firstSeen
	// come is since when something that a pod lacked has been there.
	come map[lack]time.Time
}

type firstSeen struct {
	trouble
	since time.Time
}

// verdict is what one look at an object found.
type verdict struct {
	done   bool
	line   string
	failed *FailedError
	// lacks is what a failure is due to, when that is something missing.
	lacks lack
}

// run watches until the object is ready, fails, or the context ends.
func (w *watcher) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	defer following.Wait()
	defer cancel()
	// One place for each source that is followed at most (object, pods, sets, events), so that none waits for a reader.
	broken := make(chan error, 4)
	follow := func(src source, options metav1.ListOptions, into func(map[types.UID]runtime.Object)) {
		following.Go(func() {
			broken <- w.cluster.follow(ctx, src, options, func(objs map[types.UID]runtime.Object) {
				w.mu.Lock()
				into(maps.Clone(objs))
				w.mu.Unlock()
				select {
				case w.poked <- struct{}{}:
				default:
				}
			})
		})
	}
	src, err := w.cluster.objectSource(ctx, w.ref)
	if err != nil {
		return err
	}
	follow(src, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", w.ref.Name).String()}, w.setObject)

	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	followsPods, followsEvents := false, false
	last := verdict{line: w.ref.String() + ": not read yet"}
	for {
		select {
		case <-ctx.Done():
			return w.overdue(ctx, last)
		case err := <-broken:
			if ctx.Err() != nil {
				return w.overdue(ctx, last)
			}
			return err
		case <-w.poked:
		case <-ticker.C:
		}
		w.mu.Lock()
		selector := podSelector(w.object)
		if selector != "" && !followsPods {
			followsPods = true
			follow(w.cluster.podsSource(), metav1.ListOptions{LabelSelector: selector}, func(m map[types.UID]runtime.Object) { w.pods = m })
			if w.ref.Kind == "Deployment" {
				follow(w.cluster.setsSource(), metav1.ListOptions{LabelSelector: selector}, func(m map[types.UID]runtime.Object) { w.sets = m })
			}
		}
		if followsPods && !followsEvents && w.needsEvents(time.Now()) {
			followsEvents = true
			follow(w.cluster.eventsSource(), metav1.ListOptions{FieldSelector: "type=Warning"}, func(m map[types.UID]runtime.Object) { w.events = m })
		}
		last = w.step(time.Now(), func(l lack) bool { return w.cluster.has(ctx, l) })
		w.mu.Unlock()
		w.tell(last.line)
		if last.failed != nil {
			return last.failed
		}
		if last.done {
			return nil
		}
	}
}

func (w *watcher) setObject(objs map[types.UID]runtime.Object) {
	w.object, w.listed = nil, true
	for _, o := range objs {
		w.object, _ = o.(*unstructured.Unstructured)
	}
}

// overdue is the error at the end of the context: a failure with what was still missing, or the cause of the cancellation.
func (w *watcher) overdue(ctx context.Context, last verdict) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) && !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	message := last.line
	reason := ReasonNotReady
	w.mu.Lock()
	defer w.mu.Unlock()
	if t, ok := w.oldest(); ok {
		reason, message = t.reason, t.String()
	}
	return &FailedError{Subject: w.ref.String(), Reason: reason, Message: fmt.Sprintf("not ready after %s: %s", time.Since(w.started).Round(time.Second), message)}
}

// look judges the object as it was last read.
func (w *watcher) look(now time.Time) verdict {
	subject := w.ref.String()
	switch {
	case !w.listed:
		return verdict{line: subject + ": not read yet"}
	case w.object == nil:
		return verdict{line: subject + ": gone", failed: &FailedError{Subject: subject, Reason: ReasonGone, Message: "it was deleted while promote waited for it"}}
	case w.ref.UID != "" && w.object.GetUID() != w.ref.UID:
		return verdict{line: subject + ": replaced", failed: &FailedError{Subject: subject, Reason: ReasonGone, Message: "it was deleted and made anew by something else"}}
	}
	v := judge(w.object, w.started)
	if v.failed != nil {
		w.explain(v.failed)
		return v
	}
	if v.done && w.steady(now) {
		return v
	}
	if v.done {
		return verdict{line: subject + ": runs; it has no readiness probe, so it must run for a while"}
	}
	w.doneSince = time.Time{}
	troubles := w.troubles()
	if t, over := w.overPatience(troubles, now); over {
		return verdict{line: v.line, lacks: t.lacks, failed: &FailedError{Subject: subject, Reason: t.reason, Message: t.String()}}
	}
	if len(troubles) > 0 {
		v.line += "; " + troubles[0].String()
	}
	return v
}

// steady says that readiness can be believed. A container without a readiness probe is ready the moment it starts, also when
// it ends right away; it must have run for a while, without a new start.
func (w *watcher) steady(now time.Time) bool {
	switch w.ref.Kind {
	case "Deployment", "StatefulSet", "DaemonSet":
	default:
		return true
	}
	restarts := int32(0)
	for _, p := range w.currentPods() {
		for _, s := range p.Status.ContainerStatuses {
			restarts += s.RestartCount
		}
	}
	if w.doneSince.IsZero() || restarts > w.restarts {
		w.doneSince = now
	}
	w.restarts = restarts
	return probed(w.object) || now.Sub(w.doneSince) >= steadyTime
}

// explain adds what is wrong with the pods to a failure that the workload's own status tells: a deadline that was missed, a Job
// that used up its tries.
func (w *watcher) explain(failed *FailedError) {
	if failed.Reason == ReasonGone {
		return
	}
	cause, known := w.oldest()
	if found := w.troubles(); len(found) > 0 {
		cause, known = found[0], true
	}
	if !known {
		return
	}
	failed.Message = strings.TrimSuffix(failed.Message, ".") + ": " + cause.String()
	if failed.Reason == ReasonNotReady {
		failed.Reason = cause.reason
	}
}

// needsEvents says that a wait must read events: what does not start at once needs them, and what is started again.
func (w *watcher) needsEvents(now time.Time) bool {
	if now.Sub(w.started) > eventsAfter {
		return true
	}
	return slices.ContainsFunc(w.currentPods(), func(p *corev1.Pod) bool {
		return slices.ContainsFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.RestartCount > 0 })
	})
}

// currentPods gives the pods of the workload's current revision, by name.
func (w *watcher) currentPods() []*corev1.Pod {
	if w.object == nil {
		return nil
	}
	current := currentRevision(w.object, w.sets)
	pods := make([]*corev1.Pod, 0, len(w.pods))
	for _, o := range w.pods {
		if p, ok := o.(*corev1.Pod); ok && current(p) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods
}

// troubles inspects the workload and the pods of its current revision.
func (w *watcher) troubles() []trouble {
	var found []trouble
	pods := w.currentPods()
	for _, p := range pods {
		for _, t := range slices.Concat(inspect(p), killed(p, w.events), inspectEvents(p, w.events)) {
			if message, ok := killedFor(p, t.container, w.events); ok && t.reason == ReasonCrashLoop && !strings.Contains(t.message, message) {
				t.message = message + "; " + t.message
			}
			if w.ref.Kind == "Job" && (t.reason == ReasonCrashLoop || t.reason == ReasonFailed || t.reason == ReasonOutOfMemory) {
				// A Job has tries of its own.
				t.patience = never
			}
			found = append(found, t)
		}
	}
	if w.ref.Kind == "Deployment" {
		return append(found, refusals(w.object)...)
	}
	return append(found, refusedEvents(w.object, pods, w.events, w.started)...)
}

// overPatience remembers each trouble since it was first seen and finds one that has lasted too long.
func (w *watcher) overPatience(now []trouble, at time.Time) (trouble, bool) {
	still := map[string]firstSeen{}
	var over []trouble
	for _, t := range now {
		key := t.pod + "/" + t.container + "/" + t.reason
		first, known := w.seen[key]
		if !known {
			first = firstSeen{t, at}
		}
		if t.patience < first.patience {
			// What leaves less hope says more: kubelet first cannot read a Secret, and then knows that it is not there.
			first.trouble = t
		}
		still[key] = first
		if first.patience != never && at.Sub(first.since) >= first.patience {
			over = append(over, first.trouble)
		}
	}
	w.seen = still
	if len(over) == 0 {
		return trouble{}, false
	}
	return over[0], true
}

// oldest is the trouble that has lasted longest. The caller holds the lock.
func (w *watcher) oldest() (trouble, bool) {
	var found *firstSeen
	for _, key := range slices.Sorted(maps.Keys(w.seen)) {
		if first := w.seen[key]; found == nil || first.since.Before(found.since) {
			found = &first
		}
	}
	if found == nil {
		return trouble{}, false
	}
	return found.trouble, true
}
