package tests

import (
	"strings"

	"github.com/org/promote/pkg/gha"
)

const (
	// worst is how many failures are annotated: GitHub keeps no more per step.
	worst = 10
	// mostFlaky is how many flaky tests get a warning; the summary lists all.
	mostFlaky = 5
)

// Annotator shows annotations: the action.
type Annotator interface{ Annotate(n gha.Annotation) }

// Annotate shows the worst failures and the first flaky tests at their lines.
func (r Results) Annotate(to Annotator) {
	for i, failure := range r.Failures() {
		if i == worst {
			break
		}
		to.Annotate(gha.Annotation{
			Level: gha.Error, File: failure.File, Line: failure.Line,
			Title: "Test failed: " + failure.String(), Message: excerpt(failure.Output),
		})
	}
	for i, flaky := range r.Flaky() {
		if i == mostFlaky {
			break
		}
		to.Annotate(gha.Annotation{
			Level: gha.Warning, File: flaky.File, Line: flaky.Line,
			Title: "Flaky test: " + flaky.String(), Message: "It failed and then passed when it was run again.\n" + excerpt(flaky.Output),
		})
	}
}

// excerpt is the part of an output that fits in an annotation: the first lines, which name the cause.
func excerpt(output string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	if text := strings.Join(lines, "\n"); text != "" {
		return text
	}
	return "the report has no message"
}
