package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// drainTime bounds the wait until the pods that were drained are stopping.
const drainTime = 2 * time.Minute

// undoTime bounds the readmission of pods after a drain was called off: a cancelled run has less than 7.5 s in all.
const undoTime = 3 * time.Second

// Drain scales a Deployment down to keep pods without losing a request, also when its pods know no graceful shutdown: the
// pods that are to go leave the endpoint lists first (a label that Services select by), that is awaited, they run on for the
// settle time, and only then they are stopped. Scaling up is Scale's.
func (c *Cluster) Drain(ctx context.Context, deployment string, keep int, settle time.Duration) error {
	subject := c.subject("Deployment", deployment)
	d, err := c.deployment(ctx, deployment)
	if err != nil {
		return err
	}
	if keep < 0 {
		return fmt.Errorf("draining %s to %d pods", subject, keep)
	}
	// A run that was killed may have scaled down already; draining never scales up.
	keep = min(keep, desiredOf(d))
	selector := podsOf(d)
	pods, err := c.pods(ctx, selector)
	if err != nil {
		return err
	}
	if err := c.leave(ctx, victims(pods, keep), settle); err != nil {
		// Called off before anything was stopped: the pods serve again, or a rollback would find a baseline that cannot.
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		return errors.Join(fmt.Errorf("draining %s: %w", subject, err), c.undoWithdrawal(undo, selector, len(pods)))
	}
	if err := c.Scale(ctx, deployment, keep); err != nil {
		return err
	}
	if err := c.awaitStopping(ctx, selector, keep); err != nil {
		return fmt.Errorf("draining %s: %w", subject, err)
	}
	return nil
}

// leave takes the pods out of the endpoint lists and lets their connections settle.
func (c *Cluster) leave(ctx context.Context, going []corev1.Pod, settle time.Duration) error {
	if err := c.withdraw(ctx, going); err != nil {
		return err
	}
	if !slices.ContainsFunc(going, func(p corev1.Pod) bool { return podReady(&p) }) {
		return nil
	}
	if err := sleep(ctx, settle); err != nil {
		return fmt.Errorf("letting connections settle: %w", err)
	}
	return nil
}

// undoWithdrawal readmits the pods unless the lock was lost: then they are the next run's.
func (c *Cluster) undoWithdrawal(ctx context.Context, selector string, pods int) error {
	if err := c.guard(ctx); err != nil {
		return err
	}
	return c.readmit(ctx, selector, pods)
}

