package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// podWith has one container in the state that the YAML says, as kubelet writes it.
func podWith(t *testing.T, status string) *corev1.Pod {
	t.Helper()
	p := aPod("p", unready)
	p.Status.Phase = corev1.PodPending
	if err := yaml.Unmarshal([]byte(status), &p.Status); err != nil {
		t.Fatal(err)
	}
	return &p
}

func TestInspect(t *testing.T) {
	for name, test := range map[string]struct {
		status   string
		reason   string
		message  string
		patience time.Duration
	}{
		"an image that does not exist fails at once": {
			`{containerStatuses: [{name: app, image: r/x@sha256:1, state: {waiting: {reason: ErrImagePull, message: 'rpc error: code = NotFound desc = failed to pull and unpack image "r/x@sha256:1": failed to resolve reference: r/x@sha256:1: not found'}}}]}`,
			ReasonImagePull, "image r/x@sha256:1: rpc error: code = NotFound", 0,
		},
		"a registry that does not let us in fails at once": {
			`{containerStatuses: [{name: app, image: r/x, state: {waiting: {reason: ErrImagePull, message: 'failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized'}}}]}`,
			ReasonImagePull, "401 Unauthorized", 0,
		},
		"a registry that is out of reach is given time": {
			`{containerStatuses: [{name: app, image: r/x, state: {waiting: {reason: ErrImagePull, message: 'dial tcp 10.0.0.1:443: connect: connection refused'}}}]}`,
			ReasonImagePull, "connection refused", pullPatience,
		},
		"a slow pull is no trouble": {
			`{containerStatuses: [{name: app, image: r/x, state: {waiting: {reason: ContainerCreating}}}]}`, "", "", 0,
		},
		"a key that a ConfigMap lacks": {
			`{containerStatuses: [{name: app, state: {waiting: {reason: CreateContainerConfigError, message: "couldn't find key region in ConfigMap ns/checkout"}}}]}`,
			ReasonBadConfig, "couldn't find key region", settlePatience,
		},
		"a cache that kubelet has not filled is given longer": {
			`{containerStatuses: [{name: app, state: {waiting: {reason: CreateContainerConfigError, message: "failed to sync secret cache: timed out waiting for the condition"}}}]}`,
			ReasonBadConfig, "failed to sync", pullPatience,
		},
		"a crash loop names the exit code": {
			`{containerStatuses: [{name: app, restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 3, reason: Error}}}]}`,
			ReasonCrashLoop, "ended with exit code 3, started again 2 times", 0,
		},
		"a crash loop by memory is named so": {
			`{containerStatuses: [{name: app, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]}`,
			ReasonOutOfMemory, "used more memory than its limit", 0,
		},
		"a second kill by memory that the runtime calls an error": {
			`{containerStatuses: [{name: app, restartCount: 1, state: {terminated: {exitCode: 137, reason: Error, finishedAt: "2026-01-01T12:00:02Z"}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled, finishedAt: "2026-01-01T12:00:01Z"}}}]}`,
			ReasonOutOfMemory, "used more memory than its limit", 0,
		},
		"another end after a kill by memory": {
			`{containerStatuses: [{name: app, restartCount: 1, state: {terminated: {exitCode: 3, reason: Error, finishedAt: "2026-01-01T12:00:02Z"}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled, finishedAt: "2026-01-01T12:00:01Z"}}}]}`,
			ReasonCrashLoop, "ended with exit code 3", 0,
		},
		"a failing init container is named": {
			`{initContainerStatuses: [{name: migrate, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}}], containerStatuses: [{name: app, state: {waiting: {reason: PodInitializing}}}]}`,
			ReasonCrashLoop, "exit code 1", 0,
		},
		"a program that is not in the image": {
			`{containerStatuses: [{name: app, state: {waiting: {reason: RunContainerError, message: 'exec: "/nope": stat /nope: no such file or directory'}}}]}`,
			ReasonCannotStart, "no such file", 0,
		},
		"a container that ended once may start again": {
			`{containerStatuses: [{name: app, restartCount: 0, state: {terminated: {exitCode: 1}}}]}`, "", "", 0,
		},
		"a container that ended twice has failed, before kubelet calls it a loop": {
			`{containerStatuses: [{name: app, restartCount: 1, state: {terminated: {exitCode: 3, finishedAt: "2026-01-01T12:00:02Z"}}, lastState: {terminated: {exitCode: 3, finishedAt: "2026-01-01T12:00:01Z"}}}]}`,
			ReasonCrashLoop, "ended with exit code 3, started again once", 0,
		},
		"a container that ended again after an hour may start again": {
			`{containerStatuses: [{name: app, restartCount: 1, state: {terminated: {exitCode: 3, finishedAt: "2026-01-01T13:00:02Z"}}, lastState: {terminated: {exitCode: 3, finishedAt: "2026-01-01T12:00:01Z"}}}]}`, "", "", 0,
		},
		"a pod without a node is never failed early": {
			`{conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/1 nodes are available: 1 Insufficient cpu."}]}`,
			"Unschedulable", "Insufficient cpu", never,
		},
		"an evicted pod is replaced by its owner": {
			`{phase: Failed, reason: Evicted, message: "The node was low on resource: memory."}`, ReasonFailed, "low on resource", never,
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := inspect(podWith(t, test.status))
			if test.reason == "" {
				if len(found) > 0 {
					t.Errorf("got %v", found)
				}
				return
			}
			if len(found) != 1 {
				t.Fatalf("got %v", found)
			}
			got := found[0]
			if got.reason != test.reason || got.patience != test.patience || !strings.Contains(got.String(), test.message) {
				t.Errorf("got %s, patience %s: %s", got.reason, got.patience, got)
			}
		})
	}
	t.Run("a pod on its way out has no trouble", func(t *testing.T) {
		p := podWith(t, `{containerStatuses: [{name: app, state: {waiting: {reason: CrashLoopBackOff}}}]}`)
		leaving(p)
		if found := inspect(p); len(found) > 0 {
			t.Errorf("got %v", found)
		}
	})
}

