package main

import (
	"testing"
	"time"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

func TestTheBoardSaysHowFarTheCandidateCame(t *testing.T) {
	lay := func(make func(int, []float64, int, rollout.Rules) (rollout.Plan, error)) rollout.Plan {
		p, err := make(4, []float64{5, 50, 100}, -1, rollout.Rules{
			StepDuration: time.Minute, StepLimit: time.Minute, Interval: time.Second, Blind: 1, OnNoData: rollout.Rollback, OnCancel: rollout.Rollback,
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	pods, weights := lay(rollout.NewPlan), lay(rollout.NewWeightedPlan)
	seen := func(step int, candidate, baseline float64) rollout.Sample {
		return rollout.Sample{Step: step, Results: []verdict.Result{{Candidate: &verdict.Counts{Total: candidate}, Baseline: &verdict.Counts{Total: baseline}}}}
	}
	for name, c := range map[string]struct {
		result *rollout.Result
		word   string
		want   string
	}{
		"refused":               {nil, refused, "0 %"},
		"promoted":              {&rollout.Result{Plan: pods, Share: 100}, promoted, "100 %"},
		"rolled back by pods":   {&rollout.Result{Plan: pods, Share: 20, Samples: []rollout.Sample{seen(0, 10, 40), seen(0, 19, 81), {Step: 0}}}, rolledBack, "5 % asked, 20 % of the pods, 19 % of the requests"},
		"by weights":            {&rollout.Result{Plan: weights, Share: 50, Samples: []rollout.Sample{seen(0, 5, 95), seen(1, 49, 51)}}, rolledBack, "50 % asked, 50 % by weight, 49 % of the requests"},
		"with nothing measured": {&rollout.Result{Plan: pods, Share: 50}, rolledBack, "50 % asked, 50 % of the pods"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (outcome{Rollout: c.result, Result: c.word}).reached(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
