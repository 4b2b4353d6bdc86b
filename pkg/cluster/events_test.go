package cluster

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

func TestRefusedEvents(t *testing.T) {
	started := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	set := parse(t, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s, namespace: ns, uid: s}")
	refused := func(after time.Duration) map[types.UID]runtime.Object {
		return map[types.UID]runtime.Object{"e": &corev1.Event{
			InvolvedObject: corev1.ObjectReference{UID: "s"}, Reason: "FailedCreate", Message: "exceeded quota", LastTimestamp: metav1.NewTime(started.Add(after)),
		}}
	}
	pod := func(after time.Duration) []*corev1.Pod {
		p := aPod("s-0", nil)
		p.CreationTimestamp = metav1.NewTime(started.Add(after))
		return []*corev1.Pod{&p}
	}
	for name, tc := range map[string]struct {
		pods   []*corev1.Pod
		events map[types.UID]runtime.Object
		want   int
	}{
		"a pod that was refused is trouble":                            {nil, refused(time.Second), 1},
		"so is one that was refused after others were made":            {pod(0), refused(time.Second), 1},
		"a pod that was made afterwards shows that it was let through": {pod(2 * time.Second), refused(time.Second), 0},
		"what was refused in an earlier rollout is not":                {nil, refused(-time.Hour), 0},
		"nothing was refused":                                          {nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusedEvents(set, tc.pods, tc.events, started); len(got) != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestKilled(t *testing.T) {
	probe := map[types.UID]runtime.Object{"e": &corev1.Event{
		InvolvedObject: corev1.ObjectReference{UID: "p", FieldPath: "spec.containers{app}"}, Reason: "Unhealthy", Message: "Startup probe failed: connection refused",
	}}
	again := func(restarts string) *corev1.Pod {
		p := podWith(t, `{containerStatuses: [{name: app, restartCount: `+restarts+`, state: {running: {}}, lastState: {terminated: {exitCode: 137, finishedAt: "2026-01-01T12:00:00Z"}}}]}`)
		p.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 1, 11, 59, 0, 0, time.UTC))
		return p
	}
	t.Run("a container that a probe ended twice has failed, though it runs again", func(t *testing.T) {
		got := killed(again("2"), probe)
		if len(got) != 1 || got[0].reason != ReasonCrashLoop || got[0].patience != 0 || !strings.Contains(got[0].message, "Startup probe failed: connection refused; ended with exit code 137") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("one that was ended once may come up the second time", func(t *testing.T) {
		if got := killed(again("1"), probe); len(got) > 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("one whose ends lie far apart may come up again", func(t *testing.T) {
		p := again("2")
		p.CreationTimestamp = metav1.NewTime(time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC))
		if got := killed(p, probe); len(got) > 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("one that ended by itself is not the probe's", func(t *testing.T) {
		if got := killed(again("2"), nil); len(got) > 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a probe of another container says nothing", func(t *testing.T) {
		p := again("2")
		p.Status.ContainerStatuses[0].Name = "sidecar"
		if got := killed(p, probe); len(got) > 0 {
			t.Errorf("got %v", got)
		}
	})
}

func TestLackOf(t *testing.T) {
	for message, want := range map[string]lack{
		`secret "database" not found`: {kind: "Secret", name: "database"},
		`MountVolume.SetUp failed for volume "c" : configmap "settings" not found`:                     {kind: "ConfigMap", name: "settings"},
		`couldn't find key region in ConfigMap ns/settings`:                                            {kind: "ConfigMap", name: "settings", key: "region"},
		`couldn't find key tls.key in Secret ns/certificate`:                                           {kind: "Secret", name: "certificate", key: "tls.key"},
		`pods "d-1" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`: quotaFull,
		`failed to sync secret cache: timed out waiting for the condition`:                             {},
	} {
		t.Run(message, func(t *testing.T) {
			if got := lackOf(message); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestStep(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	waiting := func() *watcher {
		p := podWith(t, `{containerStatuses: [{name: app, state: {waiting: {reason: CreateContainerConfigError, message: 'secret "s" not found'}}}]}`)
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{UID: "r", Controller: &yes}}
		set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
			UID: "r", Annotations: map[string]string{"deployment.kubernetes.io/revision": "1"}, OwnerReferences: []metav1.OwnerReference{{UID: "d", Controller: &yes}},
		}}
		return &watcher{
			listed: true, seen: map[string]firstSeen{}, ref: ObjectRef{Kind: "Deployment", Name: "d", Namespace: "ns"},
			pods: map[types.UID]runtime.Object{"p": p}, sets: map[types.UID]runtime.Object{"r": set},
			object: parse(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: ns, uid: d, annotations: {deployment.kubernetes.io/revision: '1'}}\nspec: {replicas: 1}"),
		}
	}
	t.Run("fails when what lacks is not there after five seconds", func(t *testing.T) {
		w, asked := waiting(), 0
		no := func(lack) bool { asked++; return false }
		if v := w.step(at(0), no); v.failed != nil {
			t.Fatal(v.failed)
		}
		if v := w.step(at(5), no); v.failed == nil || asked != 1 {
			t.Errorf("got %v after %d questions", v.failed, asked)
		}
	})
	t.Run("gives kubelet time when it has come, asks once, and not for ever", func(t *testing.T) {
		w, asked := waiting(), 0
		yes := func(l lack) bool { asked++; return l == lack{kind: "Secret", name: "s"} }
		w.step(at(0), yes)
		for second := 5; second < 25; second++ {
			if v := w.step(at(second), yes); v.failed != nil {
				t.Fatalf("after %d s: %v", second, v.failed)
			}
		}
		if v := w.step(at(25), yes); v.failed == nil || asked != 1 {
			t.Errorf("got %v after %d questions", v.failed, asked)
		}
	})
}

func TestSteady(t *testing.T) {
	t.Run("a container that is started again begins its time anew", func(t *testing.T) {
		at := func(s int) time.Time { return time.Unix(int64(s), 0) }
		p := aPod("p", nil)
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{UID: "d", Controller: &yes}}
		p.Labels[templateGeneration] = "1"
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", Ready: true}}
		w := &watcher{
			ref: ObjectRef{Kind: "DaemonSet"}, pods: map[types.UID]runtime.Object{"p": &p},
			object: parse(t, "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, uid: d, generation: 7, annotations: {deprecated.daemonset.template.generation: '1'}}\nspec: {template: {spec: {containers: [{name: app}]}}}"),
		}
		if w.steady(at(0)) {
			t.Error("believed at once")
		}
		p.Status.ContainerStatuses[0].RestartCount = 1
		if w.steady(at(2)) || w.steady(at(4)) {
			t.Error("the time before the new start was counted")
		}
		if !w.steady(at(5)) {
			t.Error("not believed after three seconds")
		}
	})
}
