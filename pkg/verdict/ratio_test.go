package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// perStep is what a run of four steps at 1 % leaves each of them.
const perStep = 0.01 / 4

func bounded(max float64) Ratio { return Ratio{Max: &max, MinRequests: 50, Alpha: perStep} }

var compared = Ratio{Compare: true, MinRequests: 50, Alpha: perStep}

func TestRatioOutcomes(t *testing.T) {
	both := bounded(0.1)
	both.Compare = true
	for _, c := range []struct {
		name      string
		rule      Ratio
		record    Counts
		candidate Counts
		baseline  *Counts
		want      Outcome
		reason    string
	}{
		{"enough good requests pass", bounded(0.01), Counts{}, Counts{0, 50}, nil, Pass, "0 of 50"},
		{"too few requests are not enough", bounded(0.01), Counts{}, Counts{0, 49}, nil, NotEnough, "50 requests are needed"},
		{"no requests are not enough", bounded(0.01), Counts{}, Counts{}, nil, NotEnough, "0 of 0"},
		{"few requests that are half bad fail long before the least number", bounded(0.01), Counts{}, Counts{3, 6}, nil, Fail, "bound of 1 %"},
		{"one bad request of few may be chance", bounded(0.01), Counts{}, Counts{1, 60}, nil, NotEnough, "may still be chance"},
		{"the rate may touch its bound", bounded(0.01), Counts{}, Counts{1, 100}, nil, Pass, "1 of 100"},
		{"a bound of zero fails with the first bad request", bounded(0), Counts{}, Counts{1, 9}, nil, Fail, "bound of 0 %"},
		{"a bound of zero ignores fractions that extrapolation makes", bounded(0), Counts{}, Counts{0.3, 90}, nil, NotEnough, "above 0 %"},
		{"half bad against a clean baseline fails", compared, Counts{0, 1000}, Counts{5, 10}, &Counts{0, 100}, Fail, "worse than the baseline"},
		{"the same rate passes", compared, Counts{10, 1000}, Counts{2, 200}, &Counts{10, 1000}, Pass, "baseline 10 of 1000"},
		{"a better candidate passes", compared, Counts{100, 1000}, Counts{0, 200}, &Counts{100, 1000}, Pass, ""},
		{"a baseline nobody asked is not enough", compared, Counts{}, Counts{0, 200}, &Counts{0, 3}, NotEnough, "to compare"},
		{"alone, the candidate is held against the record", compared, Counts{1, 1000}, Counts{20, 60}, nil, Fail, "record 1 of 1000"},
		{"and passes within it", compared, Counts{1, 1000}, Counts{0, 60}, nil, Pass, ""},
		{"both tests run: the bound", both, Counts{500, 1000}, Counts{50, 100}, &Counts{50, 100}, Fail, "bound of 10 %"},
		{"both tests run: the comparison", both, Counts{0, 10000}, Counts{8, 100}, &Counts{0, 1000}, Fail, "worse than the baseline"},
		{"NaN is broken", bounded(0.5), Counts{}, Counts{math.NaN(), 100}, nil, Broken, "not finite"},
		{"an infinity is broken", bounded(0.5), Counts{}, Counts{0, math.Inf(1)}, nil, Broken, "not finite"},
		{"a negative count is broken", bounded(0.5), Counts{}, Counts{-1, 100}, nil, Broken, "negative"},
		{"more bad than total is broken", bounded(0.5), Counts{}, Counts{200, 100}, nil, Broken, "more bad requests"},
		{"a broken baseline is broken too", compared, Counts{}, Counts{0, 100}, &Counts{math.NaN(), 1}, Broken, "baseline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.rule.Check(); err != nil {
				t.Fatal(err)
			}
			got := c.rule.Judge(c.rule.Begin(c.record), c.candidate, c.baseline)
			if got.Outcome != c.want || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got %s, want %s with %q", got, c.want, c.reason)
			}
		})
	}
}

