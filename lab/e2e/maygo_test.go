//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What happens on GitHub to a change that was approved, and what the refusal then says is wrong and is to be done.
var changesOfMind = map[string]struct {
	happens func(*scene, request)
	says    []string
}{
	"a commit is pushed":    {(*scene).push, []string{"the pull request's head is ", " now; let the run of the new head go on"}},
	"a review is dismissed": {(*scene).dismiss, []string{"0 of 1 required approvals are there", "have it approved"}},
	"a change is requested": {(*scene).requestChange, []string{"changes were requested by grace", "ask for another review"}},
}

// TestDeployStopsWhenGitHubChangesItsMind lets a deployment to stage get as far as its candidate's tests, changes what allowed
// it, and lets it go on. The next thing it would do is to move the traffic.
func TestDeployStopsWhenGitHubChangesItsMind(t *testing.T) {
	t.Parallel() // it has a namespace of its own
	s := newScene(t, "stage")
	base := s.h.run("deploy", s.approved("base").event, s.inputs(nil), s.runner())
	if base.outputs["result"] != "deployed" {
		t.Fatalf("the baseline was not deployed:\n%s", base.output)
	}
	for name, c := range changesOfMind {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			req := s.approved(strings.ReplaceAll(name, " ", "-"))
			before := s.begin()
			tests := newHold(t)
			r := s.start("deploy", req.event, map[string]string{"test-command": tests.command()})
			r.await("the candidate is tested", tests.reached)
			c.happens(s, req)
			tests.release()
			res := r.end()

			s.wantRefusal(res, req, c.says...)
			if res.outputs["result"] != "failed" {
				t.Errorf("result %q, want failed", res.outputs["result"])
			}
			s.wantTraffic(before, base.outputs["release"])
			s.wantGone(before)
		})
	}
}

// TestCanaryStopsWhenGitHubChangesItsMind does the same with a canary in prod: before its first step, and between two, when a
// part of the traffic is the candidate's. A merged pull request has no head that could move.
func TestCanaryStopsWhenGitHubChangesItsMind(t *testing.T) {
	t.Parallel() // it has a namespace of its own
	s := newScene(t, "prod")
	m := newMonitor(t)
	inputs := func(more map[string]string) map[string]string {
		all := map[string]string{
			"monitor-url": m.url, "checks": m.checks(), "steps": "25,100", "step-duration": "400ms", "step-limit": "1m", "interval": "200ms",
		}
		maps.Copy(all, more)
		return all
	}
	base := s.h.run("canary", s.merged("base").event, s.inputs(inputs(nil)), s.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the baseline was not brought up:\n%s", base.output)
	}
	baseline := base.outputs["release"]
	m.baseline.Store(&baseline)

	t.Run("a review is dismissed before the first step", func(t *testing.T) {
		s := s.in(t)
		c, req := changesOfMind["a review is dismissed"], s.merged("early")
		before := s.begin()
		tests := newHold(t)
		r := s.start("canary", req.event, inputs(map[string]string{"test-command": tests.command()}))
		r.await("the candidate is tested", tests.reached)
		c.happens(s, req)
		tests.release()
		res := r.end()

		s.wantRefusal(res, req, c.says...)
		if res.outputs["result"] != "refused" || res.outputs["share"] != "0" {
			t.Errorf("result %q at %s %%, want refused at 0", res.outputs["result"], res.outputs["share"])
		}
		s.wantTraffic(before, baseline)
		s.wantGone(before)
	})
	t.Run("a change is requested between two steps", func(t *testing.T) {
		s := s.in(t)
		c, req := changesOfMind["a change is requested"], s.merged("late")
		before := s.begin()
		r := s.start("canary", req.event, inputs(nil))
		r.await("the candidate takes its part", func() bool { return s.selected() == both })
		c.happens(s, req)
		m.enough.Store(true) // the step passes, and the next one would begin
		res := r.end()

		s.wantRefusal(res, req, append(c.says, fmt.Sprintf("rolled back at 33.3 %% of the pods, %s serves", baseline))...)
		if res.outputs["result"] != "rolled-back" {
			t.Errorf("result %q, want rolled-back", res.outputs["result"])
		}
		s.wantTraffic(before, baseline, both, baseline)
		if diff := cmp.Diff([]int32{1, 0}, s.candidates(before)); diff != "" {
			t.Errorf("replicas of the candidate (-want +got):\n%s", diff)
		}
		s.wantGone(before)
	})
}
