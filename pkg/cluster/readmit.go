package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// readmit lets withdrawn pods serve again: a drain that was called off, or whose run was killed, leaves good pods outside
// every endpoint list. With most alive pods at the least, none of them is meant to go, so all of them serve.
func (c *Cluster) readmit(ctx context.Context, selector string, most int) error {
	pods, err := c.pods(ctx, selector)
	if err != nil {
		return err
	}
	alive := living(pods)
	if len(alive) > most {
		return nil
	}
	return c.serveAgain(ctx, alive)
}

// serveAgain takes back the withdrawal of those that were withdrawn.
func (c *Cluster) serveAgain(ctx context.Context, pods []corev1.Pod) error {
	return each(ctx, pods, func(ctx context.Context, p corev1.Pod) error {
		if p.Labels[LabelServe] != "false" {
			return nil
		}
		return c.mark(ctx, &p, "true", "0")
	})
}

// withdrawnOf selects the pods of a release that a drain has withdrawn.
func withdrawnOf(release string) string {
	return labels.Set{LabelRelease: release, LabelServe: "false"}.String()
}

// living drops the pods that have ended or are on their way out.
func living(pods []corev1.Pod) []corev1.Pod {
	var alive []corev1.Pod
	for _, p := range pods {
		if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			alive = append(alive, p)
		}
	}
	return alive
}
