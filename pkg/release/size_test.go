package release

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
)

func object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"kind": kind, "metadata": map[string]any{"name": name}, "spec": spec}}
}

func TestSizesOfDeployments(t *testing.T) {
	scaler := object("HorizontalPodAutoscaler", "web-new", map[string]any{"minReplicas": int64(2), "scaleTargetRef": map[string]any{"kind": "Deployment", "name": "web-new"}})
	r := &rendered{objects: &manifest.Objects{Versioned: []*unstructured.Unstructured{
		object("Deployment", "web-new", map[string]any{}), object("Deployment", "worker-new", map[string]any{"replicas": int64(4)}),
		object("Deployment", "plain-new", map[string]any{}), scaler,
	}}}
	for name, tc := range map[string]struct{ live, want map[string]int }{
		"nothing serves yet: the autoscaler's least":         {nil, map[string]int{"web-new": 2, "worker-new": 4, "plain-new": 1}},
		"what an autoscaler has scaled up is not taken back": {map[string]int{"web-new": 9}, map[string]int{"web-new": 9, "worker-new": 4, "plain-new": 1}},
		"what nothing scales has the manifest's number":      {map[string]int{"worker-new": 9, "web-new": 1}, map[string]int{"web-new": 2, "worker-new": 4, "plain-new": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, r.full(tc.live)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCounterpartsHaveTheCandidatesNames(t *testing.T) {
	for name, tc := range map[string]struct {
		baseline string
		live     map[string]int
	}{
		"of a release":        {"1111111-aaaaaa", map[string]int{"web-1111111-aaaaaa": 7}},
		"of what was adopted": {"adopted-123456", map[string]int{"web": 7}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Candidate{Release: cluster.Release{ID: "2222222-bbbbbb"}, Baseline: &cluster.Release{ID: tc.baseline}, State: &cluster.State{Replicas: tc.live}}
			if diff := cmp.Diff(map[string]int{"web-2222222-bbbbbb": 7}, c.counterparts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
