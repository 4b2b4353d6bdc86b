package traffic

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// refuseAutoscalers stops before two writers fight over a replica count. Those that release has frozen do not.
func (p *Pods) refuseAutoscalers(ctx context.Context) error {
	list, err := p.in.Client.AutoscalingV2().HorizontalPodAutoscalers(p.in.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("looking for autoscalers of %s: %w", p.cfg.Baseline.Deployment, err)
	}
	var errs []error
	for _, h := range list.Items {
		target := h.Spec.ScaleTargetRef
		for _, r := range []Release{p.cfg.Baseline, p.cfg.Candidate} {
			if target.Kind == "Deployment" && target.Name == r.Deployment.Name && h.Annotations[cluster.AnnotationFrozen] == "" {
				errs = append(errs, fmt.Errorf("HorizontalPodAutoscaler/%s/%s scales %s, does not stand still, and would undo the steps of a canary; it came after the run began: run it again",
					p.in.Namespace, h.Name, r.Deployment))
			}
		}
	}
	return errors.Join(errs...)
}

// refuseStrangers stops before the Services select more than two releases.
func (p *Pods) refuseStrangers(ctx context.Context) error {
	var errs []error
	for _, s := range p.cfg.Services {
		pods, err := p.in.Client.CoreV1().Pods(p.in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.Set(s.selector("")).String()})
		if err != nil {
			errs = append(errs, fmt.Errorf("listing the pods that Service/%s/%s would select: %w", p.in.Namespace, s.Name, err))
			continue
		}
		for _, pod := range pods.Items {
			release := pod.Labels[cluster.LabelRelease]
			if release != p.cfg.Baseline.ID && release != p.cfg.Candidate.ID && pod.DeletionTimestamp == nil {
				errs = append(errs, fmt.Errorf("Pod/%s/%s of release %q carries the labels that Service/%s/%s selects, and would take part in the canary; delete what owns it",
					p.in.Namespace, pod.Name, release, p.in.Namespace, s.Name))
			}
		}
	}
	return errors.Join(errs...)
}
