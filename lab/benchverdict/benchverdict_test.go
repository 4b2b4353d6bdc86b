package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestBoundsAreThoseOfTheGoal(t *testing.T) {
	for _, c := range []struct{ bad, good, want, estimated float64 }{
		{0.01, 0.001, 327, 533},
		{0.03, 0.01, 350, 481},
		{0.1, 0.01, 32, 51},
	} {
		if got := math.Round(wald(c.bad, c.good)); got != c.want {
			t.Errorf("Wald's bound of %v against %v is %v, want %v", c.bad, c.good, got, c.want)
		}
		if got := math.Round(waldEstimated(c.bad, c.good, 4)); got != c.estimated {
			t.Errorf("with an estimated baseline it is %v, want %v", got, c.estimated)
		}
	}
}

func TestTheSameSeedGivesTheSameRun(t *testing.T) {
	a, b := simulate(7, twice, usual, perLook), simulate(7, twice, usual, perLook)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("two runs of one seed differ")
	}
}

// flat is a run with so many bad of ten requests in each second.
func flat(bad func(second int) uint16) trace {
	run := make(trace, looks)
	for i := range run {
		run[i].candidate = count{10, bad(i), float32(bad(i))}
		run[i].baseline = count{40, 0, 0}
	}
	return run
}

func TestThresholdsActWhenTheirDocumentationSaysSo(t *testing.T) {
	all := flat(func(int) uint16 { return 10 })
	for _, c := range []struct {
		name string
		rule rule
		run  trace
		want int
	}{
		{"Argo aborts with the fourth failed measurement", argoUsual, all, 4*300 - 1},
		{"Flagger rolls back at the check after the fifth that failed", flaggerUsual, all, 6*60 - 1},
		{"failures need not be in a row", threshold{every: 1, window: 1, allowed: 1, most: 0.5}.decide, flat(func(i int) uint16 { return uint16(i % 3 / 2 * 10) }), 5},
		{"a healthy run goes through", argoUsual, flat(func(int) uint16 { return 0 }), never},
		{"Kayenta finds a shift of every point", kayentaUsual, all, 600 - 1},
		{"and none where most points are the same", kayentaUsual, flat(func(i int) uint16 { return uint16(i / 60 % 20 / 19) }), never},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.rule(c.run); got != c.want {
				t.Errorf("it was rolled back after second %d, want %d", got, c.want)
			}
		})
	}
}

func TestTunedRulesKeepTheRateOfFalseRollbacks(t *testing.T) {
	run := make([]trace, 200)
	for i := range run {
		run[i] = simulate(uint64(i), failing(0.02), failing(0.02), perLook)
	}
	for _, c := range contenders[ours:] {
		for n, r := range c.settings(run) {
			alarms := 0
			for _, one := range run {
				if r(one) < never {
					alarms++
				}
			}
			if alarms > 2 {
				t.Errorf("setting %d of %s rolls back %d of 200 healthy runs", n, c.name, alarms)
			}
		}
	}
}

func TestTableSaysWhichGoalsAreMissed(t *testing.T) {
	tab := table{runs: 1000, passes: 3}
	tab.add(measured{
		scenario: scenario{name: "one", bad: 0.1, good: 0.01, bounded: true},
		tuned:    []result{{50, 5, 1, 0.03}, {30, 4, 1, 0}, {40, 4.5, 0.7, 0}, {math.Inf(1), 9, 0, 0}, {60, 6, 1, 0}},
		usual:    []result{{}, {}, {}},
	})
	got := tab.String()
	for _, want := range []string{
		"| one | 32 | 51 | 50 (1.57) / 5.0 | 3 % | 30 (0.94) / 4.0 | 0 % | 40 (1.25) / 4.5, 70 % found | never / 9.0, 0 % found |",
		"4 goals are missed:\n  one, compare: <= 1.5 of the bound\n  one, compare: fewest bad\n  one, compare: false <= 1 %\n  no traffic never passes\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table does not hold %q:\n%s", want, got)
		}
	}
}

// power is the share of bad candidates that the best test of one single look finds after n of their requests, when it is told
// both rates (Neyman and Pearson; Poisson counts, four times the traffic for the baseline).
func power(n, bad, good float64) (found float64) {
	common := (bad + 4*good) / 5
	type outcome struct{ ratio, bad, healthy float64 }
	var all []outcome
	for mine := range int(4*n*bad) + 40 {
		for theirs := range int(16*n*good) + 40 {
			b := poissonChance(n*bad, mine) * poissonChance(4*n*good, theirs)
			h := poissonChance(n*common, mine) * poissonChance(4*n*common, theirs)
			all = append(all, outcome{b / h, b, h})
		}
	}
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(b.ratio, a.ratio) })
	left := falseAlarms
	for _, o := range all {
		if o.healthy > left {
			return found + o.bad*left/o.healthy
		}
		found, left = found+o.bad, left-o.healthy
	}
	return found
}

func poissonChance(mean float64, k int) float64 {
	factorial, _ := math.Lgamma(float64(k) + 1)
	return math.Exp(float64(k)*math.Log(mean) - mean - factorial)
}

// TestWhatASingleLookCouldDo holds the numbers of docs/verdict.md: where one look finds half of all bad candidates.
func TestWhatASingleLookCouldDo(t *testing.T) {
	for _, c := range []struct{ bad, good, requests float64 }{{0.01, 0.001, 324}, {0.03, 0.01, 289}, {0.1, 0.01, 33}} {
		if before, at := power(c.requests-1, c.bad, c.good), power(c.requests, c.bad, c.good); before >= 0.5 || at < 0.5 {
			t.Errorf("from %v to %v: it finds %v before %v requests, and %v then", c.good, c.bad, before, c.requests, at)
		}
	}
}
