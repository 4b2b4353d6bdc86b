package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

func TestAReplayUnderTheRunsOwnChecksSaysWhatItSaid(t *testing.T) {
	for _, c := range []struct {
		name  string
		world world
		phase rollout.Phase
		code  int
	}{
		{"healthy", world{ill: time.Hour, blind: time.Hour}, rollout.Promoted, wouldPromote},
		{"ill from the start", world{ill: 0, blind: time.Hour}, rollout.RolledBack, wouldRollBack},
		{"ill in the second step", world{ill: 20 * time.Second, blind: time.Hour}, rollout.RolledBack, wouldRollBack},
		{"ill in the last step", world{ill: 30 * time.Second, blind: time.Hour}, rollout.RolledBack, wouldRollBack},
		{"without a monitor in the end", world{ill: time.Hour, blind: 18 * time.Second}, rollout.RolledBack, wouldRollBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, c.world)
			if s.Result.State.Phase != c.phase {
				t.Fatalf("the run ended %s: %s", s.Result.State.Phase, s.Result.State.Reason)
			}
			s, checks, err := readReplay(write(t, s), "")
			if err != nil {
				t.Fatal(err)
			}
			judge, _ := s.Basis.Rejudge(checks)
			would := rollout.Replay(s.Result, func(sample rollout.Sample) []verdict.Result {
				return judge.Observe(metrics.Window{Since: sample.Since, Now: sample.At, Full: sample.Full}, sample.Results)
			})
			if would.Ending != c.phase || would.Reason != s.Result.State.Reason {
				t.Errorf("got %s because %q, the run ended %s because %q", would.Ending, would.Reason, c.phase, s.Result.State.Reason)
			}
			if c.phase == rollout.RolledBack && would.At != len(s.Result.Samples)-1 {
				t.Errorf("sample %d of %d decided", would.At, len(s.Result.Samples))
			}
			for i := range would.Samples {
				if got, want := would.Samples[i].String(), s.Result.Samples[i].String(); got != want {
					t.Errorf("sample %d: got %s, want %s", i, got, want)
				}
			}
			var out bytes.Buffer
			if code := s.replay(checks, &out); code != c.code {
				t.Errorf("the exit code is %d, and it says\n%s", code, &out)
			}
		})
	}
}

const (
	sameRatio = `bad: 'sum(increase(r{release="$release",code=~"5.."}[$window]))', total: 'sum(increase(r{release="$release"}[$window]))'`
	strict    = `[{name: errors, type: ratio, ` + sameRatio + `, max: 0.05}, {name: latency, type: value, query: 'p95{release="$release"}', max: 130}]`
	lenient   = `[{name: errors, type: ratio, ` + sameRatio + `, max: 0.6}]`
	demanding = `[{name: bounded, type: ratio, ` + sameRatio + `, max: 0.05, min-requests: 100000}]`
	foreign   = `[{name: bounded, type: ratio, ` + sameRatio + `, max: 0.05}, {name: saturation, type: value, query: 'cpu{release="$release"}', max: 1}]`
	helpless  = `[{name: errors, type: ratio, ` + sameRatio + `, compare: true}, {name: saturation, type: value, query: 'cpu{release="$release"}', max: 1}]`
	unknown   = `[{name: saturation, type: value, query: 'cpu{release="$release"}', max: 1}]`
	another   = `[{name: bounded, type: ratio, bad: 'b{r="$release"}[$window]', total: 't{r="$release"}[$window]', max: 0.05}]`
)

func TestAReplayUnderOtherChecks(t *testing.T) {
	good, bad := write(t, play(t, world{ill: time.Hour, blind: time.Hour})), write(t, play(t, world{ill: 20 * time.Second, blind: time.Hour}))
	for _, c := range []struct {
		name, file, checks string
		code               int
		want               []string
	}{
		{"stricter ones would have rolled it back", good, strict, wouldRollBack, []string{
			"was:       promoted", "would be:  rolled back in step 1, ", "is outside of max 130", "left out:  check bounded", "    was       pass, ", "    would be  fail, first ", "    would be  not judged",
		}},
		{"more lenient ones leave it open", bad, lenient, cannotSay, []string{
			"was:       rolled-back at 50 % of the pods", "would be:  it can't be said in step 2, ", "nothing is known of what would have come", "    was       fail, first ", "step 3: ", "  not reached",
		}},
		{"more requests than there were leave it open", good, demanding, cannotSay, []string{"step 1 was left here, and would have been watched longer", "100000 requests are needed"}},
		{"a check without numbers is named", good, foreign, cannotSay, []string{`not judged: check "saturation": the run has no check of this name`, "not every check has numbers"}},
		{"but can't save a run that fails", bad, helpless, wouldRollBack, []string{"not judged: ", "would be:  rolled back in step 2"}},
		{"no check with numbers says nothing", good, unknown, cannotSay, []string{"no numbers for any of these checks"}},
		{"another query is named", good, another, wouldPromote, []string{"note:      check bounded has another query", "would be:  promoted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "checks.yaml")
			if err := os.WriteFile(file, []byte(c.checks), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if code := replay([]string{"-run", c.file, "-checks", file}, &out); code != c.code {
				t.Errorf("the exit code is %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, &out)
				}
			}
		})
	}
}

func TestAReplayThatCannotBeginSaysWhy(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := file("run.json", `{"version":1,"basis":{"checks":[{"name":"x","type":"ratio"}]}}`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "give the file of a run with -run"},
		{[]string{"-nonsense"}, "flag provided but not defined"},
		{[]string{"-run", filepath.Join(dir, "none")}, "no such file"},
		{[]string{"-run", file("bad.json", "{")}, "unexpected end of JSON"},
		{[]string{"-run", file("new.json", `{"version":2}`)}, "its form is 2, and this program reads 1"},
		{[]string{"-run", run, "-checks", file("checks.yaml", "[{name: a, type: b}, {name: c, type: d}]")}, `check "c"`},
	} {
		var out bytes.Buffer
		if code := replay(c.args, &out); code != cannotSay || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: exit code %d, and it says\n%s", c.args, code, &out)
		}
	}
}

func TestAReplayPrintsNoEscapes(t *testing.T) {
	s := play(t, world{ill: 20 * time.Second, blind: time.Hour})
	s.Service, s.Result.State.Reason, s.Basis.Checks[2].Name = "\x1b[31mred", "a\u202eb\x07", "late\x1b]0;x\x07ncy"
	for i := range s.Result.Samples {
		s.Result.Samples[i].Results[2].Check, s.Result.Samples[i].Results[0].Reason = s.Basis.Checks[2].Name, "\x1b[2J\r\n::error::x"
	}
	var out bytes.Buffer
	replay([]string{"-run", write(t, s)}, &out)
	if text := out.String(); strings.ContainsAny(text, "\x1b\x07\r\u202e") || !strings.Contains(text, "red in prod") {
		t.Errorf("it says %q", text)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "::") {
			t.Errorf("a line gives a command: %q", line)
		}
	}
}