func TestRatioRefusesRulesThatCannotJudge(t *testing.T) {
	for want, rule := range map[string]Ratio{
		"neither a bound": {MinRequests: 1, Alpha: 0.1},
		"`max` is 1":      {Max: new(1.0), MinRequests: 1, Alpha: 0.1},
		"`max` is NaN":    {Max: new(math.NaN()), MinRequests: 1, Alpha: 0.1},
		"after 0":         {Compare: true, Alpha: 0.1},
		"error rate is 0": {Compare: true, MinRequests: 1},
	} {
		if err := rule.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestCountsThatPodsTookAlongAreNotSeenTwice(t *testing.T) {
	e := compared.Begin(Counts{0, 1000})
	for range 50 {
		// Two bad requests, over and over the same ones, with a dip whenever a pod goes.
		compared.Judge(e, Counts{2, 100}, &Counts{1, 200})
		compared.Judge(e, Counts{0, 40}, &Counts{0, 90})
	}
	if r := compared.Judge(e, Counts{2, 100}, &Counts{1, 200}); r.Outcome == Fail {
		t.Errorf("the same two requests failed it: %s", r)
	}
	if got := e.Record().Total; got != 1200 {
		t.Errorf("the baseline's record holds %v requests, want 1200", got)
	}
}

// run plays one step: blocks of requests, a look after each. It gives the number of the candidate's requests at which it
// failed, 0 if it did not.
func run(rnd *rand.Rand, rule Ratio, bad, base float64, candidatePerLook, baselinePerLook, looks int) int {
	draw := func(n int, rate float64) (k float64) {
		for range n {
			if rnd.Float64() < rate {
				k++
			}
		}
		return k
	}
	var record Counts
	if rule.Compare {
		record = Counts{draw(2000, base), 2000}
	}
	e := rule.Begin(record)
	var c, b Counts
	for range looks {
		c.Total += float64(candidatePerLook)
		c.Bad += draw(candidatePerLook, bad)
		b.Total += float64(baselinePerLook)
		b.Bad += draw(baselinePerLook, base)
		if rule.Judge(e, c, &b).Outcome == Fail {
			return int(c.Total)
		}
	}
	return 0
}

// TestFalseAlarmsStayBelowAlpha looks 400 times at 2000 healthy steps: a fixed-size test at this level would alarm in most.
func TestFalseAlarmsStayBelowAlpha(t *testing.T) {
	const runs, alpha = 2000, 0.05
	for _, c := range []struct {
		name string
		rule Ratio
		rate float64
	}{
		{"absolute bound, at the bound", Ratio{Max: new(0.02), MinRequests: 1, Alpha: alpha}, 0.02},
		{"comparison, rare errors", Ratio{Compare: true, MinRequests: 1, Alpha: alpha}, 0.005},
		{"comparison, many errors", Ratio{Compare: true, MinRequests: 1, Alpha: alpha}, 0.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(1, 2))
			alarms := 0
			for range runs {
				if run(rnd, c.rule, c.rate, c.rate, 5, 20, 400) > 0 {
					alarms++
				}
			}
			// Three standard deviations above alpha.
			if most := runs*alpha + 3*math.Sqrt(runs*alpha*(1-alpha)); float64(alarms) > most {
				t.Errorf("%d of %d healthy steps failed; alpha allows %.0f", alarms, runs, most)
			}
		})
	}
}

// TestDetectionIsQuick holds the median number of requests against what this test is for.
func TestDetectionIsQuick(t *testing.T) {
	for _, c := range []struct {
		name      string
		rule      Ratio
		bad, base float64
		most      int
	}{
		{"half bad against a bound of 1 %", bounded(0.01), 0.5, 0, 10},
		{"half bad against a baseline of 0.1 %", compared, 0.5, 0.001, 15},
		{"10 % against 1 %", compared, 0.1, 0.01, 100},
		{"3 % against 1 %", compared, 0.03, 0.01, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(3, 4))
			var at []int
			for range 201 {
				if n := run(rnd, c.rule, c.bad, c.base, 1, 4, 5000); n > 0 {
					at = append(at, n)
				} else {
					at = append(at, math.MaxInt)
				}
			}
			slices.Sort(at)
			t.Logf("median %d requests", at[len(at)/2])
			if median := at[len(at)/2]; median > c.most {
				t.Errorf("the median is %d requests, want at most %d", median, c.most)
			}
		})
	}
}
