package gateway

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// install puts the kinds of a folder into the cluster and waits until they are served. Those that are there stay as they are.
func (k *kinds) install(ctx context.Context, folder string) error {
	wanted, err := readKinds(folder)
	if err != nil {
		return err
	}
	for _, kind := range wanted {
		kind.SetLabels(map[string]string{labelGateway: "kinds"})
		_, err = k.client.Resource(definitions).Create(ctx, kind, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("installing the Gateway API: %w", err)
		}
	}
	for _, kind := range wanted {
		if err := await(ctx, readyLimit, func() error { return k.served(ctx, kind.GetName()) }); err != nil {
			return fmt.Errorf("installing the Gateway API: %w", err)
		}
	}
	return nil
}

// readKinds reads the CustomResourceDefinitions of a folder.
func readKinds(folder string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(data, &object.Object); err != nil {
			return nil, fmt.Errorf("parsing %q: %w", file, err)
		}
		// Later versions have a policy beside them, which guards upgrades; here are none.
		if object.GetKind() == "CustomResourceDefinition" {
			all = append(all, object)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("reading the Gateway API's kinds: %q holds none", folder)
	}
	return all, nil
}

// served is nil once every version of a kind that is to be served is. The condition comes a moment before the API server answers.
func (k *kinds) served(ctx context.Context, name string) error {
	o, err := k.client.Resource(definitions).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if !holds(o, "Established") {
		return fmt.Errorf("CustomResourceDefinition/%s is not established", name)
	}
	var kind struct {
		Spec struct {
			Group string `json:"group"`
			Names struct {
				Plural string `json:"plural"`
			} `json:"names"`
			Versions []struct {
				Name   string `json:"name"`
				Served bool   `json:"served"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := convert(o, &kind); err != nil {
		return err
	}
	for _, version := range kind.Spec.Versions {
		if !version.Served {
			continue
		}
		resource := schema.GroupVersionResource{Group: kind.Spec.Group, Version: version.Name, Resource: kind.Spec.Names.Plural}
		if _, err := k.client.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
			return fmt.Errorf("CustomResourceDefinition/%s is not served: %w", name, err)
		}
	}
	return nil
}

// uninstall removes the kinds that install has put there, and with them every object of theirs.
func (k *kinds) uninstall(ctx context.Context) error {
	ours := metav1.ListOptions{LabelSelector: labelGateway}
	if err := k.client.Resource(definitions).DeleteCollection(ctx, metav1.DeleteOptions{}, ours); err != nil {
		return fmt.Errorf("removing the Gateway API: %w", err)
	}
	return await(ctx, readyLimit, func() error {
		list, err := k.client.Resource(definitions).List(ctx, ours)
		if err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return fmt.Errorf("removing the Gateway API: CustomResourceDefinition/%s is not gone", list.Items[0].GetName())
		}
		return nil
	})
}
