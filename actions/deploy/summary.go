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
)

// summary is the page of the run: what happened in the first line, the numbers below, then what a person needs to mend it.
func summary(in inputs, ch change.Change, out outcome, failure error, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", headline(in, out, failure))
	rows := [][]string{
		{"Commit", report.Escape(change.Short(ch.Head) + " " + ch.Title)},
		{"Image", report.Escape(in.Image + "@" + out.Digest)},
		{"Release", report.Escape(out.Release)},
		{"Before", report.Escape(out.Previous)},
		{"Address", report.Escape(out.URL)},
		{"Took", took.Round(100 * time.Millisecond).String()},
	}
	b.WriteString(report.Table([]string{"", report.Escape(in.Service) + " in " + report.Escape(in.Environment)}, rows))
	if failure != nil {
		b.WriteString("\n" + report.Code("text", failure.Error()) + "\n")
		for _, d := range cluster.Diagnoses(failure) {
			b.WriteString("\n" + d.Markdown() + "\n")
		}
	}
	if about := release.TestedBy(out.Candidate, failure).Markdown(); about != "" {
		b.WriteString("\n" + about)
	}
	if table := gate.Table(out.Chain); table != "" {
		b.WriteString("\n" + table)
	}
	if out.Candidate != nil {
		b.WriteString(job.Changes(out.Candidate.Changes))
	}
	return b.String()
}

func headline(in inputs, out outcome, failure error) string {
	service, environment := report.Escape(in.Service), report.Escape(in.Environment)
	switch {
	case out.Result == removed:
		return fmt.Sprintf("🧹 %s in %s: removed, the pull request is closed", service, environment)
	case job.GaveWay(failure):
		return fmt.Sprintf("⏭️ %s in %s: a later run takes this one's place, nothing was changed", service, environment)
	case failure != nil && (out.Result == "deployed" || out.Result == "unchanged"):
		return fmt.Sprintf("⚠️ %s in %s: %s serves, but it is not proven", service, environment, report.Escape(out.Release))
	case failure != nil && out.Previous != "":
		return fmt.Sprintf("❌ %s in %s: not deployed, %s goes on serving", service, environment, report.Escape(out.Previous))
	case failure != nil:
		return fmt.Sprintf("❌ %s in %s: not deployed, nothing was changed for clients", service, environment)
	case out.Result == "unchanged":
		return fmt.Sprintf("✅ %s in %s: %s serves already, nothing written", service, environment, report.Escape(out.Release))
	case out.Result == "planned":
		return fmt.Sprintf("📝 %s in %s: dry run, nothing written", service, environment)
	}
	return fmt.Sprintf("✅ %s in %s: %s serves", service, environment, report.Escape(out.Release))
}
