package preflight

import (
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/report"
)

// Report is all that was seen, in the order of the looks.
type Report struct{ Findings []Finding }

// in gives the findings of a state.
func (r Report) in(state State) []Finding {
	var some []Finding
	for _, f := range r.Findings {
		if f.State == state {
			some = append(some, f)
		}
	}
	return some
}

// Err is nil unless something is wrong. It lists every wrong one with its fix.
func (r Report) Err() error {
	wrong := r.in(Wrong)
	if len(wrong) == 0 {
		return nil
	}
	text := "preflight: " + toChange(len(wrong)) + " before a run:"
	for _, f := range wrong {
		text += "\n- " + strings.Join(f.lines(), "\n  ")
	}
	return errors.New(text)
}

// Lines is the log: one finding after the other, and last the verdict.
func (r Report) Lines() []string {
	var lines []string
	for _, f := range r.Findings {
		own := f.lines()
		own[0] = f.State.sign() + " " + f.State.String() + ": " + own[0]
		lines = append(lines, strings.Join(own, "\n  "))
	}
	lines = append(lines, "preflight: "+r.verdict())
	return strings.Split(strings.Join(lines, "\n"), "\n")
}

// verdict is what it all comes to.
func (r Report) verdict() string {
	wrong, unknown := len(r.in(Wrong)), len(r.in(Unknown))
	text := "nothing to change"
	switch {
	case len(r.Findings) == 0:
		text = "nothing was looked at"
	case wrong > 0:
		text = toChange(wrong)
	}
	if unknown > 0 {
		text += fmt.Sprintf(", %d not known", unknown)
	}
	return text
}

func toChange(n int) string {
	if n == 1 {
		return "1 thing to change"
	}
	return fmt.Sprintf("%d things to change", n)
}

// lines is a finding in plain text: one line, and below it what is to be copied.
func (f Finding) lines() []string {
	text := report.Plain(f.Area) + ": " + report.Plain(f.Subject)
	if f.Told != "" {
		text += ": " + report.Plain(f.Told)
	}
	fix, copied := f.fix()
	if fix != "" {
		text += "; " + report.Plain(fix)
	}
	lines := []string{text}
	for _, line := range copied {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		lines = append(lines, indent+report.Plain(line))
	}
	return lines
}

// fix parts what to do from the lines to copy.
func (f Finding) fix() (what string, copied []string) {
	what, rest, more := strings.Cut(strings.TrimRight(f.Fix, "\n"), "\n")
	if more {
		copied = strings.Split(rest, "\n")
	}
	return what, copied
}
