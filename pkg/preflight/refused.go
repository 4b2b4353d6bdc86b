package preflight

import (
	"errors"
	"strings"

	"github.com/org/promote/pkg/change"
)

// Inputs makes a finding of each problem of an action's inputs, which begins with `input "name" ` and may end with a fix behind a semicolon;
// one that is good where there is none.
func Inputs(problems []string) []Finding {
	if len(problems) == 0 {
		return []Finding{{Area: "inputs", Subject: "all", State: Good, Told: "they read"}}
	}
	var findings []Finding
	for _, problem := range problems {
		subject, told := "all", problem
		if rest, ok := strings.CutPrefix(problem, `input "`); ok {
			subject, told, _ = strings.Cut(rest, `" `)
		}
		f := Finding{Area: "inputs", Subject: subject, State: Wrong}
		f.Told, f.Fix = parted(told)
		findings = append(findings, f)
	}
	return findings
}

// Refused makes a finding of each problem that an error is joined of: what was wrong, and behind its last semicolon what to do. Lines below
// the first are to be copied.
func Refused(area, subject string, err error) []Finding {
	if err == nil {
		return nil
	}
	// One that is wrapped has text around it, which must be kept.
	if joined, ok := err.(interface{ Unwrap() []error }); ok && err.Error() == errors.Join(joined.Unwrap()...).Error() {
		var findings []Finding
		for _, each := range joined.Unwrap() {
			findings = append(findings, Refused(area, subject, each)...)
		}
		return findings
	}
	f := Finding{Area: area, Subject: subject, State: Wrong}
	var refusal *change.Refusal
	var neutral *change.Neutral
	switch {
	case errors.As(err, &refusal):
		f.Told, f.Fix = refusal.Subject+": "+refusal.Reason, refusal.Fix
	case errors.As(err, &neutral):
		f.State, f.Told = Noted, "there is nothing to do: "+neutral.Reason
	default:
		f.Told, f.Fix = parted(err.Error())
	}
	return []Finding{f}
}

// parted parts what was wrong from what to do.
func parted(text string) (told, fix string) {
	first, rest, more := strings.Cut(text, "\n")
	told = first
	if at := strings.LastIndex(first, "; "); at >= 0 {
		told, fix = first[:at], first[at+2:]
	}
	if more {
		if fix == "" {
			fix = "see"
		}
		fix += "\n" + rest
	}
	return told, fix
}
