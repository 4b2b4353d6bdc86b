package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// world is a service whose candidate answers 20 requests a second beside the baseline's 80. From ill on, a third of them are bad.
type world struct {
	began time.Time
	ill   time.Duration
	// blind is when the monitor has no answers any more.
	blind time.Duration
}

func (w *world) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(1500 * time.Millisecond):
		return nil
	}
}
func (w *world) Scale(ctx context.Context, _, _ int, _ float64) error { return w.wait(ctx) }
func (w *world) Admit(ctx context.Context, _ float64) error           { return w.wait(ctx) }
func (w *world) Promote(ctx context.Context) error                    { return w.wait(ctx) }
func (w *world) Rollback(ctx context.Context) error                   { return w.wait(ctx) }

var inBrackets = regexp.MustCompile(`\[(\d+)s\]`)

// Query answers for the window in the query.
func (w *world) Query(_ context.Context, query string, at time.Time) (metrics.Sample, error) {
	candidate := strings.Contains(query, "b-2")
	since := at.Sub(w.began)
	if since >= w.blind {
		return metrics.Sample{}, errors.New("connection refused")
	}
	if since <= 0 && candidate {
		return metrics.Sample{}, &metrics.UnusableError{Fault: metrics.Empty}
	}
	if strings.Contains(query, "p95") {
		return metrics.Sample{Value: 120 + float64(at.Second()), At: at}, nil
	}
	seconds, err := strconv.ParseFloat(inBrackets.FindStringSubmatch(query)[1], 64)
	if err != nil {
		return metrics.Sample{}, err
	}
	value := 80 * seconds
	if candidate {
		value = 20 * seconds
	}
	if strings.Contains(query, "5..") {
		bad := float64(int(value) / 200)
		if ill := min(seconds, (since - w.ill).Seconds()); candidate && ill > 0 {
			bad += float64(int(20*ill) / 3)
		}
		value = bad
	}
	return metrics.Sample{Value: value, At: at}, nil
}

type noLog struct{}

func (noLog) Infof(string, ...any) {}

const worldChecks = `
- {name: errors, type: ratio, bad: 'sum(increase(r{release="$release",code=~"5.."}[$window]))', total: 'sum(increase(r{release="$release"}[$window]))', max: 0.05, compare: true}
- {name: bounded, type: ratio, bad: 'sum(increase(r{release="$release",code=~"5.."}[$window]))', total: 'sum(increase(r{release="$release"}[$window]))', max: 0.05}
- {name: latency, type: value, query: 'p95{release="$release"}', max: 200}
`

