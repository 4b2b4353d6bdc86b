package release

import (
	"strings"
	"testing"

	"github.com/org/promote/pkg/manifest"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestWhatIsAppliedInPlaceIsNotForACanary(t *testing.T) {
	r := &rendered{objects: &manifest.Objects{
		Deployments: []string{"web"}, Services: []*unstructured.Unstructured{service("web")},
		Shared: []*unstructured.Unstructured{object("StatefulSet", "store", nil), object("CronJob", "sweep", nil), object("PodDisruptionBudget", "web", nil)},
	}}
	if err := r.check(Request{Namespace: "prod"}); err != nil {
		t.Errorf("a deployment refuses: %v", err)
	}
	err := r.check(Request{Namespace: "prod", Stepwise: true})
	for _, want := range []string{"StatefulSet/prod/store", "CronJob/prod/sweep", "deploy action"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "PodDisruptionBudget") {
		t.Errorf("got %v", err)
	}
}
