//go:build lab

package e2e

import (
	"strings"
	"testing"

	"github.com/org/promote/lab/github"
)

// TestAPlanChangesNothing asks, on a pull request, what a canary would do: the steps, what each can find, and what the manifests risk.
func TestAPlanChangesNothing(t *testing.T) {
	t.Parallel()
	s, m := newScene(t, "prod"), newMonitor(t)
	inputs := func(mode string) map[string]string {
		return s.inputs(map[string]string{"mode": mode, "monitor-url": m.url, "checks": m.checks(), "steps": "25,100", "step-duration": "1m", "interval": "1s"})
	}
	quickly := inputs("run")
	quickly["steps"], quickly["step-duration"], quickly["interval"] = "100", "400ms", "200ms"
	base := s.h.run("canary", s.merged("base").event, quickly, s.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the baseline was not brought up:\n%s", base.output)
	}
	baseline := base.outputs["release"]
	m.baseline.Store(&baseline)
	before := s.begin()
	_, _, opened := s.h.pull("next", map[string]string{"README.md": "next\n"})
	res := s.h.run("canary", github.Event{Name: opened.Name, Payload: opened.Payload}, inputs("plan"), s.runner())
	if res.code != 0 || res.outputs["result"] != "planned" {
		t.Fatalf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	for _, want := range []string{
		"| 1 | 25 % | 33.3 % | 2 | 1 |", "Every check answers for what serves now", "the baseline answers 3.3 requests/s", "The smallest that it can find",
		"What the manifests risk", "has no preStop hook", "its watchdog takes 20s",
	} {
		if !strings.Contains(res.summary, want) {
			t.Errorf("the page lacks %q:\n%s", want, res.summary)
		}
	}
	s.wantTraffic(before, baseline)
	s.wantGone(before)
}
