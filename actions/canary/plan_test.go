package main

import (
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/verdict"
)

func TestThePlanSaysWhatItCanFind(t *testing.T) {
	v, err := with(t, map[string]string{"INPUT_STEPS": "20,50", "INPUT_STEP_DURATION": "1m"})
	if err != nil {
		t.Fatal(err)
	}
	v.Inputs = job.Inputs{Service: "checkout", Environment: "prod"}
	plan, err := v.plan(4)
	if err != nil {
		t.Fatal(err)
	}
	known := []metrics.Known{
		{Check: "errors", Counts: verdict.Counts{Bad: 15, Total: 15000}, Over: 5 * time.Minute, Healthy: 0.01, Alpha: 0.01},
		{Check: "quiet", Over: 5 * time.Minute, Healthy: 0.01, Alpha: 0.01},
	}
	page := planSummary(v, "a-1", plan, known, nil)
	for _, want := range []string{
		"the baseline answers 50.0 requests/s, 0.1 % of them bad; 1 % are healthy. 10 % are found with about 32 requests",
		"| 1 | 10.0/s | 600 | 2.5 % bad |", "| 3 | 50.0/s | 3000 | 1.6 % bad |",
		"Check quiet: the baseline has had no request", "safe within 14s while the run lives", "its watchdog takes 20s",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}
