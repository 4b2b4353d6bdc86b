//go:build lab

package e2e

import (
	"strings"
	"testing"
)

// crashing is a service whose program ends at once, after a long log.
const crashing = `apiVersion: apps/v1
kind: Deployment
metadata: {name: crashing}
spec:
  replicas: 1
  selector: {matchLabels: {app: crashing}}
  template:
    metadata: {labels: {app: crashing}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {name: web, image: "{{ .Image }}", args: [-lines=60, -exit=3], ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: crashing}
spec: {selector: {app: crashing}, ports: [{port: 80, targetPort: 8080}]}
`

// TestAFailedDeploymentSaysWhy is one deployment of a program that ends at once: the cause stands in the log, in the summary and at
// the pull request, from before the candidate was removed, and the candidate is removed.
func TestAFailedDeploymentSaysWhy(t *testing.T) {
	h, p := newHub(t), newPlace(t, "test")
	image, err := testImage()
	h.must(err)
	repository, digest, _ := strings.Cut(image, "@")
	h.commit("main", map[string]string{"README.md": "crashing\n"})
	_, head, opened := h.pull("change", map[string]string{"deploy/crashing.yaml": crashing})
	before := h.snapshot(p.namespace)
	res := h.run("deploy", opened, map[string]string{
		"environment": "test", "service": "crashing", "image": repository, "digest": digest, "manifests": "deploy", "namespace": p.namespace, "timeout": "1m",
	}, "KUBECONFIG="+p.kubeconfig)
	if res.code != 1 {
		t.Fatalf("exit code %d, want 1\n%s", res.code, res.output)
	}
	cause := "CrashLoop: Pod/" + p.namespace + "/crashing-"
	if errors := strings.Join(annotations(res.output), "\n"); !strings.Contains(errors, cause) || !strings.Contains(errors, "ended with exit code 3") {
		t.Errorf("the error does not name the cause: %s", errors)
	}
	removing := strings.Index(res.output, "removing release")
	for _, want := range []string{"container web: ended with exit code 3", "| ", "line 60 of 60", "line 13 of 60", "event "} {
		if at := strings.Index(res.output, want); at < 0 || at > removing {
			t.Errorf("the log does not say %q before the candidate is removed:\n%s", want, res.output)
		}
	}
	if strings.Contains(res.output, "line 11 of 60") {
		t.Error("the log has more than the last 50 lines of the container")
	}
	for _, want := range []string{"CrashLoop", "ended with exit code 3", "line 60 of 60", "Events"} {
		if !strings.Contains(res.summary, want) {
			t.Errorf("the summary does not say %q:\n%s", want, res.summary)
		}
	}
	if got := h.status(head, "promote/test"); !strings.HasPrefix(got, "failure") || !strings.Contains(got, ": CrashLoop") {
		t.Errorf("the commit's status is %q", got)
	}
	if after := h.snapshot(p.namespace); after != before {
		t.Errorf("the cluster changed from\n%s\nto\n%s", before, after)
	}
}
