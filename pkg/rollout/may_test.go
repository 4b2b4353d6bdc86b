package rollout

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/promote/pkg/verdict"
)

func TestRunAsksBeforeEveryMoveForwardAndTheEnd(t *testing.T) {
	forward := []string{"scale 4+1", "admit", "scale 4+4", "scale 4+4", "promote"}
	// One that is refused the last time has done all moves: only the end, which takes the old release away, is left.
	for refused := range len(forward) + 1 {
		synctest.Test(t, func(t *testing.T) {
			w := &world{fleet: &fleet{took: time.Second}, judge: healthy}
			e, asked := w.edge(), 0
			e.May = func(context.Context) error {
				if asked++; asked > refused {
					return errors.New("changes were requested by grace")
				}
				return nil
			}
			res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 50, 100}, -1, rules()), e)
			if err != nil || res.State.Phase != RolledBack || len(res.State.Cause) > 0 || !strings.Contains(res.State.Reason, "requested by grace") {
				t.Fatalf("refused after %d: got %+v, %v", refused, res.State, err)
			}
			if want := append(slices.Clone(forward[:refused]), "rollback"); !slices.Equal(w.fleet.did, want) {
				t.Errorf("refused after %d: did %v, want %v", refused, w.fleet.did, want)
			}
			for _, s := range w.records {
				if s.Phase == Promoted {
					t.Errorf("refused after %d: recorded %+v", refused, s)
				}
			}
		})
	}
}

func TestRunWatchesWhileItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The first step is over after 12 s. Who is asked then says nothing, and after a minute the candidate is sick.
		w := &world{fleet: &fleet{took: time.Second}, judge: sickAfter(time.Minute)}
		e := w.edge()
		e.May = func(ctx context.Context) error {
			if time.Since(w.began) < 10*time.Second {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		res, err := Run(t.Context(), mustPlan(t, 4, []float64{20, 100}, -1, rules()), e)
		if err != nil || res.State.Phase != RolledBack || len(res.State.Cause) != 1 || res.State.Cause[0].Outcome != verdict.Fail {
			t.Fatalf("got %+v, %v", res.State, err)
		}
		if took := res.Ended.Sub(res.Started); took > 63*time.Second {
			t.Errorf("the failure was there after a minute, the end came after %s", took)
		}
	})
}

func TestRunThatIsCancelledWhileItAsksIsNoRefusal(t *testing.T) {
	for cause, phase := range map[error]Phase{errors.New("the run was cancelled (interrupt)"): RolledBack, errTaken: Abandoned} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{fleet: &fleet{}, judge: healthy}
			e := w.edge()
			ctx, cancel := context.WithCancelCause(t.Context())
			e.May = func(ctx context.Context) error {
				cancel(cause)
				<-ctx.Done()
				return ctx.Err()
			}
			res, err := Run(ctx, mustPlan(t, 4, []float64{20, 100}, -1, rules()), e)
			if err != nil || res.State.Phase != phase || res.State.Reason != cause.Error() {
				t.Errorf("got %+v, %v; want %s because %s", res.State, err, phase, cause)
			}
		})
	}
}
