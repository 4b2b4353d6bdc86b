package traffic

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/cluster"
)

// refuseAutoscalers stops before two writers fight over a replica count. Those that release has frozen do not.
func (p *Pods) refuseAutoscalers(ctx context.Context) error {
	found, err := p.others.Autoscalers(ctx, []string{p.cfg.Baseline.Deployment.Name, p.cfg.Candidate.Deployment.Name})
	if err != nil {
		return fmt.Errorf("looking for autoscalers of %s: %w", p.cfg.Baseline.Deployment, err)
	}
	var errs []error
	for _, a := range found {
		if !a.Frozen {
			errs = append(errs, fmt.Errorf("HorizontalPodAutoscaler/%s/%s scales Deployment/%s/%s, does not stand still, and would undo the steps of a canary; it came after the run began: run it again",
				p.namespace, a.Name, p.namespace, a.Deployment))
		}
	}
	return errors.Join(errs...)
}

// refuseStrangers stops before the Services select more than two releases.
func (p *Pods) refuseStrangers(ctx context.Context) error {
	var errs []error
	for _, s := range p.cfg.Services {
		pods, err := p.others.Selected(ctx, s.selector(""))
		if err != nil {
			errs = append(errs, fmt.Errorf("listing the pods that Service/%s/%s would select: %w", p.namespace, s.Name, err))
			continue
		}
		for _, pod := range pods {
			release := pod.Labels[cluster.LabelRelease]
			if release != p.cfg.Baseline.ID && release != p.cfg.Candidate.ID && pod.DeletionTimestamp == nil {
				errs = append(errs, fmt.Errorf("Pod/%s/%s of release %q carries the labels that Service/%s/%s selects, and would take part in the canary; delete what owns it",
					p.namespace, pod.Name, release, p.namespace, s.Name))
			}
		}
	}
	return errors.Join(errs...)
}
