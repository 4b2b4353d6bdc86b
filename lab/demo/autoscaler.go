package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// scalerTime bounds the wait until the autoscaler's controller has looked at it; it does so every 15 s.
const scalerTime = 40 * time.Second

// autoscaled checks that test has one autoscaler, that it names the Deployment of the very release that serves there, and that
// the controller finds it. The lab measures no CPU, so what the controller would make of it is not to be seen.
func (s *scene) autoscaled(ctx context.Context, p *part) expectation {
	release := p.after["test"]
	e := expectation{what: p.name() + ": test's autoscaler follows the release that serves"}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, scalerTime, true, func(ctx context.Context) (bool, error) {
		list, err := s.kube.AutoscalingV2().HorizontalPodAutoscalers("test").List(ctx, metav1.ListOptions{LabelSelector: cluster.LabelService + "=" + s.service.name})
		if err != nil {
			return false, err
		}
		if len(list.Items) != 1 {
			e.seen = fmt.Sprintf("there are %d autoscalers", len(list.Items))
			return false, nil
		}
		h := list.Items[0]
		target := h.Spec.ScaleTargetRef
		subject := fmt.Sprintf("HorizontalPodAutoscaler/test/%s names %s/test/%s", h.Name, target.Kind, target.Name)
		d, err := s.kube.AppsV1().Deployments("test").Get(ctx, target.Name, metav1.GetOptions{})
		if err != nil {
			e.seen = subject + ": " + err.Error()
			return false, nil //nolint:nilerr // it is what is told
		}
		reads := readsScale(h)
		e.ok = reads && target.Kind == "Deployment" && d.Name == s.service.name+"-"+release && d.Labels[cluster.LabelRelease] == release &&
			d.Status.ReadyReplicas > 0 && h.Status.CurrentReplicas == d.Status.Replicas
		e.seen = fmt.Sprintf("%s, which has %d ready pods, and the controller %s its scale", subject, d.Status.ReadyReplicas, either(reads, "reads", "does not read"))
		return e.ok, nil
	})
	if err != nil && e.seen == "" {
		e.seen = err.Error()
	}
	return e
}

// readsScale says whether the autoscaler's controller found what it names.
func readsScale(h autoscalingv2.HorizontalPodAutoscaler) bool {
	for _, c := range h.Status.Conditions {
		if c.Type == autoscalingv2.AbleToScale {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