func TestInspectEvents(t *testing.T) {
	event := func(reason, message string) map[types.UID]runtime.Object {
		return map[types.UID]runtime.Object{"e": &corev1.Event{InvolvedObject: corev1.ObjectReference{UID: "p"}, Reason: reason, Message: message}}
	}
	creating := `{containerStatuses: [{name: app, state: {waiting: {reason: ContainerCreating}}}]}`
	t.Run("a volume whose source is missing is bad configuration", func(t *testing.T) {
		got := inspectEvents(podWith(t, creating), event("FailedMount", `MountVolume.SetUp failed for volume "c" : configmap "gone" not found`))
		if len(got) != 1 || got[0].reason != ReasonBadConfig || got[0].patience != settlePatience {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a mount that is slow is not", func(t *testing.T) {
		got := inspectEvents(podWith(t, creating), event("FailedMount", "timed out waiting for the condition"))
		if len(got) != 1 || got[0].patience != never {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a probe that fails is told, not failed", func(t *testing.T) {
		running := `{containerStatuses: [{name: app, state: {running: {}}}]}`
		got := inspectEvents(podWith(t, running), event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"))
		if len(got) != 1 || got[0].reason != ReasonNotReady || got[0].patience != never {
			t.Errorf("got %v", got)
		}
	})
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		message  string
		patience time.Duration
	}{
		"a quota is the pods' own trouble":              {`pods "d-1" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`, settlePatience},
		"a policy is the pods' own trouble":             {`pods "d-1" is forbidden: violates PodSecurity "restricted:latest"`, settlePatience},
		"a controller without its role is not":          {`pods is forbidden: User "system:serviceaccount:kube-system:replicaset-controller" cannot create resource "pods"`, never},
		"an API server that is not there is not":        {`Post "https://10.0.0.1/api/v1/namespaces/ns/pods": dial tcp 10.0.0.1:443: connect: connection refused`, never},
		"a webhook that does not answer in time is not": {`failed calling webhook "w": context deadline exceeded (Client.Timeout exceeded: timeout)`, never},
	} {
		t.Run(name, func(t *testing.T) {
			o := &unstructured.Unstructured{Object: map[string]any{
				"kind": "Deployment", "metadata": map[string]any{"name": "d", "namespace": "ns"},
				"status": map[string]any{"conditions": []any{map[string]any{"type": "ReplicaFailure", "status": "True", "message": tc.message}}},
			}}
			if got := refusals(o); len(got) != 1 || got[0].patience != tc.patience {
				t.Errorf("got %v, want patience %s", got, tc.patience)
			}
		})
	}
}

func TestOverPatience(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	w := func() *watcher { return &watcher{seen: map[string]firstSeen{}} }
	pull := func(message string, patience time.Duration) trouble {
		return trouble{pod: "Pod/ns/p", container: "app", reason: ReasonImagePull, message: message, patience: patience}
	}
	t.Run("the first words are kept", func(t *testing.T) {
		w := w()
		w.overPatience([]trouble{pull("dial tcp: refused", time.Minute)}, at(0))
		got, over := w.overPatience([]trouble{pull("Back-off pulling image", time.Minute)}, at(61))
		if !over || got.message != "dial tcp: refused" {
			t.Errorf("got %v, %v", over, got)
		}
	})
	t.Run("a shorter patience that shows later counts", func(t *testing.T) {
		w := w()
		w.overPatience([]trouble{pull("dial tcp: refused", time.Minute)}, at(0))
		if got, over := w.overPatience([]trouble{pull("not found", 0)}, at(1)); !over || got.message != "not found" {
			t.Errorf("got %v, %v, want the words that leave no hope", over, got)
		}
	})
	t.Run("trouble that went away begins anew", func(t *testing.T) {
		w := w()
		w.overPatience([]trouble{pull("a", time.Minute)}, at(0))
		w.overPatience(nil, at(30))
		if _, over := w.overPatience([]trouble{pull("a", time.Minute)}, at(61)); over {
			t.Error("counted from the first time")
		}
	})
	t.Run("what is never a failure is none after a year", func(t *testing.T) {
		w := w()
		w.overPatience([]trouble{pull("a", never)}, at(0))
		if _, over := w.overPatience([]trouble{pull("a", never)}, at(31536000)); over {
			t.Error("failed")
		}
	})
}

func TestJudge(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	deployment := func(status string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: ns, generation: 2}\nspec: {replicas: 2, progressDeadlineSeconds: 600}\nstatus: " + status
	}
	for name, test := range map[string]struct {
		object string
		done   bool
		failed string
	}{
		"a Deployment with all pods available is ready": {deployment(`{observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, conditions: [
			{type: Available, status: "True"}, {type: Progressing, status: "True", reason: NewReplicaSetAvailable}]}`), true, ""},
		"a status of an older generation says nothing": {deployment(`{observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, conditions: [
			{type: Available, status: "True"}, {type: Progressing, status: "True", reason: NewReplicaSetAvailable}]}`), false, ""},
		"a missed deadline fails": {deployment(`{observedGeneration: 2, conditions: [
			{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: too slow, lastUpdateTime: "2026-01-01T12:00:01Z"}]}`), false, ReasonNotReady},
		"a deadline that an earlier rollout missed does not": {deployment(`{observedGeneration: 2, conditions: [
			{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: too slow, lastUpdateTime: "2026-01-01T11:00:00Z"}]}`), false, ""},
		"a Job that runs is not done":     {"apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nstatus: {active: 1}", false, ""},
		"a Job that completed is done":    {"apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nstatus: {conditions: [{type: Complete, status: 'True'}]}", true, ""},
		"a Job that failed failed":        {"apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nstatus: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}", false, ReasonJobFailed},
		"an object on its way out failed": {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, deletionTimestamp: '2026-01-01T00:00:00Z'}", false, ReasonGone},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(parse(t, test.object), now)
			reason := ""
			if got.failed != nil {
				reason = got.failed.Reason
			}
			if got.done != test.done || reason != test.failed {
				t.Errorf("got done %v, failed %q: %s", got.done, reason, got.line)
			}
		})
	}
}