// victims chooses who goes when keep pods stay: those that serve least first, in the order in which the ReplicaSet
// controller would choose too. Pods that are on their way out already are nobody's choice.
func victims(pods []corev1.Pod, keep int) []corev1.Pod {
	alive := living(pods)
	if len(alive) <= keep {
		return nil
	}
	rank := func(p *corev1.Pod) int {
		switch {
		case p.Spec.NodeName == "":
			return 0
		case p.Status.Phase != corev1.PodRunning:
			return 1
		case !podReady(p):
			return 2
		case p.Labels[LabelServe] == "false":
			return 3
		}
		return 4
	}
	slices.SortStableFunc(alive, func(a, b corev1.Pod) int {
		return cmp.Or(rank(&a)-rank(&b), b.CreationTimestamp.Compare(a.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return alive[:len(alive)-keep]
}

// withdraw takes the pods out of all endpoint lists and awaits it. The deletion cost makes the controller choose them when
// the Deployment is scaled down.
func (c *Cluster) withdraw(ctx context.Context, going []corev1.Pod) error {
	if len(going) == 0 {
		return nil
	}
	if err := c.guard(ctx); err != nil {
		return err
	}
	if err := each(ctx, going, func(ctx context.Context, p corev1.Pod) error {
		return c.mark(ctx, &p, "false", "-100")
	}); err != nil {
		return err
	}
	services, err := c.Client.Services(c.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return c.failed("listing the Services of Namespace/"+c.Namespace, err)
	}
	// A Service that does not select by the serve label (the candidate's own) keeps its pods to the end; it is for tests.
	withdrawn := map[string]bool{}
	for _, s := range services.Items {
		withdrawn[s.Name] = s.Spec.Selector[LabelServe] != ""
	}
	names := map[types.UID]string{}
	for _, p := range going {
		names[p.UID] = p.Name
	}
	return c.poll(ctx, endpointsTime, func(ctx context.Context) (string, error) {
		listed, err := c.listed(ctx, "")
		if err != nil {
			return "", err
		}
		for uid, name := range names {
			for _, service := range listed[uid] {
				if withdrawn[service] {
					return fmt.Sprintf("Pod/%s/%s is still an endpoint of %s", c.Namespace, name, c.subject("Service", service)), nil
				}
			}
		}
		return "", nil
	})
}

// mark sets whether a pod may serve, and how cheap its deletion is. The patch holds for this very pod, as it was read.
func (c *Cluster) mark(ctx context.Context, p *corev1.Pod, serve, cost string) error {
	live := p
	err := c.repeat(ctx, func(ctx context.Context) (err error) {
		if live == nil {
			if live, err = c.pod(ctx, p); err != nil || live == nil {
				return err
			}
		}
		if err := c.may(ctx, live); err != nil {
			return err
		}
		patch := fmt.Appendf(nil, `{"metadata":{"uid":%q,"resourceVersion":%q,"labels":{%q:%q},"annotations":{%q:%q}}}`,
			live.UID, live.ResourceVersion, LabelServe, serve, annotationDeletionCost, cost)
		live = nil
		_, err = c.Client.Pods(c.Namespace).Patch(ctx, p.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: c.manager()})
		return err
	})
	if IsNotFound(err) {
		return nil
	}
	return c.failed("withdrawing "+c.subject("Pod", p.Name), err)
}

// pod reads a pod again; nil when it is gone, or another one has its name.
func (c *Cluster) pod(ctx context.Context, p *corev1.Pod) (*corev1.Pod, error) {
	live, err := c.Client.Pods(c.Namespace).Get(ctx, p.Name, metav1.GetOptions{})
	if IsNotFound(err) || err == nil && live.UID != p.UID {
		return nil, nil
	}
	return live, err
}

// awaitStopping waits until only keep pods are not on their way out, and lets those serve: the controller may have chosen a
// pod that broke meanwhile in place of one that was withdrawn.
func (c *Cluster) awaitStopping(ctx context.Context, selector string, keep int) error {
	var left []corev1.Pod
	err := c.poll(ctx, drainTime, func(ctx context.Context) (string, error) {
		pods, err := c.pods(ctx, selector)
		if err != nil {
			return "", err
		}
		if left = living(pods); len(left) > keep {
			return fmt.Sprintf("%d pods run, %d are to stay", len(left), keep), nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	return c.serveAgain(ctx, left)
}

// Kill stops a Deployment's pods now, without waiting for their preStop hooks: for a bad release, whose open connections
// outlive the change of a selector. The Deployment stays, with no replicas.
func (c *Cluster) Kill(ctx context.Context, deployment string) error {
	d, err := c.deployment(ctx, deployment)
	if IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.Scale(ctx, deployment, 0); err != nil {
		return err
	}
	pods, err := c.pods(ctx, podsOf(d))
	if err != nil {
		return err
	}
	return each(ctx, pods, func(ctx context.Context, p corev1.Pod) error { return c.stopNow(ctx, &p) })
}

// stopNow deletes a pod, if nobody has taken the lock over since it was read.
func (c *Cluster) stopNow(ctx context.Context, p *corev1.Pod) error {
	live := p
	err := c.repeat(ctx, func(ctx context.Context) (err error) {
		if live == nil {
			if live, err = c.pod(ctx, p); err != nil || live == nil {
				return err
			}
		}
		if err := c.may(ctx, live); err != nil {
			return err
		}
		must := &metav1.Preconditions{UID: &live.UID, ResourceVersion: &live.ResourceVersion}
		live = nil
		// One second and not zero: zero only removes the object, and the container runs on.
		grace := int64(1)
		return c.Client.Pods(c.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &grace, Preconditions: must})
	})
	if IsNotFound(err) {
		return nil
	}
	return c.failed("stopping "+c.subject("Pod", p.Name), err)
}
