package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// replayCommand is the argument with which this program judges a saved run again.
const replayCommand = "replay"

// The exit codes of a replay.
const (
	wouldPromote  = 0
	wouldRollBack = 1
	cannotSay     = 2
)

// replay says how a saved run would have ended under other checks.
func replay(args []string, out io.Writer) int {
	flags := flag.NewFlagSet(replayCommand, flag.ContinueOnError)
	flags.SetOutput(out)
	file := flags.String("run", "", "the `run.json` of a run, from the folder of its output report")
	checksFile := flags.String("checks", "", "a file with the checks to judge it by, as the input checks-file takes it; without one they are the run's own")
	if err := flags.Parse(args); err != nil {
		return cannotSay
	}
	if *file == "" || flags.NArg() > 0 {
		say(out, "canary replay: give the file of a run with -run, and of checks with -checks\n")
		return cannotSay
	}
	s, checks, err := readReplay(*file, *checksFile)
	if err != nil {
		for _, problem := range each(err) {
			say(out, "canary replay: %s\n", problem.Error())
		}
		return cannotSay
	}
	return s.replay(checks, out)
}

// readReplay reads the run, and the checks to judge it by.
func readReplay(file, checksFile string) (savedRun, []metrics.Check, error) {
	var s savedRun
	raw, err := os.ReadFile(file)
	if err != nil {
		return s, nil, fmt.Errorf("reading the run: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, nil, fmt.Errorf("reading the run %s: %w", file, err)
	}
	if s.Version != savedVersion {
		return s, nil, fmt.Errorf("reading the run %s: its form is %d, and this program reads %d; take the version of promote that wrote it", file, s.Version, savedVersion)
	}
	if checksFile == "" {
		return s, s.Basis.Checks, nil
	}
	text, err := os.ReadFile(checksFile)
	if err != nil {
		return s, nil, fmt.Errorf("reading the checks: %w", err)
	}
	checks, err := metrics.ParseChecks(text)
	return s, checks, err
}

// replay judges the run by the checks and prints what comes of it.
func (s savedRun) replay(checks []metrics.Check, out io.Writer) int {
	judge, without := s.Basis.Rejudge(checks)
	say(out, "%s in %s, run %s: release %s beside %s\n", s.Service, s.Environment, s.Run, s.Release, s.Baseline)
	say(out, "was:       %s\n", s.ending())
	for _, err := range without {
		say(out, "not judged: %s\n", err.Error())
	}
	if len(without) == len(checks) {
		say(out, "would be:  it can't be said: the run has no numbers for any of these checks\n")
		return cannotSay
	}
	s.sayDifferences(checks, out)
	would := rollout.Replay(s.Result, func(sample rollout.Sample) []verdict.Result {
		return judge.Observe(metrics.Window{Since: sample.Since, Now: sample.At, Full: sample.Full}, sample.Results)
	})
	code := s.sayEnding(would, errors.Join(without...) != nil, out)
	for i, step := range s.Result.Plan.Steps {
		s.sayStep(i, step, would.Samples, out)
	}
	return code
}

// ending is how the run ended itself.
func (s savedRun) ending() string {
	text := string(s.Result.State.Phase)
	if s.Result.State.Phase == rollout.RolledBack {
		text += fmt.Sprintf(" at %s %% of the pods", percent(round(s.Result.Share)))
	}
	if n := len(s.Result.Samples); n > 0 {
		text += fmt.Sprintf(", the last look %s after the beginning", s.after(s.Result.Samples[n-1]))
	}
	if s.Result.State.Reason != "" {
		text += ": " + s.Result.State.Reason
	}
	return text
}

// sayDifferences names what is not compared like with like.
func (s savedRun) sayDifferences(checks []metrics.Check, out io.Writer) {
	for _, was := range s.Basis.Checks {
		i := slices.IndexFunc(checks, func(c metrics.Check) bool { return c.Name == was.Name })
		switch {
		case i < 0:
			say(out, "left out:  check %s, which the run had\n", was.Name)
		case checks[i].Type == was.Type && (checks[i].Bad != was.Bad || checks[i].Total != was.Total || checks[i].Query != was.Query):
			say(out, "note:      check %s has another query than the run's; the run's numbers are judged\n", was.Name)
		}
	}
}

// sayEnding says what would have become of the run, and gives the exit code for it.
func (s savedRun) sayEnding(would rollout.Replayed, incomplete bool, out io.Writer) int {
	at := ""
	if would.At >= 0 {
		sample := s.Result.Samples[would.At]
		at = fmt.Sprintf(" in step %d, %s after the beginning", sample.Step+1, s.after(sample))
	}
	code, text := cannotSay, "it can't be said"+at+": "+would.Reason
	switch {
	case would.Ending == rollout.RolledBack:
		code, text = wouldRollBack, "rolled back"+at+": "+would.Reason
	case would.Ending == rollout.Promoted && incomplete:
		text = "it can't be said: what is judged passes, but not every check has numbers"
	case would.Ending == rollout.Promoted:
		code, text = wouldPromote, "promoted"
	}
	say(out, "would be:  %s\n", text)
	return code
}
