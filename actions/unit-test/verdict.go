package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/tests"
)

// verdict is what the run comes to.
type verdict struct {
	ended   command.Ended
	results tests.Results
	// lastLine is what the command printed last.
	lastLine string
	// coverage is in tenths of a percent, -1 when unknown.
	coverage int
	// problems are reasons to fail, as sentences; none means passed.
	problems []string
	// public is what of them may stand in a status, where nobody masks what a command printed; empty if all may.
	public string
}

// judge decides. The exit code alone is not trusted to say "passed": a report of failures, or of no test at all, outweighs
// a 0.
func (v *verdict) judge(in inputs) {
	e, r := v.ended, v.results
	add := func(format string, args ...any) { v.problems = append(v.problems, fmt.Sprintf(format, args...)) }
	failures := r.Count(tests.Failed)
	switch {
	case e.TimedOut:
		if add("the command did not end within %s; %sraise the input `timeout` if it needs more", in.timeout, v.stuck()); len(r.Running) == 0 {
			v.public = fmt.Sprintf("the command did not end within %s", in.timeout)
		}
	case failures > 0:
		add("%s: %s", r.Counts(), r.FailedNames())
	case e.Code == 127:
		add("the command ended with exit code 127: bash did not find a program that it names; install it in a step before this one, or change the input `command`")
	case e.Code != 0:
		add("the command ended with exit code %d; the log above says why", e.Code)
	case r.Known && r.Ran() == 0:
		add("the command ended well, but no test ran; change the input `command` so that it runs the tests")
	case !r.Known && len(in.junit) > 0:
		add("the command ended well, but wrote no JUnit file that matches %s; change the input `junit`", strings.Join(in.junit, ", "))
	}
}

// stuck says what the command was at when its time was up: the tests that ran, if it told, else what it printed last.
func (v *verdict) stuck() string {
	switch {
	case len(v.results.Running) > 0:
		return fmt.Sprintf("still running: %s; ", v.results.RunningNames())
	case v.lastLine != "":
		return fmt.Sprintf("it printed last: %s; ", shownLine(v.lastLine))
	}
	return "it printed nothing; "
}

// shownLine bounds a line for a sentence.
func shownLine(line string) string {
	const most = 80
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}

// result is the output of that name.
func (v *verdict) result() string {
	if len(v.problems) > 0 {
		return "failed"
	}
	return "passed"
}

// counts says in words what was tested, with the coverage if there is one.
func (v *verdict) counts() string {
	if v.coverage < 0 {
		return v.results.Counts()
	}
	return v.results.Counts() + ", " + tests.Percent(v.coverage) + " % covered"
}

// err gives the problems with the command's own exit code; a failure behind an exit code of 0 ends with 1.
func (v *verdict) err() error {
	if len(v.problems) == 0 {
		return nil
	}
	var all []error
	for _, problem := range v.problems {
		all = append(all, errors.New(problem))
	}
	return &gha.ExitError{Code: v.ended.Code, Err: errors.Join(all...)}
}
