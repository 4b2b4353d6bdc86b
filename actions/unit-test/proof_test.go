package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/tests"
)

const (
	aTree    = "4444444444444444444444444444444444444444"
	aSuite   = "0123456789abcdef01234567"
	someRuns = "https://github.test/org/shop/actions/runs/"
)

func TestMark(t *testing.T) {
	m := tests.Mark{Tree: aTree, Suite: aSuite, Tests: 12, Skipped: 1, Flaky: 0, Coverage: -1}
	t.Run("is read as it was written", func(t *testing.T) {
		run, got, ok := tests.ReadMark(someRuns + "1/attempts/2#" + m.String())
		if run != someRuns+"1/attempts/2" || got != m || !ok {
			t.Errorf("got %q, %+v, %v", run, got, ok)
		}
	})
	t.Run("leaves room in a link", func(t *testing.T) {
		m := tests.Mark{Tree: strings.Repeat("4", 40), Suite: aSuite, Tests: 500_000, Skipped: 500_000, Flaky: 500_000, Coverage: 1000}
		if n := len("#" + m.String()); n > 112 {
			t.Errorf("it has %d characters", n)
		}
	})
	for name, url := range map[string]string{
		"of another major version": someRuns + "1#" + strings.Replace(m.String(), "=1.", "=2.", 1),
		"with more behind it":      someRuns + "1#" + m.String() + "x",
		"with a hostile count":     someRuns + "1#" + strings.Replace(m.String(), ".12.", ".99999999999999999999.", 1),
		"none at all":              someRuns + "1",
	} {
		t.Run(name+" is not read", func(t *testing.T) {
			if _, got, ok := tests.ReadMark(url); ok {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	base := suite{Command: "go test", WorkingDirectory: ".", JUnit: []string{"a"}, Platform: "linux/amd64"}
	same := base
	_, _, fits := tests.ReadMark("https://x/1#" + tests.Mark{Tree: aTree, Suite: base.fingerprint()}.String())
	if same.fingerprint() != base.fingerprint() || !fits {
		t.Error("it is not the same twice, or does not fit in a mark")
	}
	for name, change := range map[string]func(*suite){
		"command":  func(s *suite) { s.Command = "go test -short" },
		"folder":   func(s *suite) { s.WorkingDirectory = "api" },
		"junit":    func(s *suite) { s.JUnit = nil },
		"coverage": func(s *suite) { s.Coverage = []string{"a"} },
		"platform": func(s *suite) { s.Platform = "linux/arm64" },
		"test-env": func(s *suite) { s.Env = []string{"A"} },
	} {
		other := base
		change(&other)
		if other.fingerprint() == base.fingerprint() {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	t.Run("variables count by their names, in any order; a value may be a secret, and a hash can be guessed", func(t *testing.T) {
		one, other := inputs{env: []string{"A=1", "B"}}, inputs{env: []string{"B", "A=2"}}
		if one.suite().fingerprint() != other.suite().fingerprint() || one.suite().fingerprint() == (inputs{}).suite().fingerprint() {
			t.Error("the names alone do not decide")
		}
	})
}

func TestProven(t *testing.T) {
	trusted := trust{tree: aTree, suite: aSuite, runs: someRuns, self: someRuns + "9/attempts/1"}
	with := func(tree, suite string) string { return "#" + tests.Mark{Tree: tree, Suite: suite}.String() }
	ours := with(aTree, aSuite)
	status := func(state, url string) github.Written {
		return github.Written{Status: github.Status{State: state, URL: url}, By: "github-actions[bot]", ByBot: true}
	}
	by := func(s github.Written, login string) github.Written { s.By, s.ByBot = login, false; return s }
	run1, run2 := someRuns+"1/attempts/1", someRuns+"2/attempts/1"
	for name, test := range map[string]struct {
		newestFirst []github.Written
		run, why    string
		final       bool
	}{
		"nothing proves nothing":                        {nil, "", "", false},
		"a run that passed is the proof":                {[]github.Written{status("success", run1+ours), status("pending", run1+ours)}, run1, "", false},
		"the newest of two is taken":                    {[]github.Written{status("success", run2+ours), status("success", run1+ours)}, run2, "", false},
		"one that passed after a failure":               {[]github.Written{status("success", run2+ours), status("failure", run1+ours)}, run2, "", false},
		"a failure after it is the last word":           {[]github.Written{status("failure", run2+ours), status("success", run1+ours)}, "", "the last result is a failure", true},
		"an error after it, too":                        {[]github.Written{status("error", run2+ours), status("success", run1+ours)}, "", "the last result is a failure", true},
		"a failure without a mark counts":               {[]github.Written{by(status("failure", ""), "ada"), status("success", run1+ours)}, "", "the last result is a failure", true},
		"a run that has begun since says nothing":       {[]github.Written{status("pending", run2+ours), status("success", run1+ours)}, run1, "", false},
		"a failure of another suite does not count":     {[]github.Written{status("failure", run2+with(aTree, strings.Repeat("f", 24))), status("success", run1+ours)}, run1, "", false},
		"a success of another suite does not count":     {[]github.Written{status("success", run1+with(aTree, strings.Repeat("f", 24)))}, "", "another command, folder or platform was run", false},
		"a success of another tree does not count":      {[]github.Written{status("success", run1+with(strings.Repeat("5", 40), aSuite))}, "", "another command, folder or platform was run", false},
		"a success of another version does not count":   {[]github.Written{status("success", run1+strings.Replace(ours, "=1.", "=2.", 1))}, "", "its success does not say what was run", false},
		"a success without a mark does not count":       {[]github.Written{status("success", run1)}, "", "its success does not say what was run", false},
		"a person's success does not count":             {[]github.Written{by(status("success", run1+ours), "grace")}, "", "its success was set by grace and not by a workflow", false},
		"a link to elsewhere does not count":            {[]github.Written{status("success", "https://github.test/org/shop-two/actions/runs/1"+ours)}, "", "its success does not link to a run of this repository", false},
		"the very run that asks does not count":         {[]github.Written{status("success", someRuns+"9/attempts/1"+ours)}, "", "its success is of this very run, where it may be another job of a matrix", false},
		"another attempt of that run counts":            {[]github.Written{status("success", someRuns+"9/attempts/2"+ours)}, someRuns + "9/attempts/2", "", false},
		"a leg of a matrix that failed before takes it": {[]github.Written{status("success", run1+ours), status("failure", run1+ours), status("pending", run1+ours), status("pending", run1+ours)}, "", "another job of the same run did not pass", true},
		"a leg of a matrix that did not end takes it":   {[]github.Written{status("success", run1+ours), status("pending", run1+ours), status("pending", run1+ours)}, "", "another job of the same run did not pass", true},
		"a status that was reused has no start":         {[]github.Written{status("success", run1+ours)}, run1, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, stands := trusted.proven("c", test.newestFirst)
			var want *doubt
			if test.why != "" {
				want = &doubt{reason: test.why, final: test.final}
			}
			if diff := cmp.Diff(want, stands, cmp.AllowUnexported(doubt{})); got.run != test.run || diff != "" {
				t.Errorf("got %+v, %+v\n%s", got, stands, diff)
			}
		})
	}
}
