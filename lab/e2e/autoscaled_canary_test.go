//go:build lab

package e2e

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/org/promote/pkg/cluster"
)

const elastic = `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: quick}
spec:
  minReplicas: 2
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: quick}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
  behavior: {scaleDown: {stabilizationWindowSeconds: 77}}
`

// TestACanaryOfAnAutoscaledService sends canaries over a service that its autoscaler has scaled to three pods. While they are
// counted out both autoscalers stand still: the least of the candidate's, which is two, makes no two of its first pod. However the
// canary ends, the autoscaler that is left is what the manifests say.
func TestACanaryOfAnAutoscaledService(t *testing.T) {
	t.Parallel()
	s := &soak{guarded: &guarded{scene: newScene(t, "prod")}, rnd: rand.New(rand.NewPCG(1, 1)), sick: map[string]bool{}}
	s.h.commit("main", map[string]string{"deploy/quick.yaml": soaked + elastic})
	s.allowWatchdog()
	base := s.h.run("canary", s.merged("base").event, s.inputs(s.values(0, 0, nil)), s.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the first release was not brought up:\n%s", base.output)
	}
	s.baseline = base.outputs["release"]
	s.startLoad()
	want := s.autoscaler().Spec
	if *want.MinReplicas != 2 || want.MaxReplicas != 3 || *want.Behavior.ScaleDown.StabilizationWindowSeconds != 77 {
		t.Fatalf("the first autoscaler is %+v", want)
	}
	_, err := s.p.admin.AppsV1().Deployments(s.p.namespace).Patch(t.Context(), "quick-"+s.baseline, types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{})
	s.h.must(err)
	s.p.awaitReady("quick-"+s.baseline, 3)

	check := func(kept bool) {
		t.Helper()
		s.atRest()
		got := s.autoscaler()
		spec := *want.DeepCopy()
		spec.ScaleTargetRef.Name = "quick-" + s.baseline
		if diff := cmp.Diff(spec, got.Spec); diff != "" || got.Annotations[cluster.AnnotationFrozen] != "" {
			t.Errorf("the autoscaler is not what it was, or stands still (-was +is):\n%s", diff)
		}
		deployment, err := s.p.admin.AppsV1().Deployments(s.p.namespace).Get(t.Context(), "quick-"+s.baseline, metav1.GetOptions{})
		s.h.must(err)
		if *deployment.Spec.Replicas != 3 {
			t.Errorf("%d pods serve, want the 3 that the autoscaler had made", *deployment.Spec.Replicas)
		}
		if same := deployment.Name == "quick-"+base.outputs["release"]; same != kept {
			t.Errorf("%s serves", deployment.Name)
		}
	}

	bad := s.merged("bad")
	s.sick[bad.head] = true
	before := s.begin()
	s.want(s.h.run("canary", bad.event, s.inputs(s.values(2, 0, nil)), s.runner()), "rolled-back")
	check(true)
	if got := s.candidates(before); len(got) == 0 || got[0] != 1 {
		t.Errorf("the candidate was to have %v pods, want 1 to begin with", got)
	}

	killed := s.start("canary", s.merged("killed").event, s.values(0, 0, map[string]string{"step-duration": "30s"}))
	killed.await("the candidate takes its part", func() bool { return s.selected() == both })
	if frozen := s.wanted(); frozen != 1 {
		t.Errorf("the candidate of the first step has %d pods, want 1", frozen)
	}
	s.h.must(killed.cmd.Process.Kill())
	<-killed.ended
	check(true)

	s.want(s.h.run("canary", s.merged("good").event, s.inputs(s.values(0, 0, nil)), s.runner()), "promoted")
	check(false)
	s.wantNoLoss()
}

// autoscaler is the one that is there.
func (s *soak) autoscaler() autoscalingv2.HorizontalPodAutoscaler {
	s.t.Helper()
	var found []autoscalingv2.HorizontalPodAutoscaler
	s.await("one autoscaler is there", func() bool {
		list, err := s.p.admin.AutoscalingV2().HorizontalPodAutoscalers(s.p.namespace).List(context.Background(), metav1.ListOptions{})
		s.h.must(err)
		found = list.Items
		return len(found) == 1
	})
	return found[0]
}
