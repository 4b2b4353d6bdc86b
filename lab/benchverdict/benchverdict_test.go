package main

import (
	"fmt"
	"math"
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
