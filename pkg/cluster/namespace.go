package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// previewTries is how often a preview is read again because somebody changed it in between.
	previewTries = 5
	// previewGone bounds the wait for a namespace's end; a cloud takes some minutes to remove a load balancer.
	previewGone = 5 * time.Minute
	// leavingPoll is how often a run looks whether its namespace is still meant to be there.
	leavingPoll = 2 * time.Second
)

// ErrPreviewChanged says that a preview was written, so deployed to, since it was read: whoever wanted to remove it looks again.
var ErrPreviewChanged = errors.New("it changed since it was read")

// Preview reads a preview's namespace: nil when there is none, a [ForeignError] when the name is somebody else's.
func (c *Cluster) Preview(ctx context.Context, p Preview) (*Found, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	subject := "Namespace/" + p.Namespace()
	n, err := c.Client.Namespaces().Get(ctx, p.Namespace(), metav1.GetOptions{})
	switch {
	case IsNotFound(err):
		return nil, nil
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("reading %s: the account of this kubeconfig may not: %s: %w", subject, previewRole, err)
	case err != nil:
		return nil, c.failed("reading "+subject, err)
	}
	found, err := previewOf(n)
	if err != nil {
		return nil, &ForeignError{Namespace: n.Name, Wanted: p, Found: err.Error()}
	}
	return &found, found.is(p)
}

// Previews lists the previews of a repository, of all its services.
func (c *Cluster) Previews(ctx context.Context, repository string) ([]Found, error) {
	list, err := c.Client.Namespaces().List(ctx, metav1.ListOptions{LabelSelector: LabelPreview + "," + LabelRepository + "=" + repositoryLabel(repository)})
	if apierrors.IsForbidden(err) {
		return nil, fmt.Errorf("listing the previews: the account of this kubeconfig may not: %s: %w", previewRole, err)
	}
	if err != nil {
		return nil, c.failed("listing the previews", err)
	}
	var all []Found
	for _, n := range list.Items {
		found, err := previewOf(&n)
		if err == nil && found.same(Preview{Repository: repository, Service: found.Service, PullRequest: found.PullRequest}) {
			all = append(all, found)
		}
	}
	return all, nil
}

// OpenPreview makes the preview's namespace, or takes the one that is there, and gives it time until then. This run's account gets
// the rights of the ClusterRole "promote-preview-inside" in it. One that is just being deleted is waited for and made anew.
func (c *Cluster) OpenPreview(ctx context.Context, p Preview, run string, until time.Time) error {
	if c.Namespace != p.Namespace() {
		return fmt.Errorf("making Namespace/%s: this connection is for Namespace/%s", p.Namespace(), c.Namespace)
	}
	if err := errors.Join(p.Check(), c.preflightPreview(ctx, p.Namespace())); err != nil {
		return err
	}
	for range previewTries {
		again, err := c.openOnce(ctx, p, p.annotations(run, until))
		if err != nil || !again {
			return err
		}
	}
	return fmt.Errorf("making Namespace/%s: others keep changing it", p.Namespace())
}

// openOnce is one try; again asks for another, because what was read is no longer so.
func (c *Cluster) openOnce(ctx context.Context, p Preview, annotations map[string]string) (again bool, err error) {
	found, err := c.Preview(ctx, p)
	if err != nil {
		return false, err
	}
	made := found == nil
	switch {
	case made:
		n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.Namespace(), Labels: p.labels(), Annotations: annotations}}
		_, err := c.Client.Namespaces().Create(ctx, n, metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) || unanswered(ctx, err) {
			return true, nil
		}
		if err != nil {
			return false, c.failed("making Namespace/"+n.Name, err)
		}
	case found.Leaving:
		return true, c.AwaitPreviewGone(ctx, *found)
	}
	if err := c.grant(ctx, p.Namespace(), insideRights...); err != nil {
		if terminating(err) {
			return true, nil
		}
		return false, err
	}
	if made {
		return false, nil
	}
	return c.extend(ctx, *found, annotations)
}

// extend gives a preview that is there more time. The version that was read is a precondition, as it is for the sweep that
// would remove it: of the two, one wins, and the other sees it.
func (c *Cluster) extend(ctx context.Context, f Found, annotations map[string]string) (again bool, err error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": f.version, "annotations": annotations}})
	if err != nil {
		return false, fmt.Errorf("encoding the annotations of Namespace/%s: %w", f.Name, err)
	}
	n, err := c.Client.Namespaces().Patch(ctx, f.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	if IsNotFound(err) || apierrors.IsConflict(err) {
		return true, nil
	}
	if err != nil {
		return false, c.failed("extending the time of Namespace/"+f.Name, err)
	}
	return n.DeletionTimestamp != nil, nil
}

// RemovePreview deletes a preview's namespace and all that is in it: the very one that was read, or none. It is [ErrPreviewChanged]
// when it was written since; one that is gone is fine. [Cluster.AwaitPreviewGone] waits for the end.
func (c *Cluster) RemovePreview(ctx context.Context, f Found) error {
	if f.Leaving {
		return nil
	}
	// A run that was killed right after it had made the namespace left nobody a right in it.
	if err := c.grant(ctx, f.Name, right{verb: "delete", resource: "namespaces"}); err != nil {
		if terminating(err) {
			return nil
		}
		return err
	}
	err := c.Client.Namespaces().Delete(ctx, f.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &f.uid, ResourceVersion: &f.version},
	})
	switch {
	case err == nil, IsNotFound(err):
		return nil
	case !apierrors.IsConflict(err):
		return c.failed("removing Namespace/"+f.Name, err)
	}
	// An earlier try may have arrived, and only its answer was lost.
	n, errRead := c.Client.Namespaces().Get(ctx, f.Name, metav1.GetOptions{})
	if IsNotFound(errRead) || errRead == nil && n.UID == f.uid && n.DeletionTimestamp != nil {
		return nil
	}
	return fmt.Errorf("removing Namespace/%s: %w", f.Name, ErrPreviewChanged)
}

// AwaitPreviewGone waits until a preview's namespace, the very one that was read, does not exist any more.
func (c *Cluster) AwaitPreviewGone(ctx context.Context, f Found) error {
	err := c.poll(ctx, previewGone, func(ctx context.Context) (string, error) {
		n, err := c.Client.Namespaces().Get(ctx, f.Name, metav1.GetOptions{})
		if IsNotFound(err) || err == nil && n.UID != f.uid {
			return "", nil
		}
		if err != nil {
			return "", c.failed("reading Namespace/"+f.Name, err)
		}
		return remaining(n), nil
	})
	if err != nil {
		return fmt.Errorf("awaiting the end of Namespace/%s: %w", f.Name, err)
	}
	return nil
}

// remaining says what keeps a namespace.
func remaining(n *corev1.Namespace) string {
	text := "it still exists"
	for _, condition := range n.Status.Conditions {
		if condition.Status == corev1.ConditionTrue && condition.Message != "" {
			text += "; " + condition.Message
		}
	}
	return text
}

// AwaitPreviewLeaving returns when a preview's namespace is being deleted or gone, or when ctx ends. What cannot be read is read
// again: whoever works in the namespace finds out by itself what is wrong.
func (c *Cluster) AwaitPreviewLeaving(ctx context.Context, p Preview) {
	for sleep(ctx, leavingPoll) == nil {
		if found, err := c.Preview(ctx, p); err == nil && (found == nil || found.Leaving) {
			return
		}
	}
}

// terminating says that a write was refused because its namespace is being deleted, or is gone.
func terminating(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || IsNotFound(err)
}