func TestDiagnosis(t *testing.T) {
	d := Diagnosis{
		Subject: "Deployment/ns/d",
		Pods: []PodDiagnosis{{Name: "Pod/ns/p", Phase: "Pending", Containers: []ContainerDiagnosis{
			{Name: "app", State: "CrashLoopBackOff: ended with exit code 3", Restarts: 2, Log: []string{"```", "::error::no", "<b>bold</b>"}, Previous: true},
		}}},
		Events:     []EventDiagnosis{{Time: time.Unix(0, 0), Object: "Pod/p", Reason: "BackOff", Message: "Back-off | restarting", Count: 4}},
		Incomplete: []string{"no events"},
	}
	t.Run("is Markdown that its contents cannot break out of", func(t *testing.T) {
		got := d.Markdown()
		if !strings.Contains(got, "````") || !strings.Contains(got, "exit code 3") || strings.Contains(got, "Back-off | restarting") {
			t.Errorf("got:\n%s", got)
		}
	})
	t.Run("is plain text for a log", func(t *testing.T) {
		want := "Pod/ns/p: Pending\n  container app: CrashLoopBackOff: ended with exit code 3\n    | ```\n    | ::error::no\n    | <b>bold</b>\n" +
			"event 00:00:00 Pod/p BackOff (4 times): Back-off | restarting\nnot found out: no events"
		if diff := cmp.Diff(want, d.String()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("is found for each failure that an error joins, however it is wrapped", func(t *testing.T) {
		failed := func(subject string) error { return &FailedError{Diagnosis: Diagnosis{Subject: subject}} }
		err := fmt.Errorf("preparing: %w", errors.Join(failed("a"), fmt.Errorf("deleting: %w", failed("b")), errors.New("c")))
		if got := Diagnoses(err); len(got) != 2 || got[0].Subject != "a" || got[1].Subject != "b" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("of nothing is nothing", func(t *testing.T) {
		if got := (Diagnosis{}).Markdown(); got != "" {
			t.Errorf("got %q", got)
		}
	})
}
