package main

import (
	"strings"
	"testing"
	"time"
)

func TestTableSaysWhichGoalsAreMissed(t *testing.T) {
	var tab table
	tab.add(row{what: "quick", unit: "s", values: [3]float64{1, 2, 4}, goals: []goal{atMost(1, 1, 2, "kubectl"), atMost(1, 0.2, 4, "helm")}})
	tab.add(row{what: "alone", values: [3]float64{41, missing, missing}, goals: []goal{within(41, 40, "requests")}})
	got := tab.String()
	for _, want := range []string{
		"1.000 s      2.000 s      4.000 s       0.50     0.25   <= 1.00 of kubectl: met; <= 0.20 of helm: MISSED;",
		"41             -            -          -        -   <= 40 requests: MISSED;",
		"2 goals are missed:\n  quick: <= 0.20 of helm\n  alone: <= 40 requests\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table does not hold %q:\n%s", want, got)
		}
	}
}

func TestMediansAreOfThoseMeasured(t *testing.T) {
	r := results{
		timed:   map[string][]outcome{"promote": {{took: 9 * time.Second}, {took: time.Second}, {took: 2 * time.Second}}},
		counted: map[string][]outcome{"helm": {{usage: usage{7, 1}}, {usage: usage{9, 3}}, {usage: usage{8, 2}}}},
	}
	if got, want := r.times(), ([3]float64{2, missing, missing}); got != want {
		t.Errorf("got times %v, want %v", got, want)
	}
	if got, want := r.requests(), ([3]float64{missing, missing, 8}); got != want {
		t.Errorf("got requests %v, want %v", got, want)
	}
	if got, want := r.used(func(o outcome) usage { return o.usage }).bytes, ([3]float64{missing, missing, 2}); got != want {
		t.Errorf("got bytes %v, want %v", got, want)
	}
}
