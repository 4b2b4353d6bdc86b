//go:build lab

package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/cluster"
)

// one is a Deployment with one pod whose container is given.
func one(name, container string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ` + name + `, labels: {promote.dev/release: r}}
spec:
  selector: {matchLabels: {app: ` + name + `}}
  template:
    metadata: {labels: {app: ` + name + `, promote.dev/release: r}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
` + container
}

// TestClusterWaitsForReadiness is beside the cases of TestWaitJudgesEachCase, which fail or recover by themselves.
func TestClusterWaitsForReadiness(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	t.Run("a pod that never becomes ready, when the time is over", func(t *testing.T) {
		p := p.in(t)
		t.Parallel()
		c := p.connect()
		refs := p.apply(c, one("never", "        image: {{.}}\n        args: [-ready-after=-1s]\n        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"))
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		var lines []string
		err := c.Wait(ctx, refs, func(line string) { lines = append(lines, line) })
		var failed *cluster.FailedError
		if !errors.As(err, &failed) || failed.Reason != cluster.ReasonNotReady || !strings.Contains(err.Error(), "503") {
			t.Errorf("got %v\n%s", err, strings.Join(lines, "\n"))
		}
	})
	t.Run("a pod that is slow to start is no failure", func(t *testing.T) {
		p := p.in(t)
		t.Parallel()
		c := p.connect()
		p.ready(c, p.apply(c, one("slow", "        image: {{.}}\n        args: [-ready-after=6s]\n        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}")))
	})
}
