package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/tests"
)

// summary is the page of the run: what it came to, the failed tests with their output, the flaky ones, then the slowest.
func summary(in inputs, c source, v verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Unit tests: %s\n\n", report.Status(v.result()))
	fmt.Fprintf(&b, "%s in %s, of commit %s (tree %s), with %s\n\n", report.Escape(v.results.Counts()), round(v.ended.Took),
		report.Inline(change.Short(c.Head)), report.Inline(change.Short(c.Tree)), report.Inline(firstLine(in.command)))
	if v.coverage >= 0 {
		fmt.Fprintf(&b, "Coverage: %s %%\n\n", tests.Percent(v.coverage))
	}
	for _, problem := range v.problems {
		if strings.HasPrefix(problem, v.results.Counts()) { // said above, and the tests follow
			continue
		}
		fmt.Fprintf(&b, "- %s\n", report.Escape(problem))
	}
	b.WriteString("\n")
	b.WriteString(v.results.Markdown())
	return b.String()
}

// reusedSummary is the page of a run that tested nothing, with the way to the run that did.
func reusedSummary(in inputs, c source, p proof) string {
	return fmt.Sprintf("## Unit tests: %s\n\n%s: tree %s of commit %s passed the same command before, as commit %s, in %s. It was %s\n",
		report.Status("reused"), report.Escape(p.mark.Counts()), report.Inline(change.Short(c.Tree)), report.Inline(change.Short(c.Head)),
		report.Inline(change.Short(p.commit)), report.Link("this run", p.run), report.Inline(firstLine(in.command)))
}

// round makes a time span short enough to read.
func round(d time.Duration) string {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
