package tests

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/report"
)

// The summary is bounded in what it lists, so that a broken suite of thousands of tests still gives a page that loads.
const (
	mostFailures = 50
	mostOutput   = 8 << 10
	mostSlow     = 10
)

// Markdown shows the failed tests with their output, the flaky ones, then the slowest; "" when there is nothing of these.
func (r Results) Markdown() string {
	var b strings.Builder
	failures := r.Failures()
	for i, t := range failures {
		if i == mostFailures {
			fmt.Fprintf(&b, "and %d more failed tests\n\n", len(failures)-mostFailures)
			break
		}
		b.WriteString(report.Details("❌ "+t.String()+place(t), report.Code("text", tail(t.Output, mostOutput))))
	}
	if flaky := r.Flaky(); len(flaky) > 0 {
		b.WriteString("\n" + flakyTests(flaky))
	}
	if slow := r.slowest(mostSlow); len(slow) > 0 {
		rows := make([][]string, len(slow))
		for i, t := range slow {
			rows[i] = []string{report.Escape(t.Name), report.Escape(t.Suite), rounded(t.Took)}
		}
		b.WriteString("\n" + report.Details("Slowest tests", report.Table([]string{"Test", "Suite", "Time"}, rows)))
	}
	return b.String()
}

// flakyTests lists the tests that passed only when they were run again.
func flakyTests(tests []Test) string {
	rows := [][]string{}
	for i, t := range tests {
		if i == mostFailures {
			rows = append(rows, []string{fmt.Sprintf("and %d more", len(tests)-mostFailures), "", ""})
			break
		}
		rows = append(rows, []string{report.Escape(t.Name), report.Escape(t.Suite), report.Escape(strings.TrimPrefix(place(t), " at "))})
	}
	return report.Details(fmt.Sprintf("Flaky: %s passed only when run again", plural(len(tests))), report.Table([]string{"Test", "Suite", "Place"}, rows))
}

// place says where a test is, for instance " at a_test.go:12"; "" when that is not known.
func place(t Test) string {
	switch {
	case t.File == "":
		return ""
	case t.Line == 0:
		return " at " + t.File
	}
	return fmt.Sprintf(" at %s:%d", t.File, t.Line)
}

// tail keeps the end of an output, from the beginning of a line.
func tail(output string, most int) string {
	output = strings.TrimSpace(output)
	if len(output) <= most {
		return output
	}
	output = output[len(output)-most:]
	return "…\n" + output[strings.IndexByte(output, '\n')+1:]
}

// rounded makes a time span short enough to read.
func rounded(d time.Duration) string {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
