package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/org/promote/pkg/cluster"
)

// door is an entrance that notes what is done, in the same list as its world.
type door struct {
	w       *world
	percent float64
	refuses error
}

func (d *door) Check(context.Context) error { return d.refuses }
func (d *door) Shift(_ context.Context, percent float64) error {
	d.percent = percent
	return d.w.do("shift %v", percent)
}
func (d *door) Return(context.Context) error { return d.w.do("return") }
func (d *door) Close(context.Context) error  { return d.w.do("close") }

func weighted(t *testing.T, w *world) (*Weighted, *door) {
	t.Helper()
	cfg := config()
	cfg.Services[0].Own = "checkout-candidate"
	d := &door{w: w}
	in := pods(w)
	in.cfg = cfg
	fleet, err := newWeighted(t.Context(), in, d)
	if err != nil {
		t.Fatal(err)
	}
	return fleet, d
}

func TestWeightsMoveAfterPodsStartAndBeforeAnyGo(t *testing.T) {
	w := newWorld(4, 1)
	fleet, _ := weighted(t, w)
	if err := fleet.Scale(t.Context(), 2, 2, 50); err != nil {
		t.Fatal(err)
	}
	if want := []string{"scale new 2", "wait new", "endpoints new-1", "shift 50", "drain old 2"}; !slices.Equal(w.did, want) {
		t.Errorf("did %q, want %q", w.did, want)
	}
}

func TestWeightsThatDoNotMoveTakeNothingAway(t *testing.T) {
	w := newWorld(4, 1)
	w.fails["shift"] = errors.New("PriorRequestNotComplete")
	fleet, _ := weighted(t, w)
	if err := fleet.Scale(t.Context(), 2, 2, 50); err == nil || w.replicas["old"] != 4 {
		t.Errorf("got %v with %d baseline pods", err, w.replicas["old"])
	}
}

func TestScalingWithoutAShareMovesNoWeight(t *testing.T) {
	w := newWorld(4, 1)
	fleet, _ := weighted(t, w)
	if err := fleet.Scale(t.Context(), 4, 4, 0); err != nil || slices.ContainsFunc(w.did, func(s string) bool { return strings.HasPrefix(s, "shift") }) {
		t.Errorf("got %v, did %q", err, w.did)
	}
}

func TestPromotionLeadsEverybodyAwayBeforeTheSharedServiceChanges(t *testing.T) {
	w := newWorld(4, 4)
	fleet, _ := weighted(t, w)
	if err := fleet.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"shift 100", "select checkout new-1", "endpoints new-1"}; !slices.Equal(w.did, want) {
		t.Errorf("did %q, want %q", w.did, want)
	}
}

func TestTheWayBackIsThroughTheServices(t *testing.T) {
	for name, fails := range map[string]string{"": "", "with weights that can't be moved": "return"} {
		t.Run("rollback"+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(4, 4)
				if fails != "" {
					w.fails[fails] = errors.New("AccessDenied")
				}
				fleet, _ := weighted(t, w)
				if err := fleet.Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := []string{"select checkout-candidate old-1", "select checkout old-1", "return", "endpoints old-1", "endpoints old-1", "kill new"}
				if !slices.Equal(w.did, want) {
					t.Errorf("did %q, want %q", w.did, want)
				}
			})
		})
	}
}

func TestAnEntranceMayRefuse(t *testing.T) {
	_, err := newWeighted(t.Context(), pods(newWorld(4, 0)), &door{refuses: errors.New("rule 2 leads elsewhere")})
	for _, part := range []string{"no Service of its own", "rule 2 leads elsewhere"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the refusal does not say %q: %v", part, err)
		}
	}
}

// gate is a namespace's routes as percentages.
type gate struct {
	did   []string
	fails map[string]error
}

func (g *gate) note(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	g.did = append(g.did, line)
	return g.fails[line]
}
func (g *gate) CheckRoutes(_ context.Context, r []cluster.ObjectRef, _ []cluster.Way) error {
	return g.note("check %d", len(r))
}
func (g *gate) ShareRoute(_ context.Context, r cluster.ObjectRef, _ []cluster.Way, p float64) error {
	return g.note("share %s %v", r.Name, p)
}
func (g *gate) PatchRoute(_ context.Context, r cluster.ObjectRef, _ []cluster.Way, p float64) error {
	return g.note("patch %s %v", r.Name, p)
}
func (g *gate) RestoreRoute(_ context.Context, r cluster.ObjectRef, _ []cluster.Way) error {
	return g.note("restore %s", r.Name)
}

func TestAGatewayMovesAllOfItsRoutes(t *testing.T) {
	in := &gate{fails: map[string]error{"patch a 0": errors.New("conflict")}}
	g := &Gateway{in: in, log: func(string) {}, as: cluster.Entrance{Routes: []cluster.ObjectRef{{Name: "a"}, {Name: "b"}}, Ways: []cluster.Way{{Shared: "checkout"}}}}
	if err := errors.Join(g.Shift(t.Context(), 25), g.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := g.Return(t.Context()); err == nil {
		t.Error("a route that could not be patched is not told")
	}
	// One route that can't be patched keeps no other from going back.
	want := []string{"share a 25", "share b 25", "restore a", "restore b", "patch a 0", "patch b 0"}
	if !slices.Equal(in.did, want) {
		t.Errorf("did %q, want %q", in.did, want)
	}
}
