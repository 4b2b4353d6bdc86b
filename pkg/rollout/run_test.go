package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// fleet is a fleet whose every action takes a while and may be told to fail.
type fleet struct {
	took  time.Duration
	fails map[string]int // action -> how many times it fails
	did   []string
	// selects is what the Service selects.
	selects string
}

func (f *fleet) do(ctx context.Context, what string, then string) error {
	f.did = append(f.did, what)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(f.took):
	}
	if kind, _, _ := strings.Cut(what, " "); f.fails[kind] > 0 {
		f.fails[kind]--
		return errors.New("the fake was told to fail")
	}
	if then != "" {
		f.selects = then
	}
	return nil
}

func (f *fleet) Scale(ctx context.Context, b, c int, percent float64) error {
	return f.do(ctx, strings.TrimSuffix(fmt.Sprintf("scale %d+%d %v%%", b, c, percent), " 0%"), "")
}
func (f *fleet) Admit(ctx context.Context, percent float64) error {
	return f.do(ctx, strings.TrimSuffix(fmt.Sprintf("admit %v%%", percent), " 0%"), "both")
}
func (f *fleet) Promote(ctx context.Context) error  { return f.do(ctx, "promote", "candidate") }
func (f *fleet) Rollback(ctx context.Context) error { return f.do(ctx, "rollback", "baseline") }

// judgeFunc says what the checks see at a time since the run began.
type judgeFunc func(w Window, since time.Duration) ([]verdict.Result, error)

type world struct {
	fleet   *fleet
	began   time.Time
	judge   judgeFunc
	records []State
	lines   []string
	record  func(State) error
}

func (w *world) Observe(ctx context.Context, win Window) ([]verdict.Result, error) {
	return w.judge(win, time.Since(w.began))
}
func (w *world) Infof(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *world) edge() Edge {
	w.began = time.Now()
	return Edge{Fleet: w.fleet, Judge: w, Log: w, Record: func(_ context.Context, s State) error {
		w.records = append(w.records, s)
		if w.record != nil {
			return w.record(s)
		}
		return nil
	}, LockLost: func(err error) bool { return errors.Is(err, errTaken) }}
}

var errTaken = errors.New("taken over")

func healthy(Window, time.Duration) ([]verdict.Result, error) { return says(verdict.Pass), nil }

func sickAfter(d time.Duration) judgeFunc {
	return func(_ Window, since time.Duration) ([]verdict.Result, error) {
		if since >= d {
			return says(verdict.Fail), nil
		}
		return says(verdict.Pass), nil
	}
}

func TestRunPromotesAHealthyCandidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
		p := mustPlan(t, 4, []float64{20, 50, 100}, -1, rules())
		res, err := Run(t.Context(), p, w.edge())
		if err != nil || res.State.Phase != Promoted || res.Share != 100 || w.fleet.selects != "candidate" {
			t.Fatalf("got %+v, %v; the Service selects %q", res.State, err, w.fleet.selects)
		}
		want := []string{"scale 4+1", "admit", "scale 4+4", "scale 4+4", "promote"}
		if !slices.Equal(w.fleet.did, want) {
			t.Errorf("did %v, want %v", w.fleet.did, want)
		}
		// 30 s of judging and 5 s of moving; the first look at a step comes an interval after it began.
		if took := res.Ended.Sub(res.Started); took < 35*time.Second || took > 37*time.Second {
			t.Errorf("took %s", took)
		}
		if len(res.Samples) < 30 || res.TimeToSafe != 0 {
			t.Errorf("%d samples, time to safe %s", len(res.Samples), res.TimeToSafe)
		}
	})
}

func TestRunGivesTheWeightsOfAWeightedPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{}, judge: healthy}
		p, err := NewWeightedPlan(4, []float64{5, 50, 100}, 0, rules())
		if err != nil {
			t.Fatal(err)
		}
		edge := w.edge()
		edge.Begun = func(step int) { w.fleet.did = append(w.fleet.did, fmt.Sprintf("step %d has begun", step+1)) }
		res, err := Run(t.Context(), p, edge)
		if err != nil || res.State.Phase != Promoted {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		// The baseline gives pods only once the candidate has its weight, and none before the candidate has all of it.
		want := []string{"scale 4+1", "admit 5%", "step 1 has begun", "scale 2+2 50%", "step 2 has begun", "scale 2+4", "promote", "step 3 has begun"}
		if !slices.Equal(w.fleet.did, want) {
			t.Errorf("did %v, want %v", w.fleet.did, want)
		}
	})
}

