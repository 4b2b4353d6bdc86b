package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// adoptTime bounds the wait until every pod of an adopted Deployment has its labels.
const adoptTime = time.Minute

// Adopt makes an existing Deployment, which promote did not make, the first baseline without restarting its pods: its live
// pods get the release's labels, and so do those that its ReplicaSet makes later. For the latter the ReplicaSet's template
// is changed and the Deployment is paused, or it would take the template for an old one and roll its pods over; paused, it
// still scales and replaces pods. Only then the Service's selector is narrowed to the release.
//
// It must happen before a candidate exists: a candidate's pods carry the labels that the Service selects by. It can be
// repeated: what is done already stays as it is.
func (c *Cluster) Adopt(ctx context.Context, service, deployment, release string) error {
	subject := c.subject("Deployment", deployment)
	d, err := c.deployment(ctx, deployment)
	if err != nil {
		return err
	}
	s, err := c.Client.Services(c.Namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return c.failed("reading "+c.subject("Service", service), err)
	}
	if err := adoptable(s, d, release); err != nil {
		return fmt.Errorf("adopting %s: %w", subject, err)
	}
	want := map[string]string{LabelRelease: release, LabelServe: "true"}
	if err := c.pause(ctx, d, release); err != nil {
		return err
	}
	if err := c.labelSets(ctx, d, want); err != nil {
		return err
	}
	if err := c.labelPods(ctx, d, want); err != nil {
		return fmt.Errorf("adopting %s: %w", subject, err)
	}
	selector := maps.Clone(s.Spec.Selector)
	maps.Copy(selector, want)
	return c.Select(ctx, service, selector)
}

// adoptable refuses what adoption would break.
func adoptable(s *corev1.Service, d *appsv1.Deployment, release string) error {
	for key, value := range s.Spec.Selector {
		if key != LabelRelease && key != LabelServe && d.Spec.Template.Labels[key] != value {
			return fmt.Errorf("Service/%s/%s does not select its pods (%s=%s): name the Deployment that serves", s.Namespace, s.Name, key, value)
		}
	}
	if live := s.Spec.Selector[LabelRelease]; live != "" && live != release {
		return fmt.Errorf("Service/%s/%s selects release %s already", s.Namespace, s.Name, live)
	}
	// A Deployment that an earlier run has paused counts no pods as updated any more.
	if !d.Spec.Paused && (d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas < d.Status.Replicas) {
		return errors.New("it is being rolled out: wait for that to end")
	}
	return nil
}

// pause stops roll-overs, and writes the release on the Deployment: its own selector finds the pods of later releases too.
func (c *Cluster) pause(ctx context.Context, d *appsv1.Deployment, release string) error {
	err := c.repeat(ctx, func(ctx context.Context) error {
		live, err := c.Client.Deployments(c.Namespace).Get(ctx, d.Name, metav1.GetOptions{})
		if err != nil || live.Spec.Paused && live.Labels[LabelRelease] == release {
			return err
		}
		if err := c.may(ctx, live); err != nil {
			return err
		}
		patch := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q,"labels":{%q:%q}},"spec":{"paused":true}}`, live.ResourceVersion, LabelRelease, release)
		_, err = c.Client.Deployments(c.Namespace).Patch(ctx, d.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: c.manager()})
		return err
	})
	if err != nil {
		return c.failed("pausing "+c.subject("Deployment", d.Name), err)
	}
	// Until the controller has seen the pause it could still answer the changed template with a roll-over.
	return c.poll(ctx, adoptTime, func(ctx context.Context) (string, error) {
		live, err := c.deployment(ctx, d.Name)
		if err != nil || live.Status.ObservedGeneration >= live.Generation {
			return "", err
		}
		return "the Deployment controller has not seen that " + c.subject("Deployment", d.Name) + " is paused", nil
	})
}

// labelSets changes the template of the Deployment's ReplicaSets that have pods.
func (c *Cluster) labelSets(ctx context.Context, d *appsv1.Deployment, want map[string]string) error {
	err := c.repeat(ctx, func(ctx context.Context) error {
		sets, err := c.Client.ReplicaSets(c.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
		if err != nil {
			return err
		}
		for _, s := range sets.Items {
			if !metav1.IsControlledBy(&s, d) || s.Spec.Replicas == nil || *s.Spec.Replicas == 0 || carries(s.Spec.Template.Labels, want) {
				continue
			}
			if err := c.labelSet(ctx, &s, want); err != nil {
				return err
			}
		}
		return nil
	})
	return c.failed("labelling the ReplicaSets of "+c.subject("Deployment", d.Name), err)
}

func (c *Cluster) labelSet(ctx context.Context, s *appsv1.ReplicaSet, want map[string]string) error {
	if err := c.may(ctx, s); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": s.UID, "resourceVersion": s.ResourceVersion},
		"spec":     map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": want}}},
	})
	if err != nil {
		return err
	}
	_, err = c.Client.ReplicaSets(c.Namespace).Patch(ctx, s.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: c.manager()})
	return err
}

// labelPods labels the live pods, and those that were made while the ReplicaSet's template was changed.
func (c *Cluster) labelPods(ctx context.Context, d *appsv1.Deployment, want map[string]string) error {
	return c.poll(ctx, adoptTime, func(ctx context.Context) (string, error) {
		pods, err := c.pods(ctx, metav1.FormatLabelSelector(d.Spec.Selector))
		if err != nil {
			return "", err
		}
		missing := ""
		for _, p := range pods {
			// The selector finds the pods of a candidate too, which a killed run may have left.
			other := p.Labels[LabelRelease] != "" && p.Labels[LabelRelease] != want[LabelRelease]
			if p.DeletionTimestamp != nil || other || carries(p.Labels, want) {
				continue
			}
			missing = c.subject("Pod", p.Name) + " has no release label yet"
			// A pod that changed meanwhile has its turn with the next look.
			if err := c.labelPod(ctx, &p, want); err != nil && !IsNotFound(err) && !isStale(err) {
				return "", c.failed("labelling "+c.subject("Pod", p.Name), err)
			}
		}
		return missing, nil
	})
}

func (c *Cluster) labelPod(ctx context.Context, p *corev1.Pod, want map[string]string) error {
	if err := c.may(ctx, p); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID, "resourceVersion": p.ResourceVersion, "labels": want}})
	if err != nil {
		return err
	}
	_, err = c.Client.Pods(c.Namespace).Patch(ctx, p.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: c.manager()})
	return err
}

func carries(has, want map[string]string) bool {
	return labels.SelectorFromSet(want).Matches(labels.Set(has))
}
