package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestApplySet(t *testing.T) {
	c := &Cluster{Namespace: "prod"}
	// printf 'promote-checkout.prod.ConfigMap.' | openssl dgst -sha256 -binary | basenc --base64url
	const id = "applyset-E-D770RHlFOlwkAOVnPzarpiZoI-ZAogJDcNVfm44YI-v1"
	t.Run("the id is that of the KEP", func(t *testing.T) {
		if got := setID("prod", "checkout"); got != id {
			t.Errorf("got %s, want %s", got, id)
		}
	})
	t.Run("the state is the parent and names every kind once, in order", func(t *testing.T) {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"theirs": "stays"}}}
		c.parent(object, &State{Service: "checkout",
			Serving: &Release{Inventory: []ObjectRef{{APIVersion: "v1", Kind: "Secret"}, {APIVersion: "apps/v1", Kind: "Deployment"}}},
			Shared:  []Member{{ObjectRef: ObjectRef{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"}}, {ObjectRef: ObjectRef{APIVersion: "v1", Kind: "Secret"}}},
		})
		want := map[string]string{"theirs": "stays", annotationTooling: "promote/v1.0.0", annotationGroupKinds: "Deployment.apps,Ingress.networking.k8s.io,Secret"}
		if diff := cmp.Diff(want, object.Annotations); diff != "" {
			t.Error(diff)
		}
		if object.Labels[labelSetID] != id {
			t.Errorf("labels %v", object.Labels)
		}
	})
	t.Run("members are part of it; objects of no service are not", func(t *testing.T) {
		o := &unstructured.Unstructured{Object: map[string]any{}}
		if c.member(o); o.GetLabels()[labelPartOf] != "" {
			t.Errorf("labels %v", o.GetLabels())
		}
		o.SetLabels(map[string]string{LabelService: "checkout"})
		if c.member(o); o.GetLabels()[labelPartOf] != id {
			t.Errorf("labels %v", o.GetLabels())
		}
	})
}
