package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/org/promote/lab/show"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// kubectl is the field manager of `kubectl apply`.
	kubectl = "kubectl-client-side-apply"
	// handVersion is what the pods that were put there by hand call themselves in X-Version: the clients' logs tell them from
	// those of the release, although both run one image.
	handVersion = "by-hand"
)

// handmade is what somebody has put into an environment before promote came there.
type handmade struct {
	env     string
	began   time.Time
	service types.UID
	pods    []types.UID
}

// put makes the service's objects under their plain names, as people did before promote, with the image of a pull request, and
// lets clients in.
func (h *handmade) put(ctx context.Context, s *scene, p *part) error {
	objects, err := s.plain(ctx, h.env, p.head)
	if err != nil {
		return err
	}
	s.timeline.person(show.Other, "%s puts %s into %s the old way: kubectl apply, with the image of #%d", operator, s.service.name, h.env, p.number)
	for _, o := range objects {
		if err := s.kubectlApply(ctx, h.env, o); err != nil {
			return err
		}
		s.timeline.detail("%s/%s/%s", o.GetKind(), h.env, o.GetName())
	}
	if err := h.awaitReady(ctx, s); err != nil {
		return err
	}
	h.began = time.Now()
	return s.letIn(ctx, h.env)
}

// plain are the objects of the service as a person has them who fills in the same manifest by hand.
func (s *scene) plain(ctx context.Context, env, commit string) ([]*unstructured.Unstructured, error) {
	reference, err := s.imageOf(ctx, commit)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(s.clone, "deploy")
	files, err := manifest.Load(folder)
	if err != nil {
		return nil, err
	}
	values, err := manifest.ParseValues("replicas: "+s.variables()["PROMOTE_STAGE_REPLICAS"], folder)
	if err != nil {
		return nil, err
	}
	rendered, err := manifest.Render(files, manifest.Input{
		Service: s.service.name, Environment: env, Namespace: env, Commit: handVersion, Image: reference, Values: values,
	})
	if err != nil {
		return nil, err
	}
	store, err := secrets.NewAWS(ctx, region, s.runnerOf(env)...)
	if err != nil {
		return nil, err
	}
	found, err := store.Resolve(ctx, rendered.Refs())
	if err != nil {
		return nil, err
	}
	return rendered.Fill(found)
}

// kubectlApply makes an object and leaves on it what `kubectl apply` does: the field manager and the annotation that the next
// apply is compared with.
func (s *scene) kubectlApply(ctx context.Context, namespace string, o *unstructured.Unstructured) error {
	applied, err := json.Marshal(o)
	if err != nil {
		return err
	}
	o = o.DeepCopy()
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[corev1.LastAppliedConfigAnnotation] = string(applied) + "\n"
	o.SetAnnotations(annotations)
	resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if _, err := s.objects.Resource(resource).Namespace(namespace).Create(ctx, o, metav1.CreateOptions{FieldManager: kubectl}); err != nil {
		return fmt.Errorf("making %s/%s/%s: %w", o.GetKind(), namespace, o.GetName(), err)
	}
	return nil
}

// awaitReady waits for the pods and notes which they are.
func (h *handmade) awaitReady(ctx context.Context, s *scene) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		d, err := s.kube.AppsV1().Deployments(h.env).Get(ctx, s.service.name, metav1.GetOptions{})
		return err == nil && d.Status.ObservedGeneration == d.Generation && d.Status.ReadyReplicas == *d.Spec.Replicas, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for Deployment/%s/%s: %w", h.env, s.service.name, err)
	}
	svc, err := s.kube.CoreV1().Services(h.env).Get(ctx, s.service.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	h.service = svc.UID
	pods, err := s.kube.CoreV1().Pods(h.env).List(ctx, metav1.ListOptions{LabelSelector: s.service.pods()})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		h.pods = append(h.pods, pod.UID)
	}
	return nil
}
