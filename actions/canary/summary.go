package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/rollout"
)

// summary is the page of the run: the verdict first, then what was moved and measured, then what a person needs to mend it.
func summary(in inputs, ch change.Change, out outcome, failure error, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", headline(in, out, failure))
	if failure != nil {
		b.WriteString(report.Code("text", failure.Error()) + "\n")
	}
	rows := [][]string{
		{"Commit", report.Escape(change.Short(ch.Head) + " " + ch.Title)},
		{"Image", report.Escape(in.Image + "@" + out.Digest)},
		{"Release", report.Escape(out.Release)},
		{"Before", report.Escape(out.Previous)},
		{"Address", report.Escape(out.URL)},
		{"Took", took.Round(100 * time.Millisecond).String()},
	}
	if asked := out.asked(); asked != "" {
		rows = append(rows, []string{"Asked for", report.Escape(asked + " " + out.Rollout.State.Asked.URL)})
	}
	if r := out.Rollout; r != nil && r.From.Step > 0 {
		rows = append(rows, []string{"Taken up", fmt.Sprintf("at step %d", r.From.Step+1)})
	}
	if r := out.Rollout; r != nil && r.TimeToSafe > 0 {
		rows = append(rows, []string{"Time to safe", r.TimeToSafe.Round(time.Millisecond).String()})
	}
	b.WriteString(report.Table([]string{"", report.Escape(in.Service) + " in " + report.Escape(in.Environment)}, rows))
	if r := out.Rollout; r != nil {
		b.WriteString("\n" + stepTable(r.Plan, r) + "\n" + chart(*r))
	}
	if about := release.TestedBy(out.Candidate, failure).Markdown(); about != "" {
		b.WriteString("\n" + about)
	}
	if table := gate.Table(out.Chain); table != "" {
		b.WriteString("\n" + table)
	}
	for _, d := range cluster.Diagnoses(failure) {
		b.WriteString("\n" + d.Markdown() + "\n")
	}
	return b.String()
}

func headline(in inputs, out outcome, failure error) string {
	service, environment := report.Escape(in.Service), report.Escape(in.Environment)
	release, before := report.Escape(out.Release), report.Escape(out.Previous)
	switch {
	case job.GaveWay(failure):
		return fmt.Sprintf("⏭️ %s in %s: a later run takes this one's place, nothing was changed", service, environment)
	case out.Result == planned:
		return fmt.Sprintf("📝 %s in %s: dry run, nothing written", service, environment)
	case out.Result == rolledBack:
		return fmt.Sprintf("↩️ %s in %s: rolled back at %s %% of the pods, %s serves", service, environment, percent(round(out.Rollout.Share)), before)
	case out.Result == held, out.Result == abandoned:
		return fmt.Sprintf("⚠️ %s in %s: %s with %s and %s both up; run the action again, it makes it safe first", service, environment, out.Result, release, before)
	case failure != nil && out.Result == promoted:
		return fmt.Sprintf("⚠️ %s in %s: %s serves, but not all is cleaned up or written down", service, environment, release)
	case failure != nil && out.Result == unchanged:
		return fmt.Sprintf("⚠️ %s in %s: %s serves, but it is not proven", service, environment, release)
	case failure != nil && before != "":
		return fmt.Sprintf("❌ %s in %s: refused before any traffic moved, %s goes on serving", service, environment, before)
	case failure != nil:
		return fmt.Sprintf("❌ %s in %s: refused, nothing was changed for clients", service, environment)
	case out.Result == unchanged:
		return fmt.Sprintf("✅ %s in %s: %s serves already, nothing written", service, environment, release)
	case out.First:
		return fmt.Sprintf("✅ %s in %s: %s serves; it is the first release, so there was nothing to share traffic with", service, environment, release)
	}
	if out.asked() != "" {
		return fmt.Sprintf("✅ %s in %s: promoted because %s asked for it, %s serves", service, environment, report.Escape(out.Rollout.State.Asked.Who), release)
	}
	return fmt.Sprintf("✅ %s in %s: promoted, %s serves", service, environment, release)
}

// stepTable shows what was asked for, what pods can give, and what the checks said last. A nil result is a plan.
func stepTable(p rollout.Plan, r *rollout.Result) string {
	header := []string{"Step", "Asked", "Achieved", "Baseline pods", "Candidate pods"}
	if r != nil {
		header = append(header, "Watched", "Verdict")
	}
	var rows [][]string
	for i, s := range p.Steps {
		asked := percent(s.Asked) + " %"
		for _, m := range s.Merged {
			asked += ", " + percent(m) + " % (the same pods)"
		}
		baseline := fmt.Sprint(s.Baseline)
		if s.Warm > 0 {
			baseline += fmt.Sprintf(" (%d kept warm)", s.Warm)
		}
		row := []string{fmt.Sprint(i + 1), asked, percent(round(s.Achieved)) + " %", baseline, fmt.Sprint(s.Candidate)}
		if r != nil {
			row = append(row, verdictOf(*r, i)...)
		}
		rows = append(rows, row)
	}
	return report.Table(header, rows)
}

// verdictOf is how long a step was watched and the last look at it.
func verdictOf(r rollout.Result, step int) []string {
	var first, last *rollout.Sample
	for i := range r.Samples {
		if r.Samples[i].Step == step {
			if first == nil {
				first = &r.Samples[i]
			}
			last = &r.Samples[i]
		}
	}
	if last == nil {
		return []string{"", "not reached"}
	}
	var lines []string
	if last.Problem != "" {
		lines = append(lines, report.Escape(last.Problem))
	}
	for _, res := range last.Results {
		lines = append(lines, report.Escape(res.String()))
	}
	return []string{last.At.Sub(first.At).Round(time.Second).String(), strings.Join(lines, "\n")}
}

func round(share float64) float64 { return float64(int(share*10+0.5)) / 10 }