func TestRunRecordsTheIntentBeforeEveryMoveForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{}, judge: healthy}
		var order []string
		w.record = func(s State) error {
			order = append(order, fmt.Sprintf("%s after %d moves", s.Phase, len(w.fleet.did)))
			return nil
		}
		if _, err := Run(t.Context(), mustPlan(t, 4, []float64{50, 100}, -1, rules()), w.edge()); err != nil {
			t.Fatal(err)
		}
		want := []string{"scaling after 0 moves", "admitting after 1 moves", "scaling after 2 moves", "promoting after 3 moves", "promoted after 4 moves"}
		if !slices.Equal(order, want) {
			t.Errorf("recorded %q, want %q", order, want)
		}
	})
}

func TestRunRollsBackOnTheFirstFailedCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{took: 300 * time.Millisecond}, judge: sickAfter(5 * time.Second)}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 100}, -1, rules()), w.edge())
		if err != nil || res.State.Phase != RolledBack || w.fleet.selects != "baseline" {
			t.Fatalf("got %+v, %v; the Service selects %q", res.State, err, w.fleet.selects)
		}
		if res.Share != 20 || res.TimeToSafe != 300*time.Millisecond {
			t.Errorf("share %v, time to safe %s", res.Share, res.TimeToSafe)
		}
		if took := res.Ended.Sub(res.Started); took > 7*time.Second {
			t.Errorf("the failure was there after 5 s, the end came after %s", took)
		}
		if last := w.records[len(w.records)-1]; last.Phase != RolledBack || !strings.Contains(last.Reason, "errors: fail") {
			t.Errorf("the last record is %+v", last)
		}
	})
}

func TestRunWatchesWhilePodsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{took: 2 * time.Minute}, judge: sickAfter(5 * time.Minute)}
		// The first step is over after 4 min 10 s; pods for the next one start until 6 min 10 s.
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 50}, -1, rules()), w.edge())
		if err != nil || res.State.Phase != RolledBack {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		if at := res.Moves[len(res.Moves)-1].At.Sub(res.Started); at > 5*time.Minute+2*time.Second {
			t.Errorf("the rollback began after %s; the failure was there after 5 minutes", at)
		}
	})
}

func TestRunRollsBackWhenItIsCancelledAnywhere(t *testing.T) {
	for _, after := range []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 5 * time.Second, 14 * time.Second, 25 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(after, func() { cancel(errors.New("the run was cancelled (interrupt)")) })
				synctest.Wait()
				start := time.Now()
				res, err := Run(ctx, mustPlan(t, 4, []float64{20, 50, 100}, -1, rules()), w.edge())
				if err != nil || res.State.Phase != RolledBack || w.fleet.selects != "baseline" {
					t.Fatalf("got %+v, %v; the Service selects %q", res.State, err, w.fleet.selects)
				}
				if late := time.Since(start) - after; late > 7500*time.Millisecond {
					t.Errorf("the runner kills after 7.5 s; this took %s", late)
				}
				if !strings.Contains(res.State.Reason, "interrupt") {
					t.Errorf("the reason is %q", res.State.Reason)
				}
			})
		})
	}
}

func TestRunRollsBackWhenItIsAbortedAnywhere(t *testing.T) {
	for at := 500 * time.Millisecond; at < 34*time.Second; at += time.Second {
		synctest.Test(t, func(t *testing.T) {
			w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
			edge, abort := w.edge(), make(chan string, 1)
			edge.Abort = abort
			time.AfterFunc(at, func() { abort <- "ada says so" })
			res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 50, 100}, -1, rules()), edge)
			if err != nil || res.State.Phase != RolledBack || res.State.Reason != "aborted: ada says so" || w.fleet.selects != "baseline" {
				t.Errorf("aborted after %s: %+v, %v; the Service selects %q", at, res.State, err, w.fleet.selects)
			}
			if late := res.Ended.Sub(res.Started) - at; late > 2*time.Second {
				t.Errorf("aborted after %s, it ended %s later", at, late)
			}
		})
	}
}

func TestRunHoldsOnCancelIfAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{}, judge: healthy}
		r := rules()
		r.OnCancel = Hold
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		res, err := Run(ctx, mustPlan(t, 4, []float64{20, 100}, -1, r), w.edge())
		if err != nil || res.State.Phase != Held || w.fleet.selects != "both" {
			t.Fatalf("got %+v, %v; the Service selects %q", res.State, err, w.fleet.selects)
		}
	})
}

func TestRunWritesNothingAfterItLostTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(errTaken) })
		res, err := Run(ctx, mustPlan(t, 4, []float64{20, 100}, -1, rules()), w.edge())
		if err != nil || res.State.Phase != Abandoned {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		if slices.Contains(w.fleet.did, "rollback") || w.records[len(w.records)-1].Phase == Abandoned {
			t.Errorf("it wrote: %v, records %+v", w.fleet.did, w.records)
		}
	})
}

func TestRunTriesTheRollbackAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{fails: map[string]int{"rollback": 3, "promote": 1}}, judge: healthy}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{50, 100}, -1, rules()), w.edge())
		if err != nil || res.State.Phase != RolledBack || !strings.Contains(res.State.Reason, "told to fail") {
			t.Fatalf("got %+v, %v", res.State, err)
		}
	})
}

func TestRunSaysSoWhenTheRollbackDoesNotSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{took: time.Second, fails: map[string]int{"rollback": 1 << 30}}, judge: sickAfter(0)}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{50, 100}, -1, rules()), w.edge())
		if err == nil || !strings.Contains(err.Error(), "may still take traffic") || res.State.Phase != RollingBack || res.Safe() {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		if last := w.records[len(w.records)-1]; last.Phase != RollingBack {
			t.Errorf("the next run finds %+v", last)
		}
	})
}

func TestRunRollsBackWhenTheIntentCannotBeRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{}, judge: healthy}
		w.record = func(s State) error {
			if s.Phase == Promoting {
				return errors.New("conflict")
			}
			return nil
		}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{50, 100}, -1, rules()), w.edge())
		if err != nil || res.State.Phase != RolledBack || slices.Contains(w.fleet.did, "promote") {
			t.Fatalf("got %+v, %v, did %v", res.State, err, w.fleet.did)
		}
	})
}

func TestRunWaitsForTheRecordOfItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		// cancelled is how long after the last record began the run is cancelled; 0 is never.
		slow, cancelled time.Duration
		fails           bool
		took            time.Duration
	}{
		"of an API server that is slow":                  {slow: 90 * time.Second, took: 90 * time.Second},
		"not for ever":                                   {slow: time.Hour, fails: true, took: recordTime},
		"for a few seconds when it is cancelled by then": {slow: 90 * time.Second, cancelled: 10 * time.Second, fails: true, took: 10*time.Second + hurriedTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
				edge, began := w.edge(), time.Time{}
				edge.Record = func(ctx context.Context, s State) error {
					if s.Phase != Promoted {
						return nil
					}
					if began = time.Now(); c.cancelled > 0 {
						time.AfterFunc(c.cancelled, cancel)
					}
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(c.slow):
						return nil
					}
				}
				res, err := Run(ctx, mustPlan(t, 4, []float64{50, 100}, -1, rules()), edge)
				if res.State.Phase != Promoted || (err != nil) != c.fails || res.Ended.Sub(began) != c.took {
					t.Errorf("it ended %s after %s with %v, want %s", res.State.Phase, res.Ended.Sub(began), err, c.took)
				}
			})
		})
	}
}

func TestRunContinuesFromEveryRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPlan(t, 4, []float64{20, 50, 100}, -1, rules())
		first := &world{fleet: &fleet{took: time.Second}, judge: healthy}
		if _, err := Run(t.Context(), p, first.edge()); err != nil {
			t.Fatal(err)
		}
		for _, from := range first.records {
			w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
			e := w.edge()
			e.From = from
			res, err := Run(t.Context(), p, e)
			if err != nil || res.State.Phase != Promoted {
				t.Errorf("from %+v: got %+v, %v", from, res.State, err)
			}
		}
	})
}

func TestRunHoldsWithoutDataAndThenRollsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rules()
		r.OnNoData = Hold
		w := &world{fleet: &fleet{}, judge: func(Window, time.Duration) ([]verdict.Result, error) { return nil, errors.New("connection refused") }}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 100}, -1, r), w.edge())
		if err != nil || res.State.Phase != RolledBack || !strings.Contains(res.State.Reason, "connection refused") {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		// Four looks, then the hold of 30 s.
		if took := res.Ended.Sub(res.Started); took < 33*time.Second || took > 36*time.Second || len(w.fleet.did) != 3 {
			t.Errorf("took %s and did %v", took, w.fleet.did)
		}
	})
}

