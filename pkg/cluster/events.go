package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// refusedBefore is how much older than a wait an event may be that says that a pod was refused: the workload was applied
// just before, and two clocks are compared.
const refusedBefore = time.Minute

// inspectEvents finds what a pod's state does not say: a volume whose source is missing, a probe that fails, a node that
// cannot run the pod or is lost.
func inspectEvents(p *corev1.Pod, events map[types.UID]runtime.Object) []trouble {
	if podReady(p) || p.DeletionTimestamp != nil {
		return nil
	}
	latest := map[string]*corev1.Event{}
	for _, o := range events {
		if e, ok := o.(*corev1.Event); ok && e.InvolvedObject.UID == p.UID {
			latest[e.Reason] = later(latest[e.Reason], e)
		}
	}
	var found []trouble
	add := func(reason string, e *corev1.Event) *trouble {
		found = append(found, trouble{pod: "Pod/" + p.Namespace + "/" + p.Name, reason: reason, message: e.Message, patience: never})
		return &found[len(found)-1]
	}
	for _, reason := range []string{"FailedMount", "FailedAttachVolume"} {
		// Once a container has started, its volumes are there.
		if e := latest[reason]; e != nil && !started(p) {
			t := add(ReasonBadConfig, e)
			if strings.Contains(e.Message, "not found") || strings.Contains(e.Message, "non-existent") {
				t.patience, t.lacks = settlePatience, lackOf(e.Message)
			}
		}
	}
	if e := latest["FailedCreatePodSandBox"]; e != nil && !started(p) {
		// The node may get a free address at any time, so never early.
		add(ReasonCannotStart, e)
	}
	if e := latest["NodeNotReady"]; e != nil {
		add(ReasonNotReady, e).message = fmt.Sprintf("Node/%s: %s", p.Spec.NodeName, e.Message)
	}
	if e := latest["Unhealthy"]; e != nil && started(p) {
		add(ReasonNotReady, e)
	}
	return found
}

// killedFor finds the probe for which kubelet ends a container again and again; the container's own end does not tell.
func killedFor(p *corev1.Pod, container string, events map[types.UID]runtime.Object) (message string, found bool) {
	var probe *corev1.Event
	for _, o := range events {
		e, ok := o.(*corev1.Event)
		if ok && e.InvolvedObject.UID == p.UID && e.Reason == "Unhealthy" && strings.HasSuffix(e.InvolvedObject.FieldPath, "{"+container+"}") &&
			(strings.HasPrefix(e.Message, "Liveness") || strings.HasPrefix(e.Message, "Startup")) {
			probe = later(probe, e)
		}
	}
	if probe == nil {
		return "", false
	}
	return probe.Message, true
}

// killed finds containers that kubelet has ended twice because of a probe. One that starts slowly may get there at the second
// try; when the probe allows half a minute each time, a CrashLoopBackOff comes only after the third.
func killed(p *corev1.Pod, events map[types.UID]runtime.Object) []trouble {
	if podReady(p) || p.DeletionTimestamp != nil {
		return nil
	}
	var found []trouble
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		last := s.LastTerminationState.Terminated
		if s.State.Running == nil || s.Ready || s.RestartCount < 2 || last == nil {
			continue
		}
		if last.FinishedAt.Sub(p.CreationTimestamp.Time) > time.Duration(s.RestartCount)*forgotten {
			// The ends lie weeks apart.
			continue
		}
		if message, ok := killedFor(p, s.Name, events); ok {
			t := crashed(last, s.RestartCount)
			t.pod, t.container, t.message = "Pod/"+p.Namespace+"/"+p.Name, s.Name, message+"; "+t.message
			found = append(found, t)
		}
	}
	return found
}

// refusedEvents finds pods that the API server does not let a workload make, for kinds that have no condition for it. What was
// refused before the newest pod was made was let through afterwards.
func refusedEvents(o *unstructured.Unstructured, pods []*corev1.Pod, events map[types.UID]runtime.Object, started time.Time) []trouble {
	var refused *corev1.Event
	for _, item := range events {
		if e, ok := item.(*corev1.Event); ok && e.InvolvedObject.UID == o.GetUID() && e.Reason == "FailedCreate" {
			refused = later(refused, e)
		}
	}
	if refused == nil || eventTime(refused).Before(started.Add(-refusedBefore)) {
		return nil
	}
	for _, p := range pods {
		if !p.CreationTimestamp.Time.Before(eventTime(refused)) {
			return nil
		}
	}
	return []trouble{{pod: RefOf(o).String(), reason: ReasonRefused, message: refused.Message, patience: refusalPatience(refused.Message), lacks: lackOf(refused.Message)}}
}

func started(p *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses), func(s corev1.ContainerStatus) bool {
		return s.State.Running != nil || s.State.Terminated != nil || s.RestartCount > 0
	})
}

func later(a, b *corev1.Event) *corev1.Event {
	if a == nil || eventTime(b).After(eventTime(a)) {
		return b
	}
	return a
}

// eventTime is when an event last happened; which field holds it depends on who wrote the event.
func eventTime(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}
