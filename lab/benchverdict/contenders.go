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
	{"promote", func([]trace) []rule { return []rule{promote} }, nil},
	{"Argo", argoSettings, argoUsual},
	{"Flagger", flaggerSettings, flaggerUsual},
	{"Kayenta", kayentaSettings, kayentaUsual},
}

// ratio is promote's rule as the action has it, with the whole alpha for the one check.
var ratio = verdict.Ratio{Compare: true, MinRequests: 50, Alpha: falseAlarms}

// promote compares by its sequential test, with the same evidence through all steps.
func promote(t trace) int {
	evidence := ratio.Begin(verdict.Counts{})
	var candidate, baseline verdict.Counts
	for second, l := range t {
		if second > 0 && second%(looks/steps) == 0 {
			evidence.Next()
			candidate, baseline = verdict.Counts{}, verdict.Counts{}
		}
		add(&candidate, l.candidate)
		add(&baseline, l.baseline)
		if b := baseline; ratio.Judge(evidence, candidate, &b).Outcome == verdict.Fail {
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
	evidence := ratio.Begin(verdict.Counts{Total: 5000})
	for second := range looks {
		if ratio.Judge(evidence, verdict.Counts{}, &verdict.Counts{Bad: 1, Total: float64(8 * second)}).Outcome == verdict.Pass {
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
