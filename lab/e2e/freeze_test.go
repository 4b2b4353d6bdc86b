//go:build lab

package e2e

import "testing"

// TestAFrozenEnvironmentGetsNoCanary freezes prod: a merged change is refused before anything is touched, and its commit says until
// when. A window that is over refuses nothing.
func TestAFrozenEnvironmentGetsNoCanary(t *testing.T) {
	t.Parallel()
	s, m := newScene(t, "prod"), newMonitor(t)
	inputs := func(freeze string) map[string]string {
		return s.inputs(map[string]string{"monitor-url": m.url, "checks": m.checks(), "steps": "100", "step-duration": "400ms", "interval": "200ms", "freeze": freeze})
	}
	base := s.h.run("canary", s.merged("base").event, inputs("2020-12-20..2021-01-02 # long ago"), s.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the baseline was not brought up:\n%s", base.output)
	}
	before := s.begin()
	req := s.merged("next")
	res := s.h.run("canary", req.event, inputs("18:00..17:59\nalways # the audit"), s.runner())
	if res.outputs["result"] != "refused" || res.code != 1 {
		t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	const why = "frozen until somebody ends it: the audit (always)"
	statuses, err := s.h.repo.Statuses(req.head)
	s.h.must(err)
	if st := statuses[0]; st.Context != "promote/prod" || st.State != "failure" || st.Description != why {
		t.Errorf("the last status is %+v, want %q", st, why)
	}
	s.wantTraffic(before, base.outputs["release"])
	s.wantGone(before)
}
