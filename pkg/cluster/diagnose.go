package cluster

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// diagnosedPods is how many pods of a workload are looked at: they mostly fail alike.
	diagnosedPods = 3
	// logLines and logBytes bound what is kept of a container's log.
	logLines = 50
	logBytes = 64 << 10
	// diagnosedEvents is how many events are kept, the latest.
	diagnosedEvents = 20
	// eventsTime is how long is waited for the first event that explains a failure: kubelet writes it beside the pod's state, and
	// it often comes a moment later.
	eventsTime = 2 * time.Second
)

// Diagnose collects what explains an object's state. It never fails: what cannot be read is named in Incomplete.
func (c *Cluster) Diagnose(ctx context.Context, ref ObjectRef) Diagnosis {
	if ref.Namespace == "" {
		ref.Namespace = c.Namespace
	}
	d := Diagnosis{Subject: ref.String()}
	owners := map[types.UID]bool{}
	var pods []corev1.Pod
	o, err := c.read(ctx, ref)
	if err != nil {
		d.Incomplete = append(d.Incomplete, c.redact(err.Error()))
	} else {
		owners[o.GetUID()] = true
		if pods, err = c.podsOf(ctx, o); err != nil {
			d.Incomplete = append(d.Incomplete, c.redact(err.Error()))
		}
	}
	if ref.Kind == "Deployment" && o != nil {
		// The ReplicaSet's events say why there is no pod at all.
		if err := c.setsOf(ctx, o, owners); err != nil {
			d.Incomplete = append(d.Incomplete, c.redact(err.Error()))
		}
	}
	for _, p := range pods {
		owners[p.UID] = true
		for _, owner := range p.OwnerReferences {
			owners[owner.UID] = true
		}
	}
	var mu sync.Mutex
	found := make([]PodDiagnosis, len(pods))
	indices := make([]int, len(pods))
	for i := range indices {
		indices[i] = i
	}
	_ = each(ctx, indices, func(ctx context.Context, i int) error {
		diagnosed, missing := c.diagnosePod(ctx, &pods[i])
		mu.Lock()
		defer mu.Unlock()
		found[i] = diagnosed
		d.Incomplete = append(d.Incomplete, missing...)
		return nil
	})
	d.Pods = found
	if err := c.diagnoseEvents(ctx, &d, owners, ref); err != nil {
		d.Incomplete = append(d.Incomplete, c.redact(err.Error()))
	}
	return d
}

// diagnoseEvents takes the events that explain a failure, or, when there are none, those that tell its way: a container's second
// end may be known before kubelet warns of it, and then they show how often it was started.
func (c *Cluster) diagnoseEvents(ctx context.Context, d *Diagnosis, owners map[types.UID]bool, ref ObjectRef) error {
	for until := time.Now().Add(eventsTime); ; {
		events, usual, err := c.eventsOf(ctx, owners, ref)
		if err != nil {
			return err
		}
		d.Events = events
		if len(events) > 0 {
			return nil
		}
		d.Events = usual
		if !time.Now().Before(until) {
			return nil
		}
		// When there is no time left, the next list says so.
		_ = sleep(ctx, eventsTime/8)
	}
}