func inSightOnly(Window, time.Duration) ([]verdict.Result, error) {
	r := says(verdict.NotEnough)
	r[0].Candidate = &verdict.Counts{Total: 7}
	return r, nil
}

func TestRunGoesToTheEndWhenAPersonAsks(t *testing.T) {
	for at := 500 * time.Millisecond; at < 10*time.Second; at += time.Second {
		synctest.Test(t, func(t *testing.T) {
			w := &world{fleet: &fleet{took: time.Second}, judge: inSightOnly}
			edge, ask := w.edge(), make(chan Ask, 1)
			edge.Promote = ask
			time.AfterFunc(at, func() { ask <- ada })
			res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 50, 100}, -1, rules()), edge)
			if err != nil || res.State.Phase != Promoted || w.fleet.selects != "candidate" {
				t.Fatalf("asked after %s: %+v, %v; the Service selects %q", at, res.State, err, w.fleet.selects)
			}
			if want := []string{"scale 4+1", "admit", "scale 4+4", "promote"}; !slices.Equal(w.fleet.did, want) {
				t.Errorf("asked after %s it did %v, want %v", at, w.fleet.did, want)
			}
			for _, s := range w.records {
				if s.Step == 2 && (s.Asked == nil || s.Asked.Who != "ada" || !s.Asked.Skipped || s.Asked.From != 0) {
					t.Errorf("asked after %s, the record %+v does not say who", at, s)
				}
			}
			for _, s := range res.Samples {
				if s.Step == 1 {
					t.Errorf("asked after %s, a sample is told as one of the step that was skipped: %s", at, s)
				}
			}
			// The moves take four seconds, the look before the last of them one, and the last step its ten.
			if took := res.Ended.Sub(res.Started) - max(at, 2*time.Second); took > 13*time.Second {
				t.Errorf("asked after %s it took %s more", at, took)
			}
		})
	}
}

func TestRunRollsBackWhatAPersonWantsAndAChecksFails(t *testing.T) {
	for name, ill := range map[string]time.Duration{"at once": 0, "while the pods of the last step start": 5500 * time.Millisecond, "when it has all of the traffic": 12 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{fleet: &fleet{took: 2 * time.Second}}
				w.judge = func(win Window, since time.Duration) ([]verdict.Result, error) {
					if since >= ill {
						return says(verdict.Fail), nil
					}
					return inSightOnly(win, since)
				}
				edge, ask := w.edge(), make(chan Ask, 1)
				edge.Promote = ask
				ask <- ada
				res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 50, 100}, -1, rules()), edge)
				if err != nil || res.State.Phase != RolledBack || w.fleet.selects != "baseline" || res.State.Asked == nil {
					t.Errorf("got %+v, %v; the Service selects %q", res.State, err, w.fleet.selects)
				}
			})
		})
	}
}

func TestRunTakesUpWhatWasHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPlan(t, 4, []float64{20, 50, 100}, -1, rules())
		w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
		edge := w.edge()
		edge.From = State{Phase: Held, Step: 1, Admitted: true, Since: time.Now().Add(-time.Hour), Reason: "the run was cancelled"}
		res, err := Run(t.Context(), p, edge)
		if err != nil || res.State.Phase != Promoted {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		if want := []string{"scale 4+4", "promote"}; !slices.Equal(w.fleet.did, want) {
			t.Errorf("it did %v, want %v", w.fleet.did, want)
		}
		// Who dies from now on has not held it.
		if first := w.records[0]; first.Phase != Judging || first.Step != 1 || first.Reason != "" || first.Since.Before(res.Started) {
			t.Errorf("the first record is %+v", first)
		}
		if took := res.Samples[0].At.Sub(res.Started); res.Share < 100 || res.From.Step != 1 || took > time.Second {
			t.Errorf("share %v, from %+v, the first look after %s", res.Share, res.From, took)
		}
		if step := res.Ended.Sub(res.Started); step < 22*time.Second {
			t.Errorf("two steps of 10 s and two moves took %s", step)
		}
	})
}

func TestRunRollsBackWhatItCannotRecordAsTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fleet: &fleet{}, judge: healthy}
		w.record = func(s State) error {
			if s.Phase == Judging {
				return errors.New("conflict")
			}
			return nil
		}
		edge := w.edge()
		edge.From = State{Phase: Held, Admitted: true}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 100}, -1, rules()), edge)
		if err != nil || res.State.Phase != RolledBack || !strings.Contains(res.State.Reason, "taken up") {
			t.Errorf("got %+v, %v", res.State, err)
		}
	})
}
