package release

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/cluster"
)

func TestDiagnoseLeftover(t *testing.T) {
	old, cand := &cluster.Release{ID: "old"}, &cluster.Release{ID: "new"}
	none, onOld, onNew, onBoth := share{}, share{exist: 1, baseline: 1}, share{exist: 1, candidate: 1}, share{exist: 1}
	for _, tc := range []struct {
		name  string
		state cluster.State
		live  share
		want  remedy
	}{
		{"nothing was under way", cluster.State{Serving: old}, onOld, remedyNone},
		{"killed while preparing: the baseline serves", cluster.State{Serving: old, Candidate: cand, Phase: PhasePreparing}, onOld, remedyRemove},
		{"killed while preparing the first release", cluster.State{Candidate: cand, Phase: PhasePreparing}, none, remedyRemove},
		{"killed after the tests: the baseline serves", cluster.State{Serving: old, Candidate: cand, Phase: PhaseTested}, onOld, remedyRemove},
		{"killed in mid-canary: both serve", cluster.State{Serving: old, Candidate: cand, Phase: PhaseTested}, onBoth, remedyRollback},
		{"killed right before the patch", cluster.State{Serving: old, Candidate: cand, Phase: PhaseSwitching}, onOld, remedyRemove},
		{"killed right after the patch", cluster.State{Serving: old, Candidate: cand, Phase: PhaseSwitching}, onNew, remedyVerify},
		{"killed between the patches of two Services", cluster.State{Serving: old, Candidate: cand, Phase: PhaseSwitching}, share{exist: 2, candidate: 1, baseline: 1}, remedyRollback},
		{"killed between two Services' way back", cluster.State{Serving: old, Candidate: cand, Phase: PhaseSwitching}, share{exist: 2, candidate: 1, baseline: 1}, remedyRollback},
		{"killed right after the first release's Service", cluster.State{Candidate: cand, Phase: PhaseSwitching}, onNew, remedyVerify},
		{"killed while the old release is removed", cluster.State{Serving: cand, Candidate: cand, Previous: old, Phase: PhaseCleaning}, onNew, remedyComplete},
		{"killed while discarding after a rollback", cluster.State{Serving: old, Candidate: cand, Phase: PhaseDiscard}, onOld, remedyRemove},
		{"held with all of the traffic", cluster.State{Serving: old, Candidate: cand, Phase: PhaseHeld}, onNew, remedyRollback},
		{"killed while discarding, traffic not back yet", cluster.State{Serving: old, Candidate: cand, Phase: PhaseDiscard}, onNew, remedyRollback},
		{"weights may lead to the candidate", cluster.State{Serving: old, Candidate: cand, Phase: PhaseDiscard, Entrance: &cluster.Entrance{}}, onOld, remedyRollback},
		{"weights lead to the candidate, which passed", cluster.State{Serving: old, Candidate: cand, Phase: PhaseSwitching, Entrance: &cluster.Entrance{}}, onNew, remedyVerify},
		{"the Service is gone", cluster.State{Serving: old, Candidate: cand, Phase: PhaseTested}, none, remedyRemove},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := diagnoseLeftover(&tc.state, tc.live); got != tc.want {
				t.Errorf("diagnoseLeftover = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestServicesOfSeveralReleasesAreJoined(t *testing.T) {
	a, b := map[string]string{"app": "a"}, map[string]string{"app": "b"}
	got := joined(&cluster.Release{Services: []cluster.SharedService{{Name: "web", Selector: a}}}, nil,
		&cluster.Release{Services: []cluster.SharedService{{Name: "web", Selector: b}, {Name: "old", Selector: b}}})
	want := []cluster.SharedService{{Name: "web", Selector: a}, {Name: "old", Selector: b}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
