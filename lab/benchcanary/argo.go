package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// argoObjects are a Rollout whose share is its pods', and its measurement in the background, which begins when the first share is
// there and has been measured for as long as one look takes. There is no tolerance: one failed measurement aborts.
const argoObjects = `apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  args: [{name: hash}]
  metrics:
    - name: errors
      initialDelay: %[1]s
      interval: %[1]s
      failureLimit: 0
      successCondition: result[0] <= %[2]g
      provider:
        prometheus:
          address: %[3]s
          query: %[4]q
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: %[5]d
  selector: {matchLabels: {app: web}}
  strategy:
    canary:
      analysis:
        startingStep: 1
        templates: [{templateName: errors}]
        args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
      steps: [{setWeight: %[6]d}, {pause: {duration: 5m}}, {setWeight: 50}, {pause: {duration: 5m}}]
  template:
    metadata: {labels: {app: web}, annotations: %[7]s}
    spec: %[8]s`

// newArgo starts Argo Rollouts' controller with its defaults, leader election among them, for one namespace.
func (w *world) newArgo(ctx context.Context, graceful time.Duration) (*contender, error) {
	n, err := w.newNamespace(ctx, "argo", graceful)
	if err != nil {
		return nil, err
	}
	c := &contender{name: "Argo Rollouts", at: n, service: "web"}
	begin := func() error {
		ports, err := freePorts(2)
		if err != nil {
			return err
		}
		env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.work, "POD_NAMESPACE=" + n.name}
		c.works, err = w.start("argo", w.work, env, w.argo, "--kubeconfig", w.lab.AdminKubeconfig, "--namespaced", "--namespace", n.name,
			"--metricsPort", ports[0], "--healthzPort", ports[1])
		return err
	}
	c.restart = begin
	c.roll = func(ctx context.Context, version, fails string) error {
		_, err := w.apply(ctx, n.name, fmt.Appendf(nil, argoObjects, interval, bound, w.lab.PrometheusURL, n.query("web-{{args.hash}}-.*"),
			replicas, step, scraped, n.pod(w.image, version, fails)))
		return err
	}
	c.judges = c.argoJudges
	return c, begin()
}

// argoJudges says whether a measurement of this candidate has succeeded.
func (c *contender) argoJudges(ctx context.Context) (bool, error) {
	n := c.at
	rollout, err := n.w.in(kinds["Rollout"], n.name).Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	// Until the controller has seen the new version, the status is that of the one before.
	if field(rollout, "status", "observedGeneration") != fmt.Sprint(rollout.GetGeneration()) {
		return false, nil
	}
	if aborted, _, _ := unstructured.NestedBool(rollout.Object, "status", "abort"); aborted {
		// Its status may be told before all of it is that of the new version, so this is not the end yet.
		return false, fmt.Errorf("it is aborted: %v", field(rollout, "status", "message"))
	}
	hash, _, err := unstructured.NestedString(rollout.Object, "status", "currentPodHash")
	if err != nil {
		return false, err
	}
	runs, err := n.w.in(analysisRuns, n.name).List(ctx, metav1.ListOptions{LabelSelector: "rollouts-pod-template-hash=" + hash})
	if err != nil {
		return false, err
	}
	for _, run := range runs.Items {
		results, _, err := unstructured.NestedSlice(run.Object, "status", "metricResults")
		if err != nil {
			return false, err
		}
		for _, r := range results {
			if result, ok := r.(map[string]any); ok && result["successful"] != nil {
				return true, nil
			}
		}
	}
	return false, nil
}

// freePorts are ports that nobody listens at.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It ends at once.
		if err != nil {
			return nil, err
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
