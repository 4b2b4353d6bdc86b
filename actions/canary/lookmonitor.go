package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/preflight"
)

// lookAtMonitor asks every query: of what serves each must be proven, and where nothing serves yet it must be understood.
func (d *ahead) lookAtMonitor(ctx context.Context) []preflight.Finding {
	cl, err := d.looks.Cluster()
	if err != nil && d.in.monitor.kind == pods {
		return []preflight.Finding{{Subject: d.in.monitor.kind, State: preflight.Unknown, Told: "the pods are asked through the cluster, which can't be reached"}}
	}
	baseline := ""
	if state, err := d.looks.State(); err == nil && state.Serving != nil {
		baseline = state.Serving.ID
	}
	judge, err := newJudge(ctx, d.in, cl, noCandidate, baseline, false)
	if err != nil {
		return []preflight.Finding{{Subject: d.in.monitor.kind, State: preflight.Wrong, Told: err.Error()}}
	}
	if baseline == "" {
		return ofProofs(d.in.monitor, judge.Answers(ctx, time.Now()), "the monitor understands it; nothing serves yet, so it has not been proven")
	}
	proofs := judge.Proofs(ctx, time.Now())
	d.judge, d.proofs = judge, proofs
	return ofProofs(d.in.monitor, proofs, "it answers for "+baseline)
}

func ofProofs(m monitor, proofs []metrics.Proof, told string) []preflight.Finding {
	var found []preflight.Finding
	for _, p := range proofs {
		f := preflight.Finding{Subject: fmt.Sprintf("check %q", p.Check), State: preflight.Good, Told: told}
		if p.Err != nil {
			f.State, f.Told, f.Fix = preflight.Wrong, p.Err.Error(), m.fix(p.Err)
		}
		found = append(found, f)
	}
	return found
}

// needs are the rights that asking takes, in the monitor's own words.
var needs = map[string]string{
	prometheus: "give the account of `monitor-token` leave to query (`/api/v1/query`)",
	datadog:    "give the application key (`monitor-app-key`) the scope `timeseries_query`, and see that both keys belong to `monitor-site`",
	newRelic:   "pass a user key of an account that may query account `monitor-account` as `monitor-token`, of the region in `monitor-site`",
	cloudWatch: "allow the job's role `cloudwatch:GetMetricData` and `cloudwatch:ListMetrics`",
	pods:       "add the rules on pods in docs/role.yaml to the Role that the account is bound to",
}

// fix says what to change when a check is not proven.
func (m monitor) fix(err error) string {
	var unusable *metrics.UnusableError
	switch {
	case errors.As(err, &unusable) && unusable.Fault == metrics.Denied && m.kind == prometheus && m.sign:
		return "allow the job's role `aps:QueryMetrics` on the workspace"
	case errors.As(err, &unusable) && unusable.Fault == metrics.Denied:
		return needs[m.kind]
	case errors.As(err, &unusable) && unusable.Fault == metrics.Empty && m.kind == pods:
		return "let the pods serve metrics (docs/monitors.md), or mend the check in the inputs `checks` or `checks-file`"
	case errors.As(err, &unusable):
		return "mend the check in the inputs `checks` or `checks-file` (docs/monitors.md)"
	case m.kind == cloudWatch:
		return "see whether the job has AWS credentials that may ask CloudWatch: `cloudwatch:GetMetricData` and `cloudwatch:ListMetrics`"
	case m.kind == pods:
		return needs[pods]
	}
	return "see whether this runner reaches the monitor (input `monitor-url`), and mend the check if the monitor does not know what it reads"
}
