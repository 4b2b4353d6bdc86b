package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// table is what is printed: one row for each thing that was measured, promote first.
type table struct{ rows []row }

// row is one measurement.
type row struct {
	what string
	unit string
	// values are promote's, kubectl's and helm's.
	values [3]float64
	goals  []goal
	note   string
}

// goal is a bound on promote's value.
type goal struct {
	text string
	met  bool
}

// missing is a value that was not measured.
const missing = -1

// atMost is a goal against another's value.
func atMost(value, share, of float64, whose string) goal {
	return goal{fmt.Sprintf("<= %.2f of %s", share, whose), value <= share*of}
}

// within is a goal against a fixed bound.
func within(value, bound float64, unit string) goal {
	return goal{fmt.Sprintf("<= %g %s", bound, unit), value <= bound}
}

func (t *table) add(r row) { t.rows = append(t.rows, r) }

// String lists the rows with ratios, and then the goals that were missed once more.
func (t *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-52s %12s %12s %12s %10s %8s   %s\n", "", "promote", "kubectl", "helm", "of kubectl", "of helm", "goals")
	var missed []string
	for _, r := range t.rows {
		fmt.Fprintf(&b, "%-52s", r.what)
		for _, v := range r.values {
			fmt.Fprintf(&b, " %12s", quantity(v, r.unit))
		}
		fmt.Fprintf(&b, " %10s %8s  ", ratio(r.values[0], r.values[1]), ratio(r.values[0], r.values[2]))
		for _, g := range r.goals {
			verdict := "met"
			if !g.met {
				verdict = "MISSED"
				missed = append(missed, r.what+": "+g.text)
			}
			fmt.Fprintf(&b, " %s: %s;", g.text, verdict)
		}
		b.WriteString(strings.TrimSuffix(" "+r.note, " ") + "\n")
	}
	if len(missed) == 0 {
		b.WriteString("every goal is met\n")
	} else {
		fmt.Fprintf(&b, "%d goals are missed:\n  %s\n", len(missed), strings.Join(missed, "\n  "))
	}
	return b.String()
}

func quantity(v float64, unit string) string {
	switch {
	case v < 0:
		return "-"
	case unit == "s":
		return fmt.Sprintf("%.3f s", v)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

func ratio(v, of float64) string {
	if v < 0 || of <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v/of)
}

// median is the middle one of at least one.
func median[T cmp.Ordered](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// seconds is the median of some time of the outcomes.
func seconds(all []outcome, of func(outcome) time.Duration) float64 {
	times := make([]time.Duration, 0, len(all))
	for _, o := range all {
		times = append(times, of(o))
	}
	if len(times) == 0 {
		return missing
	}
	return median(times).Seconds()
}

func took(o outcome) time.Duration { return o.took }

// number is the median of some count of the outcomes.
func number(all []outcome, of func(outcome) int64) float64 {
	counts := make([]int64, 0, len(all))
	for _, o := range all {
		counts = append(counts, of(o))
	}
	if len(counts) == 0 {
		return missing
	}
	return float64(median(counts))
}
