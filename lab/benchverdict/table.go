package main

import (
	"fmt"
	"math"
	"strings"
)

// table is what is printed: Markdown, so that it can be pasted into docs/verdict.md.
type table struct {
	rows    []measured
	healthy []measuredHealthy
	passes  int
}

func (t *table) add(m measured)               { t.rows = append(t.rows, m) }
func (t *table) addHealthy(m measuredHealthy) { t.healthy = append(t.healthy, m) }

// String lists all that was measured, and then the goals that were missed once more.
func (t *table) String() string {
	var b strings.Builder
	missed := t.detection(&b)
	t.documented(&b)
	missed = append(missed, t.rollbacks(&b)...)
	fmt.Fprintf(&b, "\nLooks that pass a candidate without traffic: %d of %d\n\n", t.passes, looks)
	if t.passes > 0 {
		missed = append(missed, "no traffic never passes")
	}
	if len(missed) == 0 {
		b.WriteString("every goal is met\n")
	} else {
		fmt.Fprintf(&b, "%d goals are missed:\n  %s\n", len(missed), strings.Join(missed, "\n  "))
	}
	return b.String()
}

// detection has a row for each scenario. Cells of contenders are requests, bad ones, and the share found if it is not all.
func (t *table) detection(b *strings.Builder) (missed []string) {
	fmt.Fprintf(b, "Median requests of the candidate until it is taken back / mean bad requests until then. Peers are tuned to at most %s false rollbacks.\n\n",
		percent(falseAlarms))
	b.WriteString("| candidate | Wald's bound | baseline estimated | promote | of the bound | false | Argo | Flagger | Kayenta | goals |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range t.rows {
		s, ours := m.scenario, m.tuned[0]
		bound := wald(s.bad, s.good, falseAlarms)
		load := s.load
		if load == 0 {
			load = perLook
		}
		ratio := ours.requests / bound
		fmt.Fprintf(b, "| %s | %.0f | %.0f | %s | %.2f | %s |", s.name, bound, waldEstimated(s.bad, s.good, perLook*baselineTimes/load, falseAlarms), ours, ratio, percent(ours.alarms))
		fewest := true
		for _, peer := range m.tuned[1:] {
			fmt.Fprintf(b, " %s |", peer)
			fewest = fewest && ours.bad <= peer.bad
		}
		goals := []struct {
			text string
			met  bool
		}{{"fewest bad", fewest}, {"false <= 1 %", ours.alarms <= falseAlarms}}
		if s.goal > 0 {
			goals = append(goals, struct {
				text string
				met  bool
			}{fmt.Sprintf("<= %g of the bound", s.goal), ratio <= s.goal})
		}
		for _, g := range goals {
			word := "met"
			if !g.met {
				word = "**missed**"
				missed = append(missed, s.name+": "+g.text)
			}
			fmt.Fprintf(b, " %s: %s;", g.text, word)
		}
		b.WriteString(" |\n")
	}
	return missed
}

// documented has the peers with the settings of their documentation.
func (t *table) documented(b *strings.Builder) {
	b.WriteString("\nThe same with the settings of the peers' documentation, and the share of healthy runs that they roll back.\n\n")
	b.WriteString("| candidate | Argo | false | Flagger | false | Kayenta | false |\n|---|---|---|---|---|---|---|\n")
	for _, m := range t.rows {
		fmt.Fprintf(b, "| %s |", m.scenario.name)
		for _, r := range m.usual {
			fmt.Fprintf(b, " %s | %s |", r, percent(r.alarms))
		}
		b.WriteString("\n")
	}
}

// rollbacks has the candidates that are well.
func (t *table) rollbacks(b *strings.Builder) (missed []string) {
	b.WriteString("\nHealthy candidates that are rolled back. Peers have the setting that does so least, tuned to the usual rate.\n\n")
	b.WriteString("| candidate and baseline | promote | Argo | Flagger | Kayenta | promote promises |\n|---|---|---|---|---|---|\n")
	for _, m := range t.healthy {
		fmt.Fprintf(b, "| %s |", m.well.name)
		for _, a := range m.alarms {
			fmt.Fprintf(b, " %s |", percent(a))
		}
		fmt.Fprintf(b, " %s |\n", m.well.note)
		if m.alarms[0] > falseAlarms && strings.HasPrefix(m.well.note, "at most") {
			missed = append(missed, m.well.name+": false <= 1 %")
		}
	}
	return missed
}

// String is median requests and mean bad ones, with the share that was found unless it is all.
func (r result) String() string {
	requests := "never"
	if !math.IsInf(r.requests, 1) {
		requests = fmt.Sprintf("%.0f", r.requests)
	}
	text := fmt.Sprintf("%s / %.1f", requests, r.bad)
	if r.found < 0.995 {
		text += fmt.Sprintf(" (%s found)", percent(r.found))
	}
	return text
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }
