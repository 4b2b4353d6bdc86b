package main

import (
	"context"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// flaggerObjects are what Flagger takes with plain Kubernetes, where it knows no shares and calls it blue/green: a candidate with as
// many pods as its autoscaler's least, three here, beside the eight of what it calls the primary. Its own Services give clients the
// primary alone, so the clients here have a Service that selects both: a candidate that no client reaches could not be measured. That
// is three of eleven pods, as promote's.
const flaggerObjects = `apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: errors}
spec:
  provider: {type: prometheus, address: %[1]s}
  query: %[2]q
---
apiVersion: v1
kind: Service
metadata: {name: clients}
spec: {selector: {serves: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 3
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, serves: web}, annotations: %[3]s}
    spec: %[4]s---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: web}
spec:
  provider: kubernetes
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  autoscalerRef: {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, name: web, primaryScalerReplicas: {minReplicas: %[5]d, maxReplicas: %[5]d}}
  service: {port: 80, targetPort: 8080}
  analysis:
    interval: %[6]s
    threshold: 1
    iterations: 30
    metrics: [{name: errors, interval: %[6]s, thresholdRange: {max: %[7]g}, templateRef: {name: errors}}]
`

// newFlagger starts Flagger with its defaults for one namespace.
func (w *world) newFlagger(ctx context.Context, graceful time.Duration) (*contender, error) {
	n, err := w.newNamespace(ctx, "flagger", graceful)
	if err != nil {
		return nil, err
	}
	c := &contender{name: "Flagger", at: n, service: "clients"}
	begin := func() error {
		ports, err := freePorts(1)
		if err != nil {
			return err
		}
		env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.work}
		c.works, err = w.start("flagger", w.work, env, w.flagger, "-kubeconfig", w.lab.AdminKubeconfig, "-namespace", n.name,
			"-mesh-provider", "kubernetes", "-metrics-server", w.lab.PrometheusURL, "-port", ports[0], "-log-level", "info")
		return err
	}
	c.restart = begin
	c.roll = func(ctx context.Context, version, fails string) error {
		_, err := w.apply(ctx, n.name, fmt.Appendf(nil, flaggerObjects, w.lab.PrometheusURL, n.query("web-[0-9a-z]+-[0-9a-z]+"),
			scraped, n.pod(w.image, version, fails), replicas, interval, bound))
		return err
	}
	c.judges = c.flaggerJudges
	c.settled = func(ctx context.Context) (bool, error) {
		phase, _, err := c.flaggerStatus(ctx)
		return phase == "Initialized" || phase == "Failed", err
	}
	return c, begin()
}

// flaggerJudges says whether the candidate has passed a look.
func (c *contender) flaggerJudges(ctx context.Context) (bool, error) {
	phase, iterations, err := c.flaggerStatus(ctx)
	return phase == "Progressing" && iterations > 1, err
}

func (c *contender) flaggerStatus(ctx context.Context) (phase string, iterations int64, err error) {
	canary, err := c.at.w.in(kinds["Canary"], c.at.name).Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return "", 0, err
	}
	phase, _, err = unstructured.NestedString(canary.Object, "status", "phase")
	if err != nil {
		return "", 0, err
	}
	// JSON numbers may come as either.
	switch n := field(canary, "status", "iterations").(type) {
	case int64:
		iterations = n
	case float64:
		iterations = int64(n)
	}
	return phase, iterations, nil
}

func field(o *unstructured.Unstructured, path ...string) any {
	value, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return value
}
