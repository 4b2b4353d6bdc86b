//go:build lab

package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// heldRollout brings a candidate up, lets a step be judged, and cancels the run, which holds it.
func (g *guarded) heldRollout(more map[string]string) request {
	g.t.Helper()
	req := g.merged("next")
	inputs := map[string]string{"on-cancel": "hold"}
	for k, v := range more {
		inputs[k] = v
	}
	r := g.start("canary", req.event, g.more(inputs))
	r.await("the candidate takes its part", func() bool { return g.selected() == both })
	before := g.monitor.asked.Load()
	r.await("its step is judged", func() bool { return g.monitor.asked.Load() > before+6 })
	g.h.must(r.cmd.Process.Signal(os.Interrupt))
	if res := r.end(); res.outputs["result"] != "held" {
		g.t.Fatalf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	g.await("its watchdog is gone", func() bool { return len(g.dogs()) == 0 })
	return req
}

// byHand is what a person starts on the base branch.
func (g *guarded) byHand() github.Event {
	return github.Event{Name: "workflow_dispatch", Payload: []byte(`{"ref":"refs/heads/main","sender":{"login":"ada"}}`)}
}

func (g *guarded) mode(mode string, more map[string]string) result {
	g.t.Helper()
	inputs := g.more(more)
	inputs["mode"] = mode
	return g.h.run("canary", g.byHand(), g.inputs(inputs), g.runner())
}

// recordOf is what the state has of the rollout.
func (g *guarded) recordOf() (phase string, rollout map[string]any) {
	g.t.Helper()
	object, err := g.p.admin.CoreV1().ConfigMaps(g.p.namespace).Get(g.t.Context(), "promote-quick", metav1.GetOptions{})
	g.h.must(err)
	var state cluster.State
	g.h.must(json.Unmarshal([]byte(object.Data["state.json"]), &state))
	if len(state.Rollout) > 0 {
		g.h.must(json.Unmarshal(state.Rollout, &rollout))
	}
	return state.Phase, rollout
}

// TestAHeldCanaryIsResumed holds a canary and goes on with it, from another commit's checkout: the same candidate, at the same step, is
// promoted, with the evidence it had, and no request fails.
func TestAHeldCanaryIsResumed(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	if res := g.mode("resume", nil); res.code != 1 || res.outputs["result"] != "refused" || !strings.Contains(errorsIn(res.output), "is held: release "+g.baseline+" serves alone") {
		t.Errorf("with nothing held it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	before := g.begin()
	req := g.heldRollout(nil)
	phase, rollout := g.recordOf()
	if kept, _ := rollout["kept"].(map[string]any); phase != "held" || kept["errors"] == nil || rollout["plan"] == nil {
		t.Fatalf("in phase %q the state has %v", phase, rollout)
	}
	g.h.commit("main", map[string]string{"README.md": "one more, that is not rolled out\n"})
	g.monitor.enough.Store(true)
	res := g.mode("resume", map[string]string{"steps": "1,2,3"})
	if res.code != 0 || res.outputs["result"] != "promoted" || !strings.HasPrefix(res.outputs["release"], req.head[:7]) || res.outputs["previous"] != g.baseline {
		t.Fatalf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	for _, says := range []string{"takes it up", "goes on by the plan that it began with"} {
		if !strings.Contains(res.output, says) {
			t.Errorf("the log does not say %q:\n%s", says, res.output)
		}
	}
	if strings.Contains(res.output, "begins afresh") {
		t.Errorf("the evidence was not carried:\n%s", res.output)
	}
	g.wantTraffic(before, g.baseline, both, res.outputs["release"])
	g.wantServed()
}

// wantServed wants no request to have failed.
func (g *guarded) wantServed() {
	g.t.Helper()
	records, err := g.load.Stop()
	g.h.must(err)
	for _, r := range records {
		if r.Failed() {
			g.t.Errorf("a request failed: %+v", r)
		}
	}
}

// TestABadHeldCanaryIsRolledBackSooner lets nine bad requests of ten be seen before a canary is held, which is not enough against a
// bound of one half, and again after it is resumed: together they are.
func TestABadHeldCanaryIsRolledBackSooner(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.monitor.bad.Store(9)
	before := g.begin()
	g.heldRollout(nil)
	if res := g.mode("resume", nil); res.code != 1 || res.outputs["result"] != "rolled-back" || !strings.Contains(errorsIn(res.output), "of 10 ") {
		t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	g.wantTraffic(before, g.baseline, both, g.baseline)
	g.wantGone(before)
	g.wantServed()
	// Afresh the same numbers are not enough: the step's limit is what ends it.
	again := g.merged("again")
	r := g.start("canary", again.event, g.more(map[string]string{"step-limit": "3s"}))
	if res := r.end(); res.outputs["result"] != "rolled-back" || !strings.Contains(errorsIn(res.output), "could not be proven") {
		t.Errorf("from nothing it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
}

// TestAPersonPromotesARunningCanary asks for the promotion while a step has too few requests: the run that is at work goes to all of
// the traffic, says who wanted it, and the run that asked waits for that.
func TestAPersonPromotesARunningCanary(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	before := g.begin()
	req := g.merged("next")
	r := g.start("canary", req.event, g.more(nil))
	r.await("the candidate takes its part", func() bool { return g.selected() == both })
	if res := g.mode("promote", nil); res.code != 1 || !strings.Contains(errorsIn(res.output), "reason") {
		t.Errorf("without a reason it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	if res := g.mode("resume", nil); res.code != 1 || !strings.Contains(errorsIn(res.output), "has the lock") {
		t.Errorf("beside a run that is at work a resumption ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	res := g.mode("promote", map[string]string{"reason": "nobody is awake to click"})
	if res.code != 0 || res.outputs["result"] != "promoted" || !strings.HasPrefix(res.outputs["release"], req.head[:7]) {
		t.Errorf("the run that asked ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	told := r.end()
	if told.code != 0 || told.outputs["result"] != "promoted" || !strings.Contains(told.summary, "asked for") || !strings.Contains(told.summary, "nobody is awake to click") {
		t.Errorf("the run that was asked ended with %d, %v\n%s\n%s", told.code, told.outputs, told.output, told.summary)
	}
	statuses, err := g.h.repo.Statuses(req.head)
	g.h.must(err)
	if s := statuses[0]; s.State != "success" || !strings.Contains(s.Description, "asked for the promotion") {
		t.Errorf("the last status of the commit is %+v", s)
	}
	g.wantTraffic(before, g.baseline, both, told.outputs["release"])
	g.wantServed()
}

// TestAFailingCanaryIsNotPromoted asks for the promotion of a candidate whose check fails: it is rolled back as ever.
func TestAFailingCanaryIsNotPromoted(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	before := g.begin()
	g.heldRollout(nil)
	g.monitor.bad.Store(400)
	g.monitor.enough.Store(true)
	if res := g.mode("promote", map[string]string{"reason": "it looks fine to me"}); res.code != 1 || res.outputs["result"] != "rolled-back" {
		t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	g.wantTraffic(before, g.baseline, both, g.baseline)
	g.wantGone(before)
	g.wantServed()
}

// TestAKillAfterTheAskLeavesNothing kills the run that was asked to promote, as it goes to all of the traffic: its watchdog gives the
// traffic back, and the run that asked says that it died.
func TestAKillAfterTheAskLeavesNothing(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	before := g.begin()
	req := g.merged("next")
	r := g.start("canary", req.event, g.more(map[string]string{"step-duration": "20s", "step-limit": "1m"}))
	r.await("the candidate takes its part", func() bool { return g.selected() == both })
	asking := g.start("canary", g.byHand(), g.more(map[string]string{"mode": "promote", "reason": "for the test"}))
	r.await("it goes to all of the traffic", func() bool { s := g.selected(); return s != both && s != g.baseline })
	killed := time.Now()
	g.h.must(r.cmd.Process.Kill())
	<-r.ended
	if res := asking.end(); res.code != 1 || res.outputs["result"] != "refused" || !strings.Contains(errorsIn(res.output), "it has died") {
		t.Errorf("the run that asked ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	g.await("the baseline has all of the traffic", func() bool { return g.selected() == g.baseline })
	g.wantGone(before)
	g.wantSafe(req, killed, cluster.LockTime+reaction)
}
