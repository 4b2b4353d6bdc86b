package main

import (
	"slices"

	"github.com/org/promote/pkg/verdict"
)

// falseAlarms is how many healthy runs may be rolled back.
const falseAlarms = 0.01

// never is when a run is rolled back that isn't.
const never = looks

// rule says at the end of which second it rolls a run back, or never.
type rule func(trace) int

// contender is one way to judge.
type contender struct {
	name string
	// settings are the rules it can be tuned to with at most falseAlarms of the healthy runs rolled back.
	settings func(healthy []trace) []rule
	// usual is the rule of its documentation; nil is none.
	usual rule
}

var contenders = []contender{
	{"promote", func([]trace) []rule { return []rule{compared} }, nil},
	{"promote, max", boundSettings, nil},
	{"Argo", argoSettings, argoUsual},
	{"Flagger", flaggerSettings, flaggerUsual},
	{"Kayenta", kayentaSettings, kayentaUsual},
}

// comparison is promote's rule without a bound, with the whole alpha for the one check.
var comparison = verdict.Ratio{Compare: true, MinRequests: 50, Alpha: falseAlarms}

func compared(t trace) int { return promote(t, comparison) }

// boundSettings is promote with a bound instead: the rate of the healthy runs, which the peers are tuned to as well.
func boundSettings(healthy []trace) []rule {
	var all verdict.Counts
	for _, t := range healthy {
		for _, l := range t {
			add(&all, l.candidate)
		}
	}
	max := all.Rate()
	bounded := verdict.Ratio{Max: &max, MinRequests: 50, Alpha: falseAlarms}
	return []rule{func(t trace) int { return promote(t, bounded) }}
}

// promote judges by its sequential test, with the same evidence through all steps.
func promote(t trace, by verdict.Ratio) int {
	evidence := by.Begin(verdict.Counts{})
	var candidate, baseline verdict.Counts
	for second, l := range t {
		if second > 0 && second%(looks/steps) == 0 {
			evidence.Next()
			candidate, baseline = verdict.Counts{}, verdict.Counts{}
		}
		add(&candidate, l.candidate)
		add(&baseline, l.baseline)
		if b := baseline; by.Judge(evidence, candidate, &b).Outcome == verdict.Fail {
			return second
		}
	}
	return never
}

func add(to *verdict.Counts, c count) {
	to.Bad += float64(c.bad)
	to.Total += float64(c.total)
}

// passesWithoutTraffic is how many looks pass a candidate that nobody asks.
func passesWithoutTraffic() (passes int) {
	evidence := comparison.Begin(verdict.Counts{Total: 5000})
	for second := range looks {
		if comparison.Judge(evidence, verdict.Counts{}, &verdict.Counts{Bad: 1, Total: float64(8 * second)}).Outcome == verdict.Pass {
			passes++
		}
	}
	return passes
}

// limit is the least threshold above which no more than falseAlarms of the healthy runs come: largest holds each run's largest
// value.
func limit(largest []float64) float64 {
	sorted := slices.Sorted(slices.Values(largest))
	return sorted[len(sorted)-1-int(falseAlarms*float64(len(sorted)))]
}
