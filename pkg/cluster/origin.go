package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// originKey is the origin's key in its ConfigMap.
	originKey = "origin.json.gz"
	// maxOrigin is what a ConfigMap takes, in bytes, with room for its metadata (1 MiB in all).
	maxOrigin = 1_000_000
)

// originName has dots, which no name of a versioned object can have in these places.
func originName(service, release string) string { return "promote-origin." + service + "." + release }

// SaveOrigin keeps what a release was rendered from, so that it can be brought back when its objects are gone. What is kept
// already stays as it is. Data that no ConfigMap can take is a
// [TooLargeError].
func (c *Cluster) SaveOrigin(ctx context.Context, service, release string, data []byte) error {
	subject := c.subject("ConfigMap", originName(service, release))
	if len(data) > maxOrigin {
		return &TooLargeError{Subject: subject, Size: len(data), Limit: maxOrigin}
	}
	if err := c.guard(ctx); err != nil {
		return err
	}
	immutable := true
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: originName(service, release), Labels: map[string]string{LabelService: service}},
		BinaryData: map[string][]byte{originKey: data}, Immutable: &immutable,
	}
	var err error
	for attempt := range internalTries {
		_, err = c.Client.ConfigMaps(c.Namespace).Create(ctx, object, metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) {
			return nil // the release's id is a hash over it, so it may be made twice
		}
		if !apierrors.IsInternalError(err) && !unanswered(ctx, err) {
			break
		}
		if err := sleep(ctx, backoff(attempt)); err != nil {
			return err
		}
	}
	return c.failed("keeping the origin of "+release+" in "+subject, err)
}

// LoadOrigin reads what SaveOrigin has kept.
func (c *Cluster) LoadOrigin(ctx context.Context, service, release string) ([]byte, error) {
	subject := c.subject("ConfigMap", originName(service, release))
	object, err := c.Client.ConfigMaps(c.Namespace).Get(ctx, originName(service, release), metav1.GetOptions{})
	if err != nil {
		return nil, c.failed("reading the origin of "+release+" in "+subject, err)
	}
	return object.BinaryData[originKey], nil
}

// DeleteOrigin forgets it.
func (c *Cluster) DeleteOrigin(ctx context.Context, service, release string) error {
	if err := c.guard(ctx); err != nil {
		return err
	}
	err := c.Client.ConfigMaps(c.Namespace).Delete(ctx, originName(service, release), metav1.DeleteOptions{})
	if IsNotFound(err) {
		return nil
	}
	return c.failed("deleting "+c.subject("ConfigMap", originName(service, release)), err)
}
