package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// sayStep puts each check's verdict beside what it was.
func (s savedRun) sayStep(step int, plan rollout.Step, again []rollout.Sample, out io.Writer) {
	say(out, "\nstep %d: %s\n", step+1, plan.String())
	was, would := verdictsIn(s.Result.Samples, step), verdictsIn(again, step)
	if len(was) == 0 {
		say(out, "  not reached\n")
		return
	}
	for _, w := range was {
		say(out, "  %s\n    was       %s\n", w.check, s.describe(w))
		i := slices.IndexFunc(would, func(v stepVerdict) bool { return v.check == w.check })
		if i < 0 {
			say(out, "    would be  not judged\n")
			continue
		}
		say(out, "    would be  %s\n", s.describe(would[i]))
	}
}

// stepVerdict is what a check said in a step: last, and where it failed first.
type stepVerdict struct {
	check  string
	last   verdict.Result
	failed *verdict.Result
	at     rollout.Sample
}

func verdictsIn(samples []rollout.Sample, step int) []stepVerdict {
	var all []stepVerdict
	for _, sample := range samples {
		if sample.Step != step {
			continue
		}
		for _, r := range sample.Results {
			i := slices.IndexFunc(all, func(v stepVerdict) bool { return v.check == r.Check })
			if i < 0 {
				i, all = len(all), append(all, stepVerdict{check: r.Check})
			}
			all[i].last = r
			if r.Outcome == verdict.Fail && all[i].failed == nil {
				all[i].failed, all[i].at = &r, sample
			}
		}
	}
	return all
}

func (s savedRun) describe(v stepVerdict) string {
	if v.failed != nil {
		return fmt.Sprintf("fail, first %s after the beginning: %s", s.after(v.at), v.failed.Reason)
	}
	text := string(v.last.Outcome)
	if v.last.Reason != "" {
		text += ", " + v.last.Reason
	}
	return text
}

// after is how long after the run's beginning a sample was taken.
func (s savedRun) after(sample rollout.Sample) string {
	return fmt.Sprintf("%.1fs", sample.At.Sub(s.Result.Started).Seconds())
}

// say prints. What a file or a monitor says goes to a terminal, so texts are made plain first.
func say(out io.Writer, format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = report.Plain(text)
		}
	}
	fmt.Fprintf(out, format, args...)
}
