package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/tests"
)

func TestHeadlines(t *testing.T) {
	in := inputs{Inputs: job.Inputs{Service: "checkout", Environment: "stage"}}
	failure := errors.New("x")
	for _, c := range []struct {
		out  outcome
		err  error
		want string
	}{
		{outcome{Result: "deployed", Release: "b"}, nil, "b serves"},
		{outcome{Result: "deployed", Release: "b", Previous: "a"}, failure, "b serves, but it is not proven"},
		{outcome{Result: "unchanged", Release: "b", Previous: "b"}, nil, "b serves already, nothing written"},
		{outcome{Result: "unchanged", Release: "b", Previous: "b"}, failure, "b serves, but it is not proven"},
		{outcome{Result: "failed", Previous: "a"}, failure, "not deployed, a goes on serving"},
		{outcome{Result: "failed"}, failure, "nothing was changed for clients"},
		{outcome{Result: "planned"}, nil, "dry run, nothing written"},
		{outcome{Result: "removed"}, failure, "removed, the pull request is closed"},
	} {
		if got := headline(in, c.out, c.err); !strings.Contains(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.out, got, c.want)
		}
	}
}

func TestTheSummaryShowsTheFailedTestsFirst(t *testing.T) {
	tested := release.Tested{Command: "make e2e", Took: 3 * time.Second, Problem: "1 of 2 tests failed: buys", Results: tests.Results{Known: true, Tests: []tests.Test{
		{Suite: "Shop", Name: "looks", Outcome: tests.Passed, Took: 2 * time.Second},
		{Suite: "Shop", Name: "buys", Outcome: tests.Failed, Output: "want 7 | got <8>", File: "shop_test.go", Line: 12},
	}}}
	page := summary(inputs{Inputs: job.Inputs{Service: "checkout", Environment: "stage"}}, change.Change{}, outcome{Result: "failed"}, &release.TestFailedError{Tested: tested}, time.Second)
	order := []string{"testing the candidate: 1 of 2 tests failed: buys", "1 of 2 tests failed", "❌ Shop buys at shop_test.go:12", "want 7 | got <8>", "Slowest tests", "looks"}
	rest := page
	for _, want := range order {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q is not there, or not in its place:\n%s", want, page)
		}
		rest = after
	}
}

func TestTheSummaryShowsTheChainThatWasAskedFor(t *testing.T) {
	out := outcome{Result: "deployed", Release: "b", Chain: []evidence.Link{
		{Gate: evidence.Build, Result: evidence.Passed, Commit: strings.Repeat("a", 40), Statement: "sha256:1", Signer: "key-of-kms-in-base64"},
		{Gate: evidence.Test, Result: string(evidence.Missing)},
	}}
	page := summary(inputs{Inputs: job.Inputs{Service: "checkout", Environment: "stage"}}, change.Change{Head: strings.Repeat("a", 40), Title: "x|y"}, out, nil, time.Second)
	for _, want := range []string{"build", "✅ passed", "❌ missing", "aaaaaaa"} {
		if !strings.Contains(page, want) {
			t.Errorf("the summary lacks %q:\n%s", want, page)
		}
	}
}
