package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
)

func TestOnlyAPersonWithAReasonPromotes(t *testing.T) {
	good := map[string]string{"INPUT_MODE": "promote", "INPUT_REASON": "hotfix", "GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_ACTOR": "ada"}
	for name, c := range map[string]struct{ key, value, says string }{
		"without a reason":          {"INPUT_REASON", " ", "reason"},
		"without a name":            {"GITHUB_ACTOR", "-", "a person's decision"},
		"by a push":                 {"GITHUB_EVENT_NAME", "push", "a person's decision"},
		"a reason for a rollout":    {"INPUT_MODE", "run", "leave it out"},
		"a reason to recover":       {"INPUT_MODE", "recover", "leave it out"},
		"a reason for a resumption": {"INPUT_MODE", "resume", "leave it out"},
	} {
		t.Run(name, func(t *testing.T) {
			changes := map[string]string{}
			for k, v := range good {
				changes[k] = v
			}
			changes[c.key] = c.value
			if _, err := with(t, changes); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	if _, err := with(t, good); err != nil {
		t.Error(err)
	}
}

func TestAHeldRolloutIsRecordedWithWhatItTakesToGoOn(t *testing.T) {
	plan, err := rollout.NewPlan(4, []float64{20, 100}, -1, rollout.Rules{
		StepDuration: time.Minute, StepLimit: time.Minute, Interval: time.Second, Blind: 4, OnNoData: rollout.Rollback, OnCancel: rollout.Hold,
	})
	if err != nil {
		t.Fatal(err)
	}
	checks, err := metrics.ParseChecks([]byte(oneCheck))
	if err != nil {
		t.Fatal(err)
	}
	kept := metrics.NewJudge(nil, checks, metrics.Subject{}, metrics.Rules{MinRequests: 50, Alpha: 0.01}).Keep()
	want := record{State: rollout.State{Phase: rollout.Held, Step: 1, Admitted: true, Asked: &rollout.Ask{Who: "ada", Why: "hotfix"}}, Plan: &plan, Kept: kept}
	raw, err := json.Marshal(withoutSecrets(want, func(s string) string { return s }))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readRecord(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
	for name, raw := range map[string]string{"of a rollout that is not held": `{"phase":"judging"}`, "without a plan": `{"phase":"held"}`, "that is none": `[`} {
		if _, err := readRecord(json.RawMessage(raw)); err == nil || !strings.Contains(err.Error(), "mode: abort") {
			t.Errorf("a record %s: %v", name, err)
		}
	}
}

func TestEvidenceThatIsTooLargeIsNotKept(t *testing.T) {
	small, large := metrics.Kept{"errors": {Question: "q"}}, metrics.Kept{"errors": {Question: strings.Repeat("q", maxKept)}}
	if keepable(small, noLog{}) == nil || keepable(large, noLog{}) != nil {
		t.Error("the bound does not hold")
	}
}

func TestARefusalSaysWhatStandsAndWhatToDo(t *testing.T) {
	for _, c := range []struct {
		is   release.NotHeldError
		says []string
	}{
		{release.NotHeldError{Serving: "a-1"}, []string{"release a-1 serves alone", "mode: run"}},
		{release.NotHeldError{Holder: "7-1", Release: "b-2", Phase: "discarding"}, []string{"run 7-1 has the lock", "b-2", "mode: abort"}},
		{release.NotHeldError{Holder: "7-1"}, []string{"run 7-1 has the lock", "let it end"}},
		{release.NotHeldError{Release: "b-2", Run: "7-1", Phase: "discarding"}, []string{"run 7-1 has left release b-2", "mode: recover"}},
	} {
		c.is.Service, c.is.Namespace = "checkout", "prod"
		err := advised(&c.is)
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%v does not say %q", err, s)
			}
		}
	}
	if other := errors.New("x"); !errors.Is(advised(other), other) {
		t.Error("another error was changed")
	}
}

func TestTheSummarySaysWhoAsked(t *testing.T) {
	r := failedRun(t)
	r.State.Phase, r.State.Asked = rollout.Promoted, &rollout.Ask{Who: "ada", Why: "hot|fix", Skipped: true}
	out := outcome{Result: promoted, Release: "b-2", Rollout: &r}
	if got, want := out.asked(), "ada asked for the promotion: hot|fix (steps skipped after step 1)"; got != want {
		t.Errorf("got %q", got)
	}
	in, err := with(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := headline(in, out, nil); !strings.Contains(got, "because ada asked for it") {
		t.Errorf("got %q", got)
	}
}

// quiet is a log that nobody reads.
type quiet struct{}

func (quiet) Infof(string, ...any) {}

func TestAWishForAnotherReleaseIsNotThisRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := make(chan cluster.Wish)
		asks := wishes(t.Context(), quiet{}, heard, "b-2", nil)
		heard <- cluster.Wish{Release: "a-1", Who: "ada", Why: "hotfix"}
		synctest.Wait()
		select {
		case ask := <-asks:
			t.Fatalf("it is asked to promote another release: %+v", ask)
		default:
		}
		heard <- cluster.Wish{Release: "b-2", Who: "grace", Why: "hotfix"}
		if ask := <-asks; ask.Who != "grace" {
			t.Errorf("asked by %q", ask.Who)
		}
	})
}
