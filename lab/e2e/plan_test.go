//go:build lab

package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"

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
	_, head, opened := s.h.pull("next", map[string]string{"README.md": "next\n"})
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
	looked := inputs("run")
	looked["dry-run"], looked["watchdog"] = "true", "true"
	s.h.must(remote.Write(s.repository.Tag(head), s.image))
	res = s.h.run("canary", github.Event{Name: opened.Name, Payload: opened.Payload}, looked, s.runner())
	for _, want := range []string{
		"1 thing to change", "ServiceAccount/" + s.p.namespace + "/promote-watchdog", "docs/role-watchdog.yaml", "| 1 | 25 % | 33.3 % | 2 | 1 |",
		"it answers for " + baseline, "the API server takes all of release", "begins with a push to the base branch",
	} {
		if !strings.Contains(plainPage(res), want) {
			t.Errorf("the page of the dry run lacks %q:\n%s", want, res.summary)
		}
	}
	if res.code != 1 || res.outputs["result"] != "planned" || res.outputs["previous"] != baseline {
		t.Errorf("the dry run ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	s.wantTraffic(before, baseline)
	s.wantGone(before)
}
