package release

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func service(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": name, "namespace": "test", "annotations": map[string]any{"aws": "nlb"}},
		"spec": map[string]any{
			"type": "LoadBalancer", "selector": map[string]any{"app": "checkout"},
			"ports": []any{map[string]any{"port": int64(80), "targetPort": int64(8080), "nodePort": int64(30080)}},
		},
	}}
}

func candidateOf(objs *manifest.Objects) *Candidate {
	c := &Candidate{out: &rendered{objects: objs}, Release: cluster.Release{ID: "1234567-abcdef"}}
	for _, s := range objs.Services {
		c.Services = append(c.Services, cluster.SharedService{Name: s.GetName(), Selector: map[string]string{"app": "checkout"}})
	}
	return c
}

func TestCandidateServiceIsInsideOnlyAndSelectsOneRelease(t *testing.T) {
	c := candidateOf(&manifest.Objects{Services: []*unstructured.Unstructured{service("checkout")}})
	own := c.own()
	if len(own) != 1 {
		t.Fatalf("%d objects, want the candidate's Service", len(own))
	}
	want := map[string]any{
		"type": "ClusterIP", "publishNotReadyAddresses": false,
		"ports":    []any{map[string]any{"port": int64(80), "targetPort": int64(8080)}},
		"selector": map[string]any{"app": "checkout", cluster.LabelRelease: "1234567-abcdef"},
	}
	if diff := cmp.Diff(want, own[0].Object["spec"]); diff != "" {
		t.Error(diff)
	}
	if own[0].GetName() != "checkout-candidate" || len(own[0].GetAnnotations()) != 0 {
		t.Errorf("name %q, annotations %v: want checkout-candidate and none, or the cloud makes a load balancer for it", own[0].GetName(), own[0].GetAnnotations())
	}
}

func TestACandidateServiceForClientsLosesItsPodsBeforeTheyStop(t *testing.T) {
	shared := service("checkout")
	shared.SetAnnotations(map[string]string{
		"service.beta.kubernetes.io/aws-load-balancer-type": "external", "service.beta.kubernetes.io/aws-load-balancer-name": "checkout",
		"external-dns.alpha.kubernetes.io/hostname": "shop.example.com",
	})
	if err := unstructured.SetNestedField(shared.Object, "Local", "spec", "externalTrafficPolicy"); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(shared.Object, "192.0.2.7", "spec", "loadBalancerIP"); err != nil {
		t.Fatal(err)
	}
	inside := service("admin")
	inside.Object["spec"].(map[string]any)["type"] = "ClusterIP"
	for own, kind := range map[Own]string{OwnWeighted: "ClusterIP", OwnBalanced: "LoadBalancer"} {
		c := candidateOf(&manifest.Objects{Services: []*unstructured.Unstructured{shared, inside}})
		c.req.Own = own
		got := c.own()
		c.Release.Inventory = intended(got)
		selector, _, _ := unstructured.NestedStringMap(got[0].Object, "spec", "selector")
		if want := map[string]string{"app": "checkout", cluster.LabelRelease: "1234567-abcdef", cluster.LabelServe: "true"}; !cmp.Equal(want, selector) {
			t.Errorf("selects %v, want %v", selector, want)
		}
		spec := got[0].Object["spec"].(map[string]any)
		if spec["type"] != kind || spec["loadBalancerIP"] != nil {
			t.Errorf("%d: the spec is %v, want a %s without the other's address", own, spec, kind)
		}
		ways := 2
		if own == OwnBalanced {
			ways = 1
			want := map[string]string{"service.beta.kubernetes.io/aws-load-balancer-type": "external"}
			if diff := cmp.Diff(want, got[0].GetAnnotations()); diff != "" || spec["externalTrafficPolicy"] != "Local" {
				t.Errorf("it is not like the shared one, or has what only one can have:\n%s", diff)
			}
		}
		if got := c.Ways(); len(got) != ways || got[0].Shared != "checkout" || got[0].Own.Name != "checkout-candidate" {
			t.Errorf("%d: the ways are %v, want %d", own, got, ways)
		}
	}
}

func TestSharedServicesSelectOneServingRelease(t *testing.T) {
	original := service("checkout")
	c := candidateOf(&manifest.Objects{Services: []*unstructured.Unstructured{original}})
	got := c.sharedServices("old")[0]
	want := map[string]any{"app": "checkout", cluster.LabelServe: "true", cluster.LabelRelease: "old"}
	selector, _, _ := unstructured.NestedMap(got.Object, "spec", "selector")
	if diff := cmp.Diff(want, selector); diff != "" {
		t.Error(diff)
	}
	untouched, _, _ := unstructured.NestedMap(original.Object, "spec", "selector")
	if diff := cmp.Diff(map[string]any{"app": "checkout"}, untouched); diff != "" {
		t.Errorf("the rendered object itself was changed: %s", diff)
	}
}

func TestLateObjectsWaitForTheSwitch(t *testing.T) {
	object := func(kind string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"kind": kind, "apiVersion": "v1", "metadata": map[string]any{"name": "x"}}}
	}
	c := candidateOf(&manifest.Objects{Shared: []*unstructured.Unstructured{object("ServiceAccount"), object("Ingress"), object("PodDisruptionBudget")}})
	if got := c.early(); len(got) != 1 || got[0].GetKind() != "ServiceAccount" {
		t.Errorf("early objects are %v, want the ServiceAccount alone", got)
	}
	if got := c.shared(true); len(got) != 2 {
		t.Errorf("%d late objects, want Ingress and PodDisruptionBudget", len(got))
	}
}

func TestRecordFillsTheUIDsOfWhatWasApplied(t *testing.T) {
	c := &Candidate{Release: cluster.Release{Inventory: []cluster.ObjectRef{
		{APIVersion: "v1", Kind: "ConfigMap", Namespace: "test", Name: "a"},
		{APIVersion: "v1", Kind: "Secret", Namespace: "test", Name: "a"},
	}}}
	c.record([]cluster.Applied{{Ref: cluster.ObjectRef{APIVersion: "v1", Kind: "Secret", Namespace: "test", Name: "a", UID: "42"}, Action: cluster.Created}})
	if got := c.Release.Inventory; got[0].UID != "" || got[1].UID != "42" {
		t.Errorf("inventory is %v, want the Secret's UID alone", got)
	}
}
