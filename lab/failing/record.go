package failing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Record makes a case in a namespace of its own and writes what was told meanwhile; it says how many changes that were. A
// recording in which the trouble never shows is an error and is not written.
func (w *World) Record(ctx context.Context, c Case) (n int, err error) {
	namespace := "record-" + c.Name
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := w.client.CoreV1().Namespaces().Create(ctx, made, metav1.CreateOptions{}); err != nil {
		return 0, fmt.Errorf("making Namespace/%s: %w", namespace, err)
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, w.client.CoreV1().Namespaces().Delete(last, namespace, metav1.DeleteOptions{}))
	}()
	// Until its account is there, a new namespace refuses all pods: that is another case.
	for {
		_, err := w.client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			break
		}
		if !apierrors.IsNotFound(err) {
			return 0, err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
	recording, err := w.Watch(ctx, namespace)
	if err != nil {
		return 0, err
	}
	place, err := w.Make(ctx, namespace, c)
	if err == nil {
		err = sleep(ctx, c.For.Duration)
	}
	changes := recording.Stop()
	if place != nil {
		err = errors.Join(err, place.Remove(ctx))
	}
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return 0, err
	}
	if !strings.Contains(string(text), c.Shows) {
		return 0, fmt.Errorf("%q shows nowhere in %d changes", c.Shows, len(changes))
	}
	return len(changes), w.Write(c, changes)
}