// play rolls out in the world and gives the run as it is saved.
func play(t *testing.T, w world) savedRun {
	t.Helper()
	v, err := with(t, map[string]string{"INPUT_STEPS": "20,50", "INPUT_STEP_DURATION": "10s", "INPUT_CHECKS": worldChecks})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := v.plan(4)
	if err != nil {
		t.Fatal(err)
	}
	s := savedRun{
		Version: savedVersion, Service: "checkout", Environment: "prod", Run: "4711-1", Commit: head, Title: "Ship for free",
		Image: "registry.example.com/checkout@sha256:0", Release: "b-2", Baseline: "a-1",
	}
	synctest.Test(t, func(t *testing.T) {
		w.began = time.Now()
		judge := metrics.NewJudge(&w, v.checks, metrics.Subject{Candidate: "b-2", Baseline: "a-1", Namespace: "prod", Service: "checkout"}, metrics.Rules{
			MinRequests: v.minRequests, Alpha: falseAlarms, Warmup: v.rules.StepDuration,
		})
		if err := judge.Prove(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		s.Basis = judge.Basis()
		var err error
		s.Result, err = rollout.Run(t.Context(), plan, rollout.Edge{
			Fleet: &w, Judge: judging{judge}, Log: noLog{}, Record: func(context.Context, rollout.State) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return s
}

// action is one with these surroundings, and its log.
func action(env map[string]string) (*gha.Action, *bytes.Buffer) {
	var log bytes.Buffer
	return gha.New(func(name string) string { return env[name] }, &log), &log
}

func TestARunIsKept(t *testing.T) {
	s := play(t, world{ill: 20 * time.Second, blind: time.Hour})
	temp := t.TempDir()
	a, log := action(map[string]string{"RUNNER_TEMP": temp})
	page := keep(a, s)
	folder := filepath.Join(temp, "promote", "checkout-prod-4711-1")
	if page != filepath.Join(folder, "report.html") || !strings.Contains(log.String(), "report: "+page) {
		t.Fatalf("the page is %q, the log\n%s", page, log)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<title>↩ checkout in prod: rolled back at 50 % of the pods, a-1 serves</title>", "bbbbbbb Ship for free", "max 5 %", `code=~&#34;5..&#34;`} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	back, checks, err := readReplay(filepath.Join(folder, "run.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	// What time.Now gives has a monotonic reading and a zone; what matters is the moment.
	if diff := cmp.Diff(s, back, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Errorf("what is saved is not what was:\n%s", diff)
	}
	if len(checks) != 3 {
		t.Errorf("the checks are %v", checks)
	}
}

func TestAReportThatCannotBeWrittenIsAWarning(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a, log := action(map[string]string{"RUNNER_TEMP": file})
	if page := keep(a, savedRun{Service: "checkout"}); page != "" || !strings.HasPrefix(log.String(), "::warning::writing the report: ") {
		t.Errorf("got %q, and the log\n%s", page, log)
	}
}

func TestReportsOfDifferentRunsHaveFoldersOfTheirOwn(t *testing.T) {
	s := savedRun{Service: "../../etc", Environment: "prod/eu", Run: "4711-2"}
	if got, want := reportFolder(gha.Env{Temp: "/temp"}, s), "/temp/promote/------etc-prod-eu-4711-2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := reportFolder(gha.Env{Workspace: "/work"}, s), "/work/.tmp/promote/------etc-prod-eu-4711-2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAReportHoldsNoSecret(t *testing.T) {
	const secret = `s3cr3t<&"'value`
	s := play(t, world{ill: 20 * time.Second, blind: time.Hour})
	s.Title, s.Image, s.Service, s.URL = "a "+secret, secret, secret, "https://x.test/"+secret
	s.Basis.Checks[0].Bad, s.Basis.Checks[1].Name, s.Basis.Records[secret] = secret, secret, verdict.Counts{}
	s.Result.State.Reason, s.Result.State.Cause[0].Query = secret, secret
	s.Result.Moves[0].Problem, s.Result.Samples[0].Problem = secret, secret
	for i := range s.Result.Samples {
		s.Result.Samples[i].Results[0].Reason, s.Result.Samples[i].Results[1].Check = secret, secret
	}
	a, log := action(map[string]string{"RUNNER_TEMP": t.TempDir()})
	a.Mask(secret)
	page := keep(a, s)
	if page == "" {
		t.Fatal(log.String())
	}
	for _, name := range []string{page, filepath.Join(filepath.Dir(page), savedName)} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "s3cr3t") || !strings.Contains(string(text), "***") {
			t.Errorf("%s holds the secret, or nothing was masked", filepath.Base(name))
		}
	}
	if s.Result.State.Reason != secret || s.Result.Samples[0].Results[1].Check != secret || s.Basis.Checks[0].Bad != secret {
		t.Error("the run itself was changed")
	}
}

func TestOurOwnWordsAreNoSecret(t *testing.T) {
	got := withoutSecrets(savedRun{Result: rollout.Result{State: rollout.State{Phase: rollout.Promoted, Reason: "promoted"}}}, func(string) string { return "***" })
	if got.Result.State.Phase != rollout.Promoted || got.Result.State.Reason != "***" {
		t.Errorf("got %+v", got.Result.State)
	}
}

// write saves a run for a test and gives its path.
func write(t *testing.T, s savedRun) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
