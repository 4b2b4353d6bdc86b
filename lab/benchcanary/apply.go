package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

// manager owns the fields that are applied here.
const manager = "benchcanary"

// kinds are the resources of what is applied; everything else is a mistake in a manifest.
var kinds = map[string]schema.GroupVersionResource{
	"AnalysisTemplate":         {Group: "argoproj.io", Version: "v1alpha1", Resource: "analysistemplates"},
	"Canary":                   {Group: "flagger.app", Version: "v1beta1", Resource: "canaries"},
	"CustomResourceDefinition": {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
	"Deployment":               {Group: "apps", Version: "v1", Resource: "deployments"},
	"HorizontalPodAutoscaler":  {Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
	"MetricTemplate":           {Group: "flagger.app", Version: "v1beta1", Resource: "metrictemplates"},
	"Role":                     {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	"RoleBinding":              {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	"Rollout":                  {Group: "argoproj.io", Version: "v1alpha1", Resource: "rollouts"},
	"Service":                  {Version: "v1", Resource: "services"},
	"ServiceAccount":           {Version: "v1", Resource: "serviceaccounts"},
}

// analysisRuns are Argo's records of what it measured, which are only read.
var analysisRuns = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "analysisruns"}

// objects reads YAML documents.
func objects(text []byte) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if len(o.Object) > 0 {
			all = append(all, o)
		}
	}
}

// apply brings YAML documents into a namespace, "" for what has none, and gives those that are there.
func (w *world) apply(ctx context.Context, namespace string, text []byte) ([]*unstructured.Unstructured, error) {
	all, err := objects(text)
	if err != nil {
		return nil, err
	}
	for i, o := range all {
		resource, known := kinds[o.GetKind()]
		if !known {
			return all[:i], fmt.Errorf("applying %s/%s: the bench knows no such kind", o.GetKind(), o.GetName())
		}
		_, err := w.in(resource, namespace).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: manager, Force: true})
		if err != nil {
			return all[:i], fmt.Errorf("applying %s/%s/%s: %w", o.GetKind(), namespace, o.GetName(), err)
		}
	}
	return all, nil
}

func (w *world) in(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	if namespace == "" {
		return w.dynamic.Resource(resource)
	}
	return w.dynamic.Resource(resource).Namespace(namespace)
}

// define brings the peers' custom resources into the cluster, until close.
func (w *world) define(ctx context.Context, files ...string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all, err := w.apply(ctx, "", text)
		for _, o := range all {
			w.undo = append(w.undo, func(ctx context.Context) { w.remove(ctx, o.GetName()) })
		}
		if err != nil {
			return fmt.Errorf("defining the resources of %q: %w", filepath.Base(file), err)
		}
		for _, o := range all {
			if err := w.established(ctx, o.GetName()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) established(ctx context.Context, name string) error {
	return await(ctx, time.Minute, "CustomResourceDefinition/"+name+" is established", func(ctx context.Context) (bool, error) {
		o, err := w.in(kinds["CustomResourceDefinition"], "").Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		conditions, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
		for _, c := range conditions {
			if m, ok := c.(map[string]any); ok && m["type"] == "Established" && m["status"] == "True" {
				return true, err
			}
		}
		return false, err
	})
}

// remove takes a definition back, and waits, so that the next run finds none that is on its way out.
func (w *world) remove(ctx context.Context, name string) {
	definitions := w.in(kinds["CustomResourceDefinition"], "")
	err := definitions.Delete(ctx, name, metav1.DeleteOptions{})
	if err == nil {
		err = await(ctx, cleaning, "it is gone", func(ctx context.Context) (bool, error) {
			_, err := definitions.Get(ctx, name, metav1.GetOptions{})
			return apierrors.IsNotFound(err), err
		})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		fmt.Fprintf(os.Stderr, "removing CustomResourceDefinition/%s: %v: remove it by hand\n", name, err)
	}
}
