package main

import (
	"testing"
	"time"

	"github.com/org/promote/pkg/metrics"
)

func TestTheMonitorAnswersAsPrometheusDoes(t *testing.T) {
	m := newMonitor()
	defer m.close()
	m.serves("scale-a", "old-1")
	client, err := metrics.NewPrometheus(metrics.PrometheusConfig{URL: m.url})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]float64{
		`sum(increase(all_total{namespace="scale-a",release="old-1"}[300s]))`: 24000,
		`sum(increase(all_total{namespace="scale-a",release="new-2"}[10s]))`:  200,
		`sum(increase(bad_total{namespace="scale-a",release="new-2"}[10s]))`:  0.2,
	} {
		if got, err := client.Query(t.Context(), query, time.Now()); err != nil || got.Value != want {
			t.Errorf("%s is %v, %v, want %v", query, got.Value, err, want)
		}
	}
	if _, err := client.Query(t.Context(), "up", time.Now()); err == nil {
		t.Error("it answers what nobody asks in this bench")
	}
	if checks, err := metrics.ParseChecks([]byte(checks)); err != nil || len(checks) != 1 {
		t.Errorf("the checks are %v, %v", checks, err)
	}
}
