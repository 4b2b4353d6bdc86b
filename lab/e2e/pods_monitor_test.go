//go:build lab

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/metrics"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What real pods counted is read with the documented role alone, through the API server, also after it was away.
func TestPodsAreTheirOwnMonitor(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "test")
	c := p.connect(func(cfg *cluster.Config) { cfg.Outage = time.Minute })
	at := `, annotations: {prometheus.io/port: "8080"}}`
	annotated := strings.Replace(deployment("checkout-a", "a", 2), `promote.dev/serve: "true"}}`, `promote.dev/serve: "true"}`+at, 1)
	p.ready(c, p.apply(c, annotated))
	transport := c.PodTransport()
	t.Cleanup(transport.CloseIdleConnections)
	monitor, err := metrics.NewPods(metrics.PodsConfig{Namespace: p.namespace, HTTP: transport, Targets: func(ctx context.Context, release string) ([]metrics.Target, error) {
		exporters, err := c.Exporters(ctx, release)
		var targets []metrics.Target
		for _, e := range exporters {
			targets = append(targets, metrics.Target{Pod: e.Pod, UID: string(e.UID), URL: e.URL, Started: e.Started})
		}
		return targets, err
	}})
	p.must(monitor, err)
	exporters, err := c.Exporters(t.Context(), "a")
	p.must(exporters, err)
	if len(exporters) != 2 {
		t.Fatalf("got %d pods, want 2", len(exporters))
	}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	ask := func(pod string, times int) {
		t.Helper()
		for range times {
			resp, err := client.Get("http://" + pod + ":8080/")
			p.must(resp, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	// All of these began before the window.
	ask(exporters[0].Pod, 5)
	const query = `sum(increase(answers_total{release="a",code=~"2.."}[%ds]))`
	first := time.Now()
	want := func(answers float64) {
		t.Helper()
		// The window is whole seconds and begins with the first look or a little later.
		<-time.After(time.Until(first.Add(time.Second)))
		now := time.Now()
		got, err := monitor.Query(t.Context(), fmt.Sprintf(query, int(now.Sub(first).Seconds())), now)
		if err != nil || got.Value != answers {
			t.Errorf("got %v, %v; want %v answers", got.Value, err, answers)
		}
	}
	// Pods that began a moment ago began within this look's own second; what it is for is the values that later ones begin with.
	if _, err := monitor.Query(t.Context(), fmt.Sprintf(query, 1), first); err != nil {
		t.Fatal(err)
	}
	ask(exporters[0].Pod, 3)
	ask(exporters[1].Pod, 4)
	want(7)

	// An API server that was away is asked anew; connections to pods that it carried are made again.
	p.wire.cut()
	p.wire.mend()
	ask(exporters[0].Pod, 1)
	want(8)

	// A pod that goes has answered what it answered, and its successor counts from 0.
	p.must(nil, p.admin.CoreV1().Pods(p.namespace).Delete(t.Context(), exporters[1].Pod, metav1.DeleteOptions{}))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		now, err := c.Exporters(t.Context(), "a")
		p.must(now, err)
		if len(now) == 2 && now[0].Pod != exporters[1].Pod && now[1].Pod != exporters[1].Pod {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the pod was not replaced: %v", now)
		}
	}
	ask(exporters[0].Pod, 1)
	want(9)
	if missing, err := monitor.Missing(t.Context(), `sum(answer_total{release="a"}) - sum(answers_total{release="a"})`, time.Now()); err != nil || len(missing) != 1 || missing[0] != "answer_total" {
		t.Errorf("missing are %v, %v", missing, err)
	}
}
