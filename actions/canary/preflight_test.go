package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/preflight"
)

func TestADryRunIsOfARolloutAlone(t *testing.T) {
	for mode, want := range map[string]bool{"": true, modeRun: true, modePlan: true, modeRecover: false, modeAbort: false} {
		got, err := with(t, map[string]string{"INPUT_MODE": mode, "INPUT_DRY_RUN": "true"})
		if want && (err != nil || !got.dryRun) || !want && (err == nil || !strings.Contains(err.Error(), `"dry-run" is for `)) {
			t.Errorf("mode %q: %v, %v", mode, got.dryRun, err)
		}
	}
}

func TestAMonitorsFixNamesTheRightThatIsMissing(t *testing.T) {
	denied := fmt.Errorf("check: %w", &metrics.UnusableError{Fault: metrics.Denied})
	for name, c := range map[string]struct {
		monitor monitor
		err     error
		want    string
	}{
		"prometheus":        {monitor{kind: prometheus}, denied, "`/api/v1/query`"},
		"Amazon's":          {monitor{kind: prometheus, sign: true}, denied, "`aps:QueryMetrics`"},
		"datadog":           {monitor{kind: datadog}, denied, "`timeseries_query`"},
		"newrelic":          {monitor{kind: newRelic}, denied, "user key"},
		"cloudwatch":        {monitor{kind: cloudWatch}, denied, "`cloudwatch:GetMetricData`"},
		"a wrong query":     {monitor{kind: prometheus}, &metrics.UnusableError{Fault: metrics.WrongKind}, "mend the check"},
		"nobody is there":   {monitor{kind: prometheus}, errors.New("connection refused"), "`monitor-url`"},
		"pods say nothing":  {monitor{kind: pods}, &metrics.UnusableError{Fault: metrics.Empty}, "serve metrics"},
		"pods can't be had": {monitor{kind: pods}, errors.New("forbidden"), "docs/role.yaml"},
	} {
		found := ofProofs(c.monitor, []metrics.Proof{{Check: "good"}, {Check: "errors", Err: c.err}}, "it answers")
		if len(found) != 2 || found[0].State != preflight.Good || found[1].State != preflight.Wrong || !strings.Contains(found[1].Fix, c.want) {
			t.Errorf("%s: got %+v, want %q", name, found, c.want)
		}
	}
}
