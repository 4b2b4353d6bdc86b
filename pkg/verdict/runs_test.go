package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func draw(random *rand.Rand, n int, rate float64) (bad float64) {
	for range n {
		if random.Float64() < rate {
			bad++
		}
	}
	return bad
}

// alarmsAllowed is three standard deviations above alpha.
func alarmsAllowed(runs int, alpha float64) int {
	n := float64(runs)
	return int(n*alpha + 3*math.Sqrt(n*alpha*(1-alpha)))
}

// rollout is a whole run: steps of so many looks, with so many requests between two of them.
type rollout struct {
	rule                Ratio
	bad, base           float64
	candidate, baseline int
	steps, looks        int
	// alone says that no baseline serves in the last step; its record from before the run has 2000 requests.
	alone bool
}

// play gives the number of the candidate's requests at which it failed, 0 if it did not.
func (r rollout) play(random *rand.Rand) int {
	var record Counts
	if r.alone {
		record = Counts{draw(random, 2000, r.base), 2000}
	}
	e := r.rule.Begin(record)
	requests := 0
	for step := range r.steps {
		if step > 0 {
			e.Next()
		}
		var c, b Counts
		for range r.looks {
			requests += r.candidate
			c = c.plus(Counts{draw(random, r.candidate, r.bad), float64(r.candidate)})
			b = b.plus(Counts{draw(random, r.baseline, r.base), float64(r.baseline)})
			baseline := &Counts{b.Bad, b.Total}
			if r.alone && step == r.steps-1 {
				baseline = nil
			}
			if r.rule.Judge(e, c, baseline).Outcome == Fail {
				return requests
			}
		}
	}
	return 0
}

// TestFalseAlarmsStayBelowAlpha looks 200 times at 300 healthy runs of four steps: a fixed-size test at this level would alarm
// in most.
func TestFalseAlarmsStayBelowAlpha(t *testing.T) {
	const runs, alpha = 300, 0.05
	bound := Ratio{Max: new(0.02), MinRequests: 1, Alpha: alpha}
	compare := Ratio{Compare: true, MinRequests: 1, Alpha: alpha}
	both := Ratio{Max: new(0.02), Compare: true, MinRequests: 1, Alpha: alpha}
	for _, c := range []struct {
		name string
		rollout
	}{
		{"a bound, at the bound", rollout{rule: bound, bad: 0.02, base: 0.02, candidate: 5, baseline: 20}},
		{"a comparison, rare errors", rollout{rule: compare, bad: 0.005, base: 0.005, candidate: 5, baseline: 20}},
		{"a comparison, many errors", rollout{rule: compare, bad: 0.2, base: 0.2, candidate: 5, baseline: 20}},
		{"a comparison, hardly any traffic for the candidate", rollout{rule: compare, bad: 0.1, base: 0.1, candidate: 1, baseline: 30}},
		{"a comparison, most traffic for the candidate", rollout{rule: compare, bad: 0.05, base: 0.05, candidate: 20, baseline: 5}},
		{"a comparison, alone in the last step", rollout{rule: compare, bad: 0.05, base: 0.05, candidate: 10, baseline: 10, alone: true}},
		{"both tests", rollout{rule: both, bad: 0.02, base: 0.02, candidate: 10, baseline: 20}},
		{"a better candidate", rollout{rule: compare, bad: 0.03, base: 0.05, candidate: 5, baseline: 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.steps, c.looks = 4, 50
			random, alarms := rand.New(rand.NewPCG(1, 2)), 0
			for range runs {
				if c.play(random) > 0 {
					alarms++
				}
			}
			t.Logf("%d of %d healthy runs failed", alarms, runs)
			if alarms > alarmsAllowed(runs, alpha) {
				t.Errorf("%d of %d healthy runs failed; alpha allows %d", alarms, runs, alarmsAllowed(runs, alpha))
			}
		})
	}
}

// TestMoreLooksNeverRaiseFalseAlarms looks at runs of 600 requests once, and up to after every request.
func TestMoreLooksNeverRaiseFalseAlarms(t *testing.T) {
	const runs, alpha, requests = 300, 0.05, 600
	for _, perLook := range []int{600, 60, 5, 1} {
		random, alarms := rand.New(rand.NewPCG(3, 4)), 0
		r := rollout{
			rule: Ratio{Compare: true, MinRequests: 1, Alpha: alpha}, bad: 0.03, base: 0.03,
			candidate: perLook, baseline: 4 * perLook, steps: 1, looks: requests / perLook,
		}
		for range runs {
			if r.play(random) > 0 {
				alarms++
			}
		}
		if alarms > alarmsAllowed(runs, alpha) {
			t.Errorf("with a look every %d requests %d of %d healthy runs failed; alpha allows %d", perLook, alarms, runs, alarmsAllowed(runs, alpha))
		}
	}
}

// TestAnIncidentOfBothIsNoAlarm lets the rate of both rise to 50 % from one look to the next and fall again.
func TestAnIncidentOfBothIsNoAlarm(t *testing.T) {
	const runs, alpha = 500, 0.05
	random, alarms := rand.New(rand.NewPCG(9, 10)), 0
	rule := Ratio{Compare: true, MinRequests: 1, Alpha: alpha}
	for range runs {
		e := rule.Begin(Counts{1, 5000})
		var c, b Counts
		for look := range 60 {
			rate := 0.001
			if look/10%2 == 1 {
				rate = 0.5
			}
			c = c.plus(Counts{draw(random, 5, rate), 5})
			b = b.plus(Counts{draw(random, 20, rate), 20})
			if rule.Judge(e, c, &Counts{b.Bad, b.Total}).Outcome == Fail {
				alarms++
				break
			}
		}
	}
	if alarms > alarmsAllowed(runs, alpha) {
		t.Errorf("%d of %d healthy runs failed", alarms, runs)
	}
}

// TestDetectionIsQuick holds the median number of requests against what this test is for. `make bench-verdict` has the whole
// picture; the bounds of Wald are 327, 350 and 32 requests here.
func TestDetectionIsQuick(t *testing.T) {
	for _, c := range []struct {
		name      string
		rule      Ratio
		bad, base float64
		most      int
	}{
		{"half bad against a bound of 1 %", bounded(0.01), 0.5, 0.01, 6},
		{"1 % against a bound of 0.1 %", bounded(0.001), 0.01, 0.001, 480},
		{"3 % against a bound of 1 %", bounded(0.01), 0.03, 0.01, 500},
		{"10 % against a bound of 1 %", bounded(0.01), 0.1, 0.01, 44},
		{"half bad against a baseline of 0.1 %", compared, 0.5, 0.001, 12},
		{"1 % against a baseline of 0.1 %", compared, 0.01, 0.001, 720},
		{"3 % against a baseline of 1 %", compared, 0.03, 0.01, 620},
		{"10 % against a baseline of 1 %", compared, 0.1, 0.01, 70},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(3, 4))
			at := make([]int, 151)
			for i := range at {
				at[i] = rollout{rule: c.rule, bad: c.bad, base: c.base, candidate: 2, baseline: 8, steps: 4, looks: 300}.play(random)
				if at[i] == 0 {
					at[i] = math.MaxInt
				}
			}
			slices.Sort(at)
			median := at[len(at)/2]
			t.Logf("median %d requests", median)
			if median > c.most {
				t.Errorf("the median is %d requests, want at most %d", median, c.most)
			}
		})
	}
}
