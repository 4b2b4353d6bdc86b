package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Pods lists the pods of a release, those that are on their way out included.
func (c *Cluster) Pods(ctx context.Context, release string) ([]corev1.Pod, error) {
	return c.pods(ctx, labels.Set{LabelRelease: release}.String())
}

// Selected lists the pods that a Service with this selector would select, those that are on their way out included.
func (c *Cluster) Selected(ctx context.Context, selector map[string]string) ([]corev1.Pod, error) {
	return c.pods(ctx, labels.Set(selector).String())
}

// pods lists the pods that a label selector in text form matches.
func (c *Cluster) pods(ctx context.Context, selector string) ([]corev1.Pod, error) {
	list, err := c.Client.Pods(c.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, c.failed(fmt.Sprintf("listing the pods of Namespace/%s with %s", c.Namespace, selector), err)
	}
	return list.Items, nil
}

// podReady says that a pod may be sent requests.
func podReady(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil || p.Status.PodIP == "" {
		return false
	}
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
