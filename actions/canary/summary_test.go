package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/hostile"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// failedRun is a rollout of two steps that failed in its second.
func failedRun(t *testing.T) rollout.Result {
	t.Helper()
	v, err := with(t, map[string]string{"INPUT_STEPS": "20,50"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := v.plan(4)
	if err != nil {
		t.Fatal(err)
	}
	bad := verdict.Result{
		Check: "errors", Outcome: verdict.Fail, Reason: "6 of 12 (50 %) is above the bound of 1 %", Candidate: &verdict.Counts{Bad: 6, Total: 12},
		Threshold: "max 1 %", Query: `sum(increase(r{release="b-2"}[3s]))`,
	}
	r := rollout.Result{Plan: plan, Share: 50, TimeToSafe: 1234 * time.Millisecond}
	r.State = rollout.State{Phase: rollout.RolledBack, Step: 1, Reason: bad.String(), Cause: []verdict.Result{bad}}
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for i := range 100 {
		s := rollout.Sample{At: start.Add(time.Duration(i) * time.Second), Step: i / 50, Achieved: plan.Steps[i/50].Achieved}
		s.Results = []verdict.Result{{Check: "errors", Outcome: verdict.Pass, Reason: "0 of 60 (0 %)", Candidate: &verdict.Counts{Total: 60}}}
		r.Samples = append(r.Samples, s)
	}
	r.Samples[99].Results = []verdict.Result{bad}
	return r
}

func TestSummaryOfARollback(t *testing.T) {
	r := failedRun(t)
	failure := &rolledBackError{result: r, baseline: "a-1"}
	out := outcome{Result: rolledBack, Release: "b-2", Previous: "a-1", Digest: "sha256:0", Rollout: &r}
	page := summary(inputs{Inputs: job.Inputs{Service: "checkout", Environment: "prod"}}, change.Change{Head: strings.Repeat("b", 40), Title: "<img src=x>"}, out, failure, time.Minute)
	if !strings.HasPrefix(page, "### ↩️ checkout in prod: rolled back at 50 % of the pods, a\\-1 serves\n") {
		t.Errorf("the verdict does not come first:\n%s", page)
	}
	for _, want := range []string{
		"threshold: max 1 %", `query: sum(increase(r{release="b-2"}[3s]))`, "| Time to safe | 1.234s |",
		"| 1 | 20 % | 20 % | 4 | 1 | 49s |", "| 3 | 100 % | 100 % | 0 (4 kept warm) | 4 |  | not reached |", "xychart-beta",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	if strings.Contains(strings.ReplaceAll(page, `\<`, ""), "<img") {
		t.Error("the title of the pull request reaches the page as HTML")
	}
}

func TestChartHasItsEndsAndNotTooManyPoints(t *testing.T) {
	text := chart(failedRun(t))
	lines := strings.Split(text, "\n")
	if strings.Count(lines[5], ",") != chartPoints-1 || !strings.HasPrefix(lines[5], "  line [20, ") || !strings.HasSuffix(lines[5], " 50]") || !strings.HasSuffix(lines[6], ", 50]") {
		t.Errorf("got\n%s", text)
	}
	if !strings.Contains(text, `x-axis "seconds" 0 --> 99`) {
		t.Errorf("got\n%s", text)
	}
	if one := chart(rollout.Result{Samples: failedRun(t).Samples[:1]}); one != "" {
		t.Errorf("one point is no line:\n%s", one)
	}
}

func TestHeadlines(t *testing.T) {
	in := inputs{Inputs: job.Inputs{Service: "checkout", Environment: "prod"}}
	failure := errors.New("x")
	for _, c := range []struct {
		out  outcome
		err  error
		want string
	}{
		{outcome{Result: promoted, Release: "b"}, nil, "promoted, b serves"},
		{outcome{Result: promoted, Release: "b", First: true}, nil, "first release"},
		{outcome{Result: promoted, Release: "b"}, failure, "not all is cleaned up"},
		{outcome{Result: unchanged, Release: "b"}, nil, "serves already"},
		{outcome{Result: unchanged, Release: "b", Previous: "b"}, failure, "b serves, but it is not proven"},
		{outcome{Result: refused, Previous: "a"}, failure, "a goes on serving"},
		{outcome{Result: refused}, failure, "nothing was changed"},
		{outcome{Result: held, Release: "b", Previous: "a"}, failure, "held with b and a both up"},
		{outcome{Result: abandoned, Release: "b", Previous: "a"}, failure, "makes it safe first"},
	} {
		if got := headline(in, c.out, c.err); !strings.Contains(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.out, got, c.want)
		}
	}
}

func TestCauseIsShort(t *testing.T) {
	r := failedRun(t)
	err := errors.Join(&rolledBackError{result: r, baseline: "a-1"}, fmt.Errorf("removing: %w", errors.New("x")))
	if got := cause(err); got != "rolled back at 50 %: errors: fail, 6 of 12 (50 %) is above the bound of 1 %" {
		t.Errorf("got %q", got)
	}
	if got := cause(errors.Join(errors.New("first"), errors.New("second"))); got != "first" {
		t.Errorf("got %q", got)
	}
}

func TestTheRecordedStateHoldsNoSecret(t *testing.T) {
	s := failedRun(t).State
	s.Reason, s.Cause[0].Reason, s.Cause[0].Query = "a s3cr3t", "of s3cr3t", "rate(s3cr3t)"
	s.Asked = &rollout.Ask{Who: "ada", Why: "the s3cr3t", At: time.Now()}
	got := withoutSecrets(record{State: s}, func(text string) string { return strings.ReplaceAll(text, "s3cr3t", "***") })
	if text := fmt.Sprintf("%+v", got); strings.Contains(text, "s3cr3t") || got.Reason != "a ***" || got.Cause[0].Query != "rate(***)" {
		t.Error(text)
	}
	if got.Asked.Why != "the ***" || got.Asked.Who != "ada" || got.Phase != s.Phase {
		t.Errorf("the wish is %+v, the phase %s", got.Asked, got.Phase)
	}
	if s.Cause[0].Reason != "of s3cr3t" || s.Asked.Why != "the s3cr3t" {
		t.Error("the state that the rollout works on was changed")
	}
}

func TestNoNameOfACheckLeavesTheChart(t *testing.T) {
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			result := failedRun(t)
			for i := range result.Samples {
				for j := range result.Samples[i].Results {
					result.Samples[i].Results[j].Check = text
				}
			}
			lines := strings.Split(strings.TrimSuffix(chart(result), "\n"), "\n")
			title := strings.TrimSuffix(strings.TrimPrefix(lines[2], `  title "`), `"`)
			if len(lines) != 8 || lines[0] != "```mermaid" || lines[7] != "```" || strings.ContainsAny(title, "\"`<>#&%") {
				t.Errorf("%d lines, the title is %.300q", len(lines), title)
			}
		})
	}
}
