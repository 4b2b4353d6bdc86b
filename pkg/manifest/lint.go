package manifest

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// lagging is how long a pod that fails may go on being sent requests.
const lagging = 30 * time.Second

// Advice is something that manifests may say and that costs requests, or somebody's night, some day.
type Advice struct {
	// Subject is Kind/name.
	Subject string
	// Text says what happens and what to do.
	Text string
}

func (a Advice) String() string { return a.Subject + ": " + a.Text }

// Lint looks for what is allowed and harms a rollout, or the service between rollouts: pods that are sent requests before they
// are ready, after they have failed, or while they end; budgets that no node can be drained under; Deployments that take each
// other for theirs. What can't be read, because a value in it is looked up later, is left out.
func (o *Objects) Lint() []Advice {
	var advice []Advice
	var deployments []appsv1.Deployment
	for _, u := range o.all() {
		var d appsv1.Deployment
		if isKind(u, deployment) && read(u, &d) {
			deployments = append(deployments, d)
		}
	}
	for i, d := range deployments {
		advice = append(advice, lintPods(d, o.served(d))...)
		for j, other := range deployments {
			if i != j && takes(d, other) {
				advice = append(advice, Advice{subjectOf(d), fmt.Sprintf("its selector matches the pods of %s too, so each counts and stops the other's; give each a label of its own", subjectOf(other))})
			}
		}
	}
	for _, u := range o.all() {
		var budget policyv1.PodDisruptionBudget
		if u.GetKind() == "PodDisruptionBudget" && read(u, &budget) {
			advice = append(advice, lintBudget(budget, deployments)...)
		}
	}
	return advice
}

// read gives an object its type.
func read(u *unstructured.Unstructured, into any) bool {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into) == nil
}

func subjectOf(d appsv1.Deployment) string { return "Deployment/" + d.Name }

// served says that a Service of the manifests sends requests to a Deployment's pods.
func (o *Objects) served(d appsv1.Deployment) bool {
	for _, s := range o.Services {
		if selector := o.UserSelector[s.GetName()]; len(selector) > 0 && subset(selector, d.Spec.Template.Labels) {
			return true
		}
	}
	return false
}

// lintPods looks at the pods that a Service sends requests to.
func lintPods(d appsv1.Deployment, served bool) []Advice {
	if !served {
		return nil
	}
	var advice []Advice
	add := func(format string, args ...any) {
		advice = append(advice, Advice{subjectOf(d), fmt.Sprintf(format, args...)})
	}
	pod, probed := d.Spec.Template.Spec, false
	for _, c := range pod.Containers {
		if p := c.ReadinessProbe; p != nil {
			probed = true
			period, failures := max(p.PeriodSeconds, 1), max(p.FailureThreshold, 1)
			if p.PeriodSeconds == 0 {
				period = 10 // Kubernetes' defaults
			}
			if p.FailureThreshold == 0 {
				failures = 3
			}
			if late := time.Duration(period*failures) * time.Second; late > lagging {
				add("container %s is sent requests for up to %s after it has failed (readinessProbe: periodSeconds %d, failureThreshold %d); ask more often", c.Name, late, period, failures)
			}
		}
		if c.LivenessProbe != nil && c.ReadinessProbe != nil && c.LivenessProbe.HTTPGet != nil && c.ReadinessProbe.HTTPGet != nil &&
			c.LivenessProbe.HTTPGet.Path == c.ReadinessProbe.HTTPGet.Path && c.LivenessProbe.FailureThreshold <= c.ReadinessProbe.FailureThreshold {
			add("container %s is restarted by what makes it unready (%s asks both): one slow dependency restarts all pods at once; let liveness ask something that needs nobody else, or fail later",
				c.Name, c.ReadinessProbe.HTTPGet.Path)
		}
		if len(c.Ports) > 0 {
			advice = append(advice, lintEnd(d, pod, c)...)
		}
	}
	if !probed {
		add("no container has a readinessProbe, so a pod gets requests as soon as its process runs, and after it has stopped to answer; give one")
	}
	return advice
}

// lintEnd looks at how a container ends. promote takes a pod out of the Service before it stops it; a node that is drained, or an
// autoscaler, does not.
func lintEnd(d appsv1.Deployment, pod corev1.PodSpec, c corev1.Container) []Advice {
	grace := int64(30) // Kubernetes' default
	if pod.TerminationGracePeriodSeconds != nil {
		grace = *pod.TerminationGracePeriodSeconds
	}
	switch {
	case c.Lifecycle == nil || c.Lifecycle.PreStop == nil:
		return []Advice{{subjectOf(d), fmt.Sprintf("container %s has no preStop hook: when a node is drained or an autoscaler takes pods away, clients are sent to it while it ends; "+
			"give `lifecycle: {preStop: {sleep: {seconds: 5}}}`", c.Name)}}
	case c.Lifecycle.PreStop.Sleep != nil && c.Lifecycle.PreStop.Sleep.Seconds >= grace:
		return []Advice{{subjectOf(d), fmt.Sprintf("container %s sleeps %d s in its preStop hook, and is killed after %d s: it never ends in order; raise terminationGracePeriodSeconds",
			c.Name, c.Lifecycle.PreStop.Sleep.Seconds, grace)}}
	}
	return nil
}

// takes says that a Deployment's selector matches the pods of another.
func takes(d, other appsv1.Deployment) bool {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	return err == nil && !selector.Empty() && selector.Matches(labels.Set(other.Spec.Template.Labels))
}

// lintBudget looks for a budget under which no pod may ever be moved.
func lintBudget(budget policyv1.PodDisruptionBudget, deployments []appsv1.Deployment) []Advice {
	selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
	if err != nil || selector.Empty() {
		return nil
	}
	pods := 0
	for _, d := range deployments {
		if selector.Matches(labels.Set(d.Spec.Template.Labels)) {
			pods++
			if d.Spec.Replicas != nil {
				pods += int(*d.Spec.Replicas) - 1
			}
		}
	}
	if pods == 0 {
		return nil
	}
	allowed := pods
	if least := budget.Spec.MinAvailable; least != nil {
		n, err := intstr.GetScaledValueFromIntOrPercent(least, pods, true)
		if err != nil {
			return nil
		}
		allowed = pods - n
	}
	if most := budget.Spec.MaxUnavailable; most != nil {
		n, err := intstr.GetScaledValueFromIntOrPercent(most, pods, true)
		if err != nil {
			return nil
		}
		allowed = n
	}
	if allowed > 0 {
		return nil
	}
	return []Advice{{"PodDisruptionBudget/" + budget.Name, fmt.Sprintf("it lets none of the %d pods be moved, so no node that has one can be drained; give `maxUnavailable: 1`", pods)}}
}
