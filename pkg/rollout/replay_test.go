package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// recorded runs a world and gives what is left of it in a file.
func recorded(t *testing.T, p Plan, f *fleet, judge judgeFunc, cancelAfter time.Duration) Result {
	t.Helper()
	var back Result
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		if cancelAfter > 0 {
			time.AfterFunc(cancelAfter, func() { cancel(errors.New("the run was cancelled (interrupt)")) })
		}
		w := &world{fleet: f, judge: judge}
		res, err := Run(ctx, p, w.edge())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(res)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
	})
	return back
}

// sometimes says an outcome within a time of the run, and pass otherwise.
func sometimes(o verdict.Outcome, from, to time.Duration) judgeFunc {
	return func(_ Window, since time.Duration) ([]verdict.Result, error) {
		if since >= from && since < to {
			return says(o), nil
		}
		return says(verdict.Pass), nil
	}
}

func unchanged(s Sample) []verdict.Result { return s.Results }

func TestAReplayUnderTheSameChecksEndsAsTheRunDid(t *testing.T) {
	hold := rules()
	hold.OnNoData, hold.OnCancel = Hold, Hold
	steps := []float64{20, 50, 100}
	for _, c := range []struct {
		name   string
		rules  Rules
		surge  int
		steps  []float64
		took   time.Duration
		judge  judgeFunc
		cancel time.Duration
		// decided: the checks ended it, at the last sample.
		want    Phase
		decided bool
	}{
		{"healthy", rules(), -1, steps, time.Second, healthy, 0, Promoted, false},
		{"healthy without surge", rules(), 0, []float64{25, 50}, time.Second, healthy, 0, Promoted, false},
		{"sick at once", rules(), -1, steps, time.Second, sickAfter(0), 0, RolledBack, true},
		{"sick in the second step", rules(), -1, steps, time.Second, sickAfter(17 * time.Second), 0, RolledBack, true},
		{"sick while pods start", rules(), -1, steps, 20 * time.Second, sickAfter(65 * time.Second), 0, RolledBack, true},
		{"sick in the last step", rules(), -1, steps, time.Second, sickAfter(32 * time.Second), 0, RolledBack, true},
		{"blind for good", rules(), -1, steps, time.Second, sometimes(verdict.NoData, 5*time.Second, time.Hour), 0, RolledBack, true},
		{"blind for three looks", rules(), -1, steps, time.Second, sometimes(verdict.NoData, 5*time.Second, 8*time.Second), 0, Promoted, false},
		{"never enough", rules(), -1, steps, time.Second, sometimes(verdict.NotEnough, 0, time.Hour), 0, RolledBack, true},
		{"not enough for a while", rules(), -1, steps, time.Second, sometimes(verdict.NotEnough, 0, 40*time.Second), 0, Promoted, false},
		{"held and seen again", hold, -1, steps, time.Second, sometimes(verdict.NoData, 5*time.Second, 20*time.Second), 0, Promoted, false},
		{"held in vain", hold, -1, steps, time.Second, sometimes(verdict.NoData, 5*time.Second, time.Hour), 0, RolledBack, true},
		{"cancelled", rules(), -1, steps, time.Second, healthy, 5 * time.Second, RolledBack, false},
		{"cancelled before any look", rules(), -1, steps, time.Second, healthy, 500 * time.Millisecond, RolledBack, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := recorded(t, mustPlan(t, 4, c.steps, c.surge, c.rules), &fleet{took: c.took}, c.judge, c.cancel)
			if r.State.Phase != c.want {
				t.Fatalf("the run itself ended %s: %s", r.State.Phase, r.State.Reason)
			}
			at := -1
			if c.decided {
				at = len(r.Samples) - 1
			}
			got := Replay(r, unchanged)
			if got.Ending != c.want || got.At != at || got.Reason != r.State.Reason {
				t.Errorf("got %q at %d because %q; the run ended %q at %d because %q", got.Ending, got.At, got.Reason, c.want, at, r.State.Reason)
			}
			if len(got.Samples) != len(r.Samples) {
				t.Errorf("%d of %d samples were judged", len(got.Samples), len(r.Samples))
			}
		})
	}
}

