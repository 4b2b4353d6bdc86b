package verdict

import (
	"math"
	"strings"
	"testing"
)

func bounded(max float64) Ratio { return Ratio{Max: &max, MinRequests: 50, Alpha: 0.01} }

var compared = Ratio{Compare: true, MinRequests: 50, Alpha: 0.01}

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
		{"alone and without a record it can't be compared", compared, Counts{}, Counts{0, 60}, nil, NotEnough, "nothing that this could be compared with"},
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

func TestBadRequestsThatComeBeforeTheirTotalAreNotLost(t *testing.T) {
	e := compared.Begin(Counts{})
	compared.Judge(e, Counts{1, 1}, &Counts{0, 100})
	// A monitor that rounds each by itself may show two bad requests more and one request more.
	compared.Judge(e, Counts{3, 2}, &Counts{0, 200})
	if r := compared.Judge(e, Counts{3, 10}, &Counts{0, 300}); r.Outcome != Fail {
		t.Errorf("got %s, want a failure", r)
	}
}

func TestABlockWaitsForBothReleases(t *testing.T) {
	e := compared.Begin(Counts{})
	for i := range 10 {
		compared.Judge(e, Counts{float64(i), float64(i)}, &Counts{})
	}
	if e.worse() != 1-recordPart {
		t.Errorf("without an answer of the baseline the evidence moved to %v", e.worse())
	}
	if r := compared.Judge(e, Counts{9, 9}, &Counts{0, 40}); r.Outcome != Fail {
		t.Errorf("with one: got %s, want a failure by all of the candidate's bad requests", r)
	}
}

func TestAFailureStays(t *testing.T) {
	e := compared.Begin(Counts{})
	compared.Judge(e, Counts{10, 20}, &Counts{0, 80})
	if r := compared.Judge(e, Counts{10, 5000}, &Counts{50, 20000}); r.Outcome != Fail {
		t.Errorf("got %s after a failure", r)
	}
}
