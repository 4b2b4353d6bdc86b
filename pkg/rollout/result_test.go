package rollout

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/promote/pkg/verdict"
)

func TestASampleSaysWhichShareWasMeasured(t *testing.T) {
	s := Sample{Step: 1, Asked: 25, Achieved: 20, Results: []verdict.Result{
		{Check: "latency", Outcome: verdict.Pass},
		{Check: "errors", Outcome: verdict.Pass, Candidate: &verdict.Counts{Total: 21}, Baseline: &verdict.Counts{Total: 79}},
	}}
	if got, want := s.String(), "step 2: asked 25 %, achieved 20 %, measured 21 % | latency: pass | errors: pass"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Results[1].Baseline = nil
	if got, want := s.String(), "step 2: asked 25 %, achieved 20 % | latency: pass | errors: pass"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSamplesSayWhereTheRolloutStood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{took: 2500 * time.Millisecond}, judge: healthy}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 50, 100}, -1, rules()), w.edge())
		if err != nil || res.State.Phase != Promoted {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		seen := map[Phase]int{}
		for i, s := range res.Samples {
			seen[s.Phase]++
			if s.Since.IsZero() || s.Since.After(s.At) {
				t.Errorf("sample %d was taken at %s, and its step's evidence began at %s", i, s.At, s.Since)
			}
			if s.Full != (s.Step == 2) {
				t.Errorf("sample %d of step %d: full is %v", i, s.Step, s.Full)
			}
		}
		if seen[Judging] < 30 || seen[Scaling] == 0 || seen[Promoting] == 0 {
			t.Errorf("the phases of the samples are %v", seen)
		}
	})
}