func TestAReplayUnderOtherChecks(t *testing.T) {
	p := mustPlan(t, 4, []float64{20, 50, 100}, -1, rules())
	always := func(o verdict.Outcome) func(Sample) []verdict.Result {
		return func(Sample) []verdict.Result { return says(o) }
	}
	from := func(step int, o verdict.Outcome) func(Sample) []verdict.Result {
		return func(s Sample) []verdict.Result {
			if s.Step >= step {
				return says(o)
			}
			return says(verdict.Pass)
		}
	}
	good := recorded(t, p, &fleet{took: 2500 * time.Millisecond}, healthy, 0)
	bad := recorded(t, p, &fleet{took: time.Second}, sickAfter(17*time.Second), 0)
	slow := recorded(t, p, &fleet{took: time.Second}, sometimes(verdict.NotEnough, 0, 40*time.Second), 0)
	for _, c := range []struct {
		name   string
		run    Result
		again  func(Sample) []verdict.Result
		want   Phase
		reason string
	}{
		{"stricter ones would have rolled it back at once", good, always(verdict.Fail), RolledBack, "errors: fail"},
		{"or in its second step", good, from(1, verdict.Fail), RolledBack, "errors: fail"},
		{"what they would have watched longer is not known", good, from(1, verdict.NotEnough), "", "step 2 was left here"},
		{"what comes behind a rollback is not known", bad, always(verdict.Pass), "", "nothing is known of what would have come"},
		{"a step that was watched longer than they need passes all the same", slow, always(verdict.Pass), Promoted, ""},
		{"no checks are blindness", good, func(Sample) []verdict.Result { return nil }, RolledBack, "no data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Replay(c.run, c.again)
			if got.Ending != c.want || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got %q at %d because %q", got.Ending, got.At, got.Reason)
			}
		})
	}
	if got := Replay(good, from(1, verdict.Fail)); good.Samples[got.At].Step != 1 || good.Samples[got.At-1].Step != 0 {
		t.Errorf("it would have failed at sample %d, of step %d", got.At, good.Samples[got.At].Step+1)
	}
}

func TestAReplayOfWhatCameToNoEndSaysNothing(t *testing.T) {
	hold := rules()
	hold.OnCancel = Hold
	r := recorded(t, mustPlan(t, 4, []float64{20, 100}, -1, hold), &fleet{}, healthy, 5*time.Second)
	if got := Replay(r, unchanged); got.Ending != "" || !strings.Contains(got.Reason, "it is held") {
		t.Errorf("got %q because %q", got.Ending, got.Reason)
	}
}

// TestAReplayKnowsThatAPersonAsked judges a run again whose steps were left at a person's word.
func TestAReplayKnowsThatAPersonAsked(t *testing.T) {
	var r Result
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{took: time.Second}, judge: inSightOnly}
		edge, ask := w.edge(), make(chan Ask, 1)
		edge.Promote = ask
		time.AfterFunc(5*time.Second, func() { ask <- ada })
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 50, 100}, -1, rules()), edge)
		raw, errJSON := json.Marshal(res)
		if err := errors.Join(err, errJSON, json.Unmarshal(raw, &r)); err != nil {
			t.Fatal(err)
		}
	})
	like := func(o verdict.Outcome, against bool) func(Sample) []verdict.Result {
		return func(s Sample) []verdict.Result {
			again := s.Results[0]
			again.Outcome, again.Against = o, against
			return []verdict.Result{again}
		}
	}
	if got := Replay(r, unchanged); got.Ending != Promoted {
		t.Errorf("under the same checks it is %q: %s", got.Ending, got.Reason)
	}
	if got := Replay(r, like(verdict.NotEnough, true)); got.Ending != "" || !strings.Contains(got.Reason, "step 1 was left here") {
		t.Errorf("with numbers outside of their bounds it is %q: %s", got.Ending, got.Reason)
	}
	if got := Replay(r, like(verdict.Fail, true)); got.Ending != RolledBack || got.At != 0 {
		t.Errorf("with checks that fail it is %q at %d", got.Ending, got.At)
	}
}
