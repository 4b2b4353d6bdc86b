package cluster

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// judge reads an object's own status. started keeps out what an earlier rollout left.
func judge(o *unstructured.Unstructured, started time.Time) verdict {
	subject := RefOf(o).String()
	if o.GetKind() == "Job" {
		return judgeJob(o, subject)
	}
	result, err := status.Compute(o)
	if err != nil {
		return verdict{line: fmt.Sprintf("%s: its status cannot be read: %v", subject, err)}
	}
	line := subject + ": " + result.Message
	switch result.Status {
	case status.CurrentStatus:
		return verdict{done: true, line: subject + ": ready"}
	case status.FailedStatus:
		if condition, found := conditionOf(o, "Progressing"); found && condition["reason"] == "ProgressDeadlineExceeded" {
			at, _ := time.Parse(time.RFC3339, condition["lastUpdateTime"])
			if at.Before(started.Truncate(time.Second)) {
				return verdict{line: line}
			}
			return verdict{line: line, failed: &FailedError{Subject: subject, Reason: ReasonNotReady, Message: condition["message"]}}
		}
		return verdict{line: line, failed: &FailedError{Subject: subject, Reason: ReasonFailed, Message: result.Message}}
	case status.InProgressStatus:
		if pausedReady(o, result.Message) {
			return verdict{done: true, line: subject + ": ready"}
		}
	case status.TerminatingStatus:
		return verdict{line: line, failed: &FailedError{Subject: subject, Reason: ReasonGone, Message: "it is being deleted"}}
	}
	return verdict{line: line}
}

// pausedReady says that a paused Deployment has all its pods. It never says that its ReplicaSet is available, though its numbers
// are complete; and of one that was adopted no pod counts as updated, because its ReplicaSet's template has labels more.
func pausedReady(o *unstructured.Unstructured, message string) bool {
	paused, _, _ := unstructured.NestedBool(o.Object, "spec", "paused")
	if !paused {
		return false
	}
	number := func(fields ...string) int64 { n, _, _ := unstructured.NestedInt64(o.Object, fields...); return n }
	want := number("spec", "replicas")
	adopted := o.GetLabels()[LabelRelease] != "" && number("status", "observedGeneration") == o.GetGeneration() &&
		number("status", "replicas") == want && number("status", "readyReplicas") == want
	return adopted || strings.Contains(message, "ReplicaSet not Available")
}

// judgeJob waits for a Job's end; kstatus calls a Job that runs current.
func judgeJob(o *unstructured.Unstructured, subject string) verdict {
	if c, found := conditionOf(o, "Complete"); found && c["status"] == "True" {
		return verdict{done: true, line: subject + ": complete"}
	}
	if c, found := conditionOf(o, "Failed"); found && c["status"] == "True" {
		return verdict{line: subject + ": failed", failed: &FailedError{Subject: subject, Reason: ReasonJobFailed, Message: c["reason"] + ": " + c["message"]}}
	}
	return verdict{line: subject + ": runs"}
}

// refusals finds pods that the API server does not let a workload make: a quota, a policy, a missing service account.
func refusals(o *unstructured.Unstructured) []trouble {
	if c, found := conditionOf(o, "ReplicaFailure"); found && c["status"] == "True" {
		return []trouble{{pod: RefOf(o).String(), reason: ReasonRefused, message: c["message"], patience: refusalPatience(c["message"]), lacks: lackOf(c["message"])}}
	}
	return nil
}

// refusalPatience tells what the API server decided about the pods from what says nothing about them: after a restart it
// refuses its own controllers until it knows their roles, and they try again minutes later.
func refusalPatience(message string) time.Duration {
	for _, decided := range []string{"denied request", "denied the request", "exceeded quota"} {
		// A policy's own words may hold any of those below.
		if strings.Contains(message, decided) {
			return settlePatience
		}
	}
	for _, passing := range []string{`User "system:`, "connection refused", "connection reset", "timeout", "timed out", "etcdserver:", "not yet ready to handle request"} {
		if strings.Contains(message, passing) {
			return never
		}
	}
	return settlePatience
}

// conditionOf finds a condition in an object's status; its values as text.
func conditionOf(o *unstructured.Unstructured, kind string) (map[string]string, bool) {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, item := range conditions {
		c, ok := item.(map[string]any)
		if !ok || c["type"] != kind {
			continue
		}
		out := map[string]string{}
		for k, v := range c {
			out[k] = fmt.Sprint(v)
		}
		return out, true
	}
	return nil, false
}

// podSelector is the label selector of a workload's pods in text form; "" when the object has no pods.
func podSelector(o *unstructured.Unstructured) string {
	if o == nil || !workloads[o.GetKind()] {
		return ""
	}
	raw, found, _ := unstructured.NestedMap(o.Object, "spec", "selector")
	if !found {
		return ""
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &selector); err != nil {
		return ""
	}
	if o.GetKind() != "Deployment" {
		return metav1.FormatLabelSelector(&selector)
	}
	return podsOf(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Labels: o.GetLabels()}, Spec: appsv1.DeploymentSpec{Selector: &selector}})
}

// templateGeneration is the label of a DaemonSet's pods that says which of its templates they have.
const templateGeneration = "pod-template-generation"

// currentRevision tells the pods that a workload is making from those that it is replacing.
func currentRevision(o *unstructured.Unstructured, sets map[types.UID]runtime.Object) func(*corev1.Pod) bool {
	switch o.GetKind() {
	case "Deployment":
		revision := o.GetAnnotations()["deployment.kubernetes.io/revision"]
		for _, item := range sets {
			s, ok := item.(*appsv1.ReplicaSet)
			if ok && metav1.IsControlledBy(s, o) && revision != "" && s.Annotations["deployment.kubernetes.io/revision"] == revision {
				return func(p *corev1.Pod) bool { return metav1.IsControlledBy(p, s) }
			}
		}
		return func(*corev1.Pod) bool { return false }
	case "StatefulSet":
		revision, _, _ := unstructured.NestedString(o.Object, "status", "updateRevision")
		return func(p *corev1.Pod) bool {
			return metav1.IsControlledBy(p, o) && p.Labels[appsv1.ControllerRevisionHashLabelKey] == revision
		}
	case "DaemonSet":
		// The object's own generation changes with every field; that of the template is what the pods bear.
		generation := o.GetAnnotations()[appsv1.DeprecatedTemplateGeneration]
		return func(p *corev1.Pod) bool {
			return metav1.IsControlledBy(p, o) && p.Labels[templateGeneration] == generation
		}
	}
	return func(p *corev1.Pod) bool { return metav1.IsControlledBy(p, o) }
}

// probed says that every container of a workload has a readiness probe.
func probed(o *unstructured.Unstructured) bool {
	containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
	for _, item := range containers {
		if c, ok := item.(map[string]any); !ok || c["readinessProbe"] == nil {
			return false
		}
	}
	return true
}
