//go:build lab

package e2e

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	labcluster "github.com/org/promote/lab/cluster"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// outage is how long the API server is away.
const outage = 10 * time.Second

// slow is a service whose pods take some seconds to be ready, so that there is a middle of a deployment.
const slow = `apiVersion: apps/v1
kind: Deployment
metadata: {name: slow}
spec:
  replicas: 2
  selector: {matchLabels: {app: slow}}
  template:
    metadata: {labels: {app: slow}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: slow
          image: "{{ .Image }}"
          args: ["-ready-after=6s"]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
          ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: slow}
spec: {selector: {app: slow}, ports: [{port: 80, targetPort: 8080}]}
`

// TestDeploySurvivesAKilledAPIServer kills the lab's own API server while the action waits for the candidate's pods, and
// starts it again after ten seconds. The run does not fail, and what it leaves is a release that serves.
func TestDeploySurvivesAKilledAPIServer(t *testing.T) {
	h, p := newHub(t), newPlace(t, "test")
	ctx := t.Context()
	release, err := h.world.Hold(true)
	h.must(err)
	t.Cleanup(release)
	image, err := testImage()
	h.must(err)
	ref, err := name.NewDigest(image)
	h.must(err)
	h.commit("main", map[string]string{"README.md": "slow\n"})
	_, head, opened := h.pull("slow", map[string]string{"deploy/slow.yaml": slow})
	descriptor, err := remote.Get(ref)
	h.must(err)
	h.must(remote.Tag(ref.Context().Tag(head), descriptor))

	lab, err := labcluster.Open(labcluster.Config{StateDir: h.world.StateDir})
	h.must(err)
	cmd, finish := h.command("deploy", opened, map[string]string{
		"environment": "test", "namespace": p.namespace, "kubeconfig": p.kubeconfig, "service": "slow", "image": ref.Context().Name(),
		"manifests": "deploy", "drain": "1s",
	})
	h.must(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	p.awaitPods(1, ended)

	h.must(lab.Stop(ctx, "kube-apiserver", syscall.SIGKILL))
	t.Cleanup(func() { h.must(lab.Start(context.Background(), "kube-apiserver")) })
	select {
	case err := <-ended:
		t.Fatalf("the action ended while the API server was away: %v\n%s", err, finish().output)
	case <-time.After(outage):
	}
	h.must(lab.Start(ctx, "kube-apiserver"))
	// One that takes part in an election ends after ten seconds without its lease, and begins anew with fresh eyes. This one does
	// not elect, and would look at nothing for up to two minutes more.
	h.must(lab.Stop(ctx, "kube-controller-manager", syscall.SIGTERM), lab.Start(ctx, "kube-controller-manager"))

	err = <-ended
	res := finish()
	if err != nil || res.outputs["result"] != "deployed" {
		t.Fatalf("the action ended with %v, result %q\n%s", err, res.outputs["result"], res.output)
	}
	service, err := p.admin.CoreV1().Services(p.namespace).Get(ctx, "slow", metav1.GetOptions{})
	h.must(err)
	if served := service.Spec.Selector[cluster.LabelRelease]; served != res.outputs["release"] {
		t.Errorf("Service/%s/slow selects %q, want %q", p.namespace, served, res.outputs["release"])
	}
	lease, err := p.admin.CoordinationV1().Leases(p.namespace).Get(ctx, "promote-slow", metav1.GetOptions{})
	h.must(err)
	if lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
		t.Errorf("the lock is still held by %q", *lease.Spec.HolderIdentity)
	}
	if !strings.Contains(res.summary, "✅") {
		t.Errorf("the summary does not say that it is deployed:\n%s", res.summary)
	}
}

// awaitPods waits until the candidate has so many pods; an action that ends before that has failed.
func (p *place) awaitPods(count int, ended <-chan error) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		pods, err := p.admin.CoreV1().Pods(p.namespace).List(p.t.Context(), metav1.ListOptions{})
		p.must(pods, err)
		if len(pods.Items) >= count {
			return
		}
		if len(ended) > 0 || time.Now().After(deadline) {
			p.t.Fatalf("there are %d pods, and the action ended: %t", len(pods.Items), len(ended) > 0)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
