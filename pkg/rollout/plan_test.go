package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func rules() Rules {
	return Rules{
		StepDuration: 10 * time.Second, StepLimit: 60 * time.Second, HoldLimit: 30 * time.Second, Interval: time.Second,
		Blind: 4, OnNoData: Rollback, OnCancel: Rollback,
	}
}

func mustPlan(t testing.TB, n int, percents []float64, surge int, r Rules) Plan {
	t.Helper()
	p, err := NewPlan(n, percents, surge, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanMergesWhatPodsCannotTellApart(t *testing.T) {
	p := mustPlan(t, 2, []float64{5, 25, 33, 50, 100}, -1, rules())
	want := []Step{
		{Asked: 5, Merged: []float64{25, 33}, Baseline: 2, Candidate: 1, Achieved: 100.0 / 3},
		{Asked: 50, Baseline: 2, Candidate: 2, Achieved: 50},
		{Asked: 100, Candidate: 2, Warm: 2, Achieved: 100},
	}
	if diff := cmp.Diff(want, p.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if text := p.Steps[0].String(); !strings.Contains(text, "5 % asked, 33.33 % achieved") || !strings.Contains(text, "25 %, 33 % gives the same pods") {
		t.Errorf("the step does not say what was merged: %s", text)
	}
}

func TestPlanKeepsTheBaselineWarmWithinTheSurge(t *testing.T) {
	for surge, warm := range map[int]int{-1: 4, 4: 4, 1: 1, 0: 0} {
		p := mustPlan(t, 4, []float64{50, 100}, surge, rules())
		if last := p.Steps[len(p.Steps)-1]; last.Warm > warm || surge == -1 && last.Warm != warm {
			t.Errorf("surge %d: %d warm pods, want at most %d", surge, last.Warm, warm)
		}
	}
}

func TestPlanRefusesAllProblemsAtOnce(t *testing.T) {
	r := rules()
	r.Interval, r.Blind, r.OnCancel = time.Minute, 0, "panic"
	_, err := NewPlan(0, []float64{0, 50, 25, 101}, -1, r)
	if err == nil {
		t.Fatal("a plan that can't be was accepted")
	}
	for _, part := range []string{"nothing serves", "step 0 is no share", "step 25 follows 50", "step 101", "before the first look", "without data", `unknown policy "panic"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}

func TestPlanKeepsTheBaselineWholeUpToHalfTheTraffic(t *testing.T) {
	for n := 1; n <= 60; n++ {
		p := mustPlan(t, n, []float64{1, 5, 10, 25, 33, 50, 75, 100}, -1, rules())
		before := 0.0
		for _, s := range p.Steps {
			if s.Asked <= 50 && s.Baseline != n {
				t.Errorf("n=%d: %s", n, s)
			}
			if s.Achieved < before || s.Candidate < 1 || s.Baseline+s.Candidate+s.Warm > 2*n {
				t.Errorf("n=%d: %s after %v %%", n, s, before)
			}
			before = s.Achieved
		}
	}
}

func TestWeightsGiveTheShareThatWasAskedFor(t *testing.T) {
	p, err := NewWeightedPlan(4, []float64{1, 5, 50, 100}, -1, rules())
	if err != nil {
		t.Fatal(err)
	}
	want := []Step{
		{Asked: 1, Baseline: 4, Candidate: 1, Achieved: 1},
		{Asked: 5, Baseline: 4, Candidate: 1, Achieved: 5},
		{Asked: 50, Baseline: 4, Candidate: 2, Achieved: 50},
		{Asked: 100, Candidate: 4, Warm: 4, Achieved: 100},
	}
	if diff := cmp.Diff(want, p.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
