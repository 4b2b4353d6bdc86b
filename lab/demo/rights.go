package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/org/promote/lab/show"
	"github.com/org/promote/pkg/cluster"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// insideRole is the one part of docs/role-preview.yaml that stays: the tests of the lab, which may run beside the demo, share it,
// and on its own it gives nobody a right.
const insideRole = "promote-preview-inside"

// allowPreviews gives the runner of test what docs/role-preview.yaml prints, which is written for that very account. In a cluster
// of the user's own, runners have the user's rights.
func (s *scene) allowPreviews(ctx context.Context) error {
	if s.world.Kubeconfig["test"] == s.world.AdminKubeconfig {
		return nil
	}
	s.timeline.person(show.Other, "%s lets the runner of test make previews: kubectl apply --filename docs/role-preview.yaml", operator)
	objects, err := readObjects(filepath.Join(s.suite, "docs", "role-preview.yaml"))
	if err != nil {
		return err
	}
	for _, o := range objects {
		resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
		if _, err := s.objects.Resource(resource).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "kubectl", Force: true}); err != nil {
			return fmt.Errorf("applying %s/%s: %w", o.GetKind(), o.GetName(), err)
		}
		s.rights = append(s.rights, o)
	}
	return nil
}

// takeRightsBack removes what allowPreviews made, also when the demo was interrupted.
func (s *scene) takeRightsBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var problems []error
	for _, o := range s.rights {
		if o.GetName() == insideRole {
			continue
		}
		resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
		if err := s.objects.Resource(resource).Delete(ctx, o.GetName(), metav1.DeleteOptions{}); err != nil && !cluster.IsNotFound(err) {
			problems = append(problems, fmt.Errorf("deleting %s/%s: %w", o.GetKind(), o.GetName(), err))
		}
	}
	s.rights = nil
	return errors.Join(problems...)
}

// readObjects reads a file of YAML documents.
func readObjects(file string) ([]*unstructured.Unstructured, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &o.Object); err != nil {
			return nil, fmt.Errorf("parsing %q: %w", file, err)
		}
		objects = append(objects, o)
	}
}