// podsOf gives the pods of a workload that explain most: those that are not ready, the newest first.
func (c *Cluster) podsOf(ctx context.Context, o *unstructured.Unstructured) ([]corev1.Pod, error) {
	selector := podSelector(o)
	if selector == "" {
		return nil, nil
	}
	pods, err := c.pods(ctx, selector)
	if err != nil {
		return nil, err
	}
	pods = slices.DeleteFunc(pods, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil })
	score := func(p corev1.Pod) int {
		if podReady(&p) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(pods, func(a, b corev1.Pod) int {
		return cmp.Or(score(a)-score(b), b.CreationTimestamp.Compare(a.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return pods[:min(len(pods), diagnosedPods)], nil
}

// setsOf adds the ReplicaSets of a Deployment to the owners. Those of one that was adopted need not have its label.
func (c *Cluster) setsOf(ctx context.Context, o *unstructured.Unstructured, owners map[types.UID]bool) error {
	sets, err := c.Client.ReplicaSets(c.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the ReplicaSets of %s: %w", RefOf(o), err)
	}
	for _, s := range sets.Items {
		if metav1.IsControlledBy(&s, o) {
			owners[s.UID] = true
		}
	}
	return nil
}

func (c *Cluster) diagnosePod(ctx context.Context, p *corev1.Pod) (d PodDiagnosis, incomplete []string) {
	d = PodDiagnosis{
		Name: c.subject("Pod", p.Name), Node: p.Spec.NodeName, Phase: string(p.Status.Phase), Message: c.redact(strings.TrimSpace(p.Status.Reason + " " + p.Status.Message)),
	}
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			d.Message = c.redact(condition.Message)
		}
	}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if s.Ready || s.State.Terminated != nil && s.State.Terminated.ExitCode == 0 {
			continue
		}
		container := ContainerDiagnosis{Name: s.Name, Image: s.Image, State: c.redact(stateOf(s)), Restarts: int(s.RestartCount)}
		if s.ContainerID != "" || s.RestartCount > 0 {
			var err error
			// The run that is on may have written nothing yet; the one before has ended with the reason. A run that has ended, and
			// that nothing follows yet, is itself the one to read.
			container.Previous = s.State.Terminated == nil && s.LastTerminationState.Terminated != nil
			if container.Log, err = c.log(ctx, p.Name, s.Name, container.Previous); err != nil {
				incomplete = append(incomplete, c.redact(err.Error()))
			}
		}
		d.Containers = append(d.Containers, container)
	}
	return d, incomplete
}

// stateOf says what a container does, and how it ended before.
func stateOf(s corev1.ContainerStatus) string {
	switch {
	case s.State.Waiting != nil && s.LastTerminationState.Terminated != nil:
		return s.State.Waiting.Reason + ": " + exited(s.LastTerminationState.Terminated, s.RestartCount)
	case s.State.Waiting != nil:
		return strings.TrimSuffix(s.State.Waiting.Reason+": "+s.State.Waiting.Message, ": ")
	case s.State.Terminated != nil:
		return exited(s.State.Terminated, s.RestartCount)
	case s.State.Running != nil && s.LastTerminationState.Terminated != nil:
		return "runs, not ready; before it " + exited(s.LastTerminationState.Terminated, s.RestartCount)
	case s.State.Running != nil:
		return "runs, not ready"
	}
	return "not started"
}

// log reads the last lines of a container.
func (c *Cluster) log(ctx context.Context, pod, container string, previous bool) ([]string, error) {
	tail, limit := int64(logLines), int64(logBytes)
	pods := c.Client.Pods(c.Namespace)
	data, err := pods.subresource(pods.client.Get(), pod, "log").VersionedParams(&corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &tail, LimitBytes: &limit,
	}, pods.params).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s, container %s: %w", c.subject("Pod", pod), container, err)
	}
	var lines []string
	if len(data) >= logBytes {
		data = append(data, "…"...) // it is cut, perhaps in the middle of a secret
	}
	// As a whole: base64 of a secret may go on in the next line.
	scanner := bufio.NewScanner(strings.NewReader(c.redact(string(data))))
	scanner.Buffer(nil, logBytes+1)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, nil
}

// eventsOf reads the latest events about the objects, those that tell of trouble apart from the usual ones. An object that no
// longer exists is found by its name.
func (c *Cluster) eventsOf(ctx context.Context, owners map[types.UID]bool, ref ObjectRef) (events, usual []EventDiagnosis, err error) {
	list, err := c.Client.Events(c.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("listing the events of Namespace/%s: %w", c.Namespace, err)
	}
	for _, e := range list.Items {
		about := e.InvolvedObject
		if !owners[about.UID] && (about.Kind != ref.Kind || about.Name != ref.Name) {
			continue
		}
		told := EventDiagnosis{
			Time: eventTime(&e), Object: about.Kind + "/" + about.Name, Reason: e.Reason, Message: c.redact(strings.TrimSpace(e.Message)), Count: max(int(e.Count), 1),
		}
		if e.Type == corev1.EventTypeNormal && e.Reason != "Killing" && e.Reason != "Pulling" && e.Reason != "BackOff" {
			usual = append(usual, told)
			continue
		}
		events = append(events, told)
	}
	return latest(events), latest(usual), nil
}

func latest(events []EventDiagnosis) []EventDiagnosis {
	slices.SortFunc(events, func(a, b EventDiagnosis) int { return a.Time.Compare(b.Time) })
	return events[max(0, len(events)-diagnosedEvents):]
}
