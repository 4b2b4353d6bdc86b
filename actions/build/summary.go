package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/report"
)

// summary is the page of the run: the image, or why there is none.
func summary(in inputs, c change.Change, r result, failure error) string {
	if failure != nil {
		return failed(c, failure)
	}
	how := fmt.Sprintf("built with %s in %s", report.Inline(r.builder), round(r.took))
	if r.reused {
		how = "reused: this tree had an image from the same inputs"
		if r.first != "" && r.first != c.Head {
			how += ", first built from commit " + report.Inline(change.Short(r.first))
		}
	}
	if r.newer != "" {
		how += fmt.Sprintf("\nthe marker %s stays on the image of commit %s, which is newer", report.Inline(in.marker), report.Inline(change.Short(r.newer)))
	}
	var tags []string
	for _, tag := range r.Tags {
		tags = append(tags, report.Inline(tag))
	}
	return fmt.Sprintf("## Image: %s\n\n", report.Status(word(r))) + report.Table([]string{"", ""}, [][]string{
		{"Image", report.Inline(r.reference)},
		{"Tags", strings.Join(tags, "\n")},
		{"Commit", report.Inline(c.Head)},
		{"Size", size(r.Size)},
		{"How", how},
	})
}

// failed shows a failing build step with its output, and any other error as text.
func failed(c change.Change, failure error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Image: %s\n\nCommit %s has no image from this run.\n\n", report.Status("failed"), report.Inline(change.Short(c.Head)))
	var broken *image.BuildError
	if !errors.As(failure, &broken) {
		b.WriteString(report.Escape(advise(failure).Error()) + "\n")
		return b.String()
	}
	if broken.Step != "" {
		fmt.Fprintf(&b, "Failing step: %s\n\n", report.Inline(broken.Step))
	}
	if len(broken.Lines) > 0 {
		b.WriteString(report.Code("text", strings.Join(broken.Lines, "\n")))
	}
	if broken.Cause != "" {
		b.WriteString("\n" + report.Escape(broken.Cause) + "\n")
	}
	return b.String()
}

// short is the beginning of a digest, enough to tell images apart.
func short(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

// size is a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", bytes)
}

func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}

// word is how it ended, in one.
func word(r result) string {
	if r.reused {
		return "reused"
	}
	return "built"
}
