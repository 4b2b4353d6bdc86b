package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func routeOf(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte("apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop, namespace: prod, generation: 3}\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

var way = []Way{{Shared: "checkout", Own: ObjectRef{Kind: "Service", Namespace: "prod", Name: "checkout-candidate"}}}

// rulesWith is a route with a rule that has its Service for itself, one with a weight and a filter, and two that are not concerned.
const rulesWith = `
spec:
  rules:
  - backendRefs: [{name: checkout, port: 80}]
  - matches: [{path: {value: /pay}}]
    backendRefs:
    - {name: checkout, namespace: prod, port: 80, weight: 7, filters: [{type: RequestHeaderModifier}]}
    - {name: off, port: 80, weight: 0}
  - backendRefs: [{name: checkout, namespace: other, port: 80}]
  - backendRefs: [{name: checkout, kind: ServiceImport, port: 80}]
`

func TestARouteIsSharedAndRestored(t *testing.T) {
	o := routeOf(t, rulesWith)
	before := o.DeepCopy()
	for _, percent := range []float64{5, 0.001, 50, 100, 0} {
		if err := share(o, way, percent); err != nil {
			t.Fatal(err)
		}
	}
	if err := share(o, way, 25); err != nil {
		t.Fatal(err)
	}
	rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
	first, second := rules[0].(map[string]any)["backendRefs"], rules[1].(map[string]any)["backendRefs"]
	if diff := cmp.Diff([]any{
		map[string]any{"name": "checkout", "port": int64(80), "weight": int64(7500)},
		map[string]any{"name": "checkout-candidate", "port": int64(80), "weight": int64(2500)},
	}, first); diff != "" {
		t.Errorf("a rule with one backend (-want +got):\n%s", diff)
	}
	if candidate := second.([]any)[2].(map[string]any); candidate["weight"] != int64(2500) || candidate["filters"] == nil || candidate["namespace"] != "prod" {
		t.Errorf("the candidate's backend is %v, want it to be like the shared one", candidate)
	}
	if diff := cmp.Diff(before.Object["spec"].(map[string]any)["rules"].([]any)[2:], rules[2:]); diff != "" {
		t.Errorf("rules that lead elsewhere have changed:\n%s", diff)
	}
	if err := restore(o, way); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Object["spec"], o.Object["spec"]); diff != "" || len(o.GetAnnotations()) > 0 {
		t.Errorf("restored with annotations %v and another spec:\n%s", o.GetAnnotations(), diff)
	}
	again := o.DeepCopy()
	if err := restore(again, way); err != nil || !cmp.Equal(o.Object["spec"], again.Object["spec"]) {
		t.Errorf("restoring what is not shared changed it: %v", err)
	}
}

func TestARouteNeverLosesItsOwnWeights(t *testing.T) {
	for _, percent := range []float64{0, 0.001, 1, 33.333, 99.999, 100} {
		o := routeOf(t, rulesWith)
		if err := share(o, way, percent); err != nil {
			t.Fatal(err)
		}
		rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
		refs := rules[0].(map[string]any)["backendRefs"].([]any)
		shared, own := refs[0].(map[string]any)["weight"].(int64), refs[1].(map[string]any)["weight"].(int64)
		if shared+own != routeWeights || shared < 0 || percent > 0 && own == 0 {
			t.Errorf("%v %% are the weights %d and %d", percent, shared, own)
		}
	}
}

func TestARuleWithAThirdBackendIsRefused(t *testing.T) {
	o := routeOf(t, "spec: {rules: [{backendRefs: [{name: checkout, port: 80}, {name: legacy, port: 80}]}]}")
	err := share(o, way, 5)
	if err == nil || !strings.Contains(err.Error(), "HTTPRoute/prod/shop: rule 1 leads to Service checkout and to legacy") {
		t.Errorf("got %v", err)
	}
}

func TestARouteCountsOnlyWhenEveryGatewayHasTakenItOver(t *testing.T) {
	const ok = "{type: Accepted, status: 'True', observedGeneration: 3}, {type: ResolvedRefs, status: 'True', observedGeneration: 3}"
	for name, c := range map[string]struct{ status, says string }{
		"all have":          {"{parents: [{parentRef: {name: a}, conditions: [" + ok + "]}]}", ""},
		"nobody has":        {"{}", "no gateway has taken it"},
		"one is behind":     {"{parents: [{parentRef: {name: a}, conditions: [" + ok + "]}, {parentRef: {name: b}, conditions: [{type: Accepted, status: 'True', observedGeneration: 2}]}]}", "Gateway b: it has seen generation 2 of 3"},
		"a Service is gone": {"{parents: [{parentRef: {name: a}, conditions: [{type: Accepted, status: 'True', observedGeneration: 3}, {type: ResolvedRefs, status: 'False', reason: BackendNotFound, message: no Service, observedGeneration: 3}]}]}", "Gateway a: ResolvedRefs is False, BackendNotFound: no Service"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := untaken(routeOf(t, "status: "+c.status)); got != c.says {
				t.Errorf("says %q, want %q", got, c.says)
			}
		})
	}
}
