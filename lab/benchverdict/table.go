package main

import (
	"fmt"
	"math"
	"strings"
)

// table is what is printed: Markdown, so that it can be pasted into docs/verdict.md.
type table struct {
	runs    int
	rows    []measured
	healthy []measuredHealthy
	passes  int
}

func (t *table) add(m measured)               { t.rows = append(t.rows, m) }
func (t *table) addHealthy(m measuredHealthy) { t.healthy = append(t.healthy, m) }

// String lists all that was measured, and then the goals that were missed once more.
func (t *table) String() string {
	var b strings.Builder
	t.detection(&b)
	t.documented(&b)
	t.rollbacks(&b)
	fmt.Fprintf(&b, "\nLooks that pass a candidate without traffic: %d of %d\n\n", t.passes, looks)
	missed := t.missed()
	if len(missed) == 0 {
		b.WriteString("every goal is met\n")
	} else {
		fmt.Fprintf(&b, "%d goals are missed:\n  %s\n", len(missed), strings.Join(missed, "\n  "))
	}
	return b.String()
}

// detection has a row for each scenario.
func (t *table) detection(b *strings.Builder) {
	fmt.Fprintf(b, "Median requests of the candidate until it is taken back (in Wald's bounds) / mean bad requests until then, %d runs.\nPeers, and promote's bound, are told the healthy rate; peers are tuned to at most %s false rollbacks.\n\n",
		t.runs, percent(falseAlarms))
	head(b, "candidate", "Wald's bound", "baseline estimated", "promote, compare", "false", "promote, max", "false", "Argo", "Flagger", "Kayenta", "goals")
	for _, m := range t.rows {
		s := m.scenario
		bound := wald(s.bad, s.good)
		cells := []string{s.name, fmt.Sprintf("%.0f", bound), fmt.Sprintf("%.0f", waldEstimated(s.bad, s.good, perLook*baselineTimes/s.pace()))}
		for i, r := range m.tuned {
			cells = append(cells, r.text(bound))
			if i < ours {
				cells = append(cells, percent(r.alarms))
			}
		}
		var goals []string
		for _, g := range m.goals(t.runs) {
			word := "met"
			if !g.met {
				word = "**missed**"
			}
			goals = append(goals, g.text+" "+word)
		}
		line(b, append(cells, strings.Join(goals, "; "))...)
	}
}

// documented has the peers with the settings of their documentation.
func (t *table) documented(b *strings.Builder) {
	b.WriteString("\nThe same with the settings of the peers' documentation, and the share of healthy runs that they roll back.\n\n")
	head(b, "candidate", "Argo", "false", "Flagger", "false", "Kayenta", "false")
	for _, m := range t.rows {
		cells := []string{m.scenario.name}
		for _, r := range m.usual {
			cells = append(cells, r.text(wald(m.scenario.bad, m.scenario.good)), percent(r.alarms))
		}
		line(b, cells...)
	}
}

// rollbacks has the candidates that are well.
func (t *table) rollbacks(b *strings.Builder) {
	fmt.Fprintf(b, "\nHealthy candidates that are rolled back, of %d runs, and of %d for promote's comparison. Peers have the setting that does so least, tuned to the usual rate.\n\n",
		t.runs, moreOften*t.runs)
	head(b, "candidate and baseline", "promote, compare", "promote, max", "Argo", "Flagger", "Kayenta", "a comparison promises")
	for _, m := range t.healthy {
		cells := []string{m.well.name}
		for _, a := range m.alarms {
			cells = append(cells, percent(a))
		}
		promise := "nothing: it takes requests to fail independently"
		if m.well.promised {
			promise = "at most " + percent(falseAlarms)
		}
		line(b, append(cells, promise)...)
	}
}

func (t *table) missed() (missed []string) {
	for _, m := range t.rows {
		for _, g := range m.goals(t.runs) {
			if !g.met {
				missed = append(missed, m.scenario.name+", "+g.text)
			}
		}
	}
	for _, m := range t.healthy {
		if m.well.promised && !few(m.alarms[0], moreOften*t.runs) {
			missed = append(missed, m.well.name+", compare: false <= 1 %")
		}
	}
	if t.passes > 0 {
		missed = append(missed, "no traffic never passes")
	}
	return missed
}

func head(b *strings.Builder, cells ...string) {
	line(b, cells...)
	b.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
}

func line(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// text is median requests and mean bad ones, with the share that was found unless it is all.
func (r result) text(bound float64) string {
	requests := "never"
	if !math.IsInf(r.requests, 1) {
		requests = fmt.Sprintf("%.0f (%.2f)", r.requests, r.requests/bound)
	}
	text := fmt.Sprintf("%s / %.1f", requests, r.bad)
	if r.found < 0.995 {
		text += fmt.Sprintf(", %.0f %% found", 100*r.found)
	}
	return text
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }
