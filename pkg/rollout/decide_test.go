package rollout

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/org/promote/pkg/verdict"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func says(outcomes ...verdict.Outcome) []verdict.Result {
	var results []verdict.Result
	for _, o := range outcomes {
		results = append(results, verdict.Result{Check: "errors", Outcome: o, Reason: "for the test"})
	}
	return results
}

// seen is a look at which the check had numbers of the candidate.
func seen(after time.Duration, outcome verdict.Outcome, against bool) Observation {
	o := sampled(after, outcome)
	o.Results[0].Candidate, o.Results[0].Against = &verdict.Counts{Total: 9}, against
	return o
}

// ada asks for the promotion.
var ada = Ask{Who: "ada", Why: "the shop is down", At: t0}

func asks(a Ask) Observation { return Observation{Event: AskedToPromote, At: t0, Ask: &a} }

func sampled(after time.Duration, outcomes ...verdict.Outcome) Observation {
	return Observation{Event: Sampled, At: t0.Add(after), Results: says(outcomes...)}
}

func TestDecideHasOneRowPerEdge(t *testing.T) {
	hold := rules()
	hold.OnNoData, hold.OnCancel = Hold, Hold
	four := mustPlan(t, 4, []float64{20, 50, 100}, -1, rules())
	holding := mustPlan(t, 4, []float64{20, 50, 100}, -1, hold)
	tight := mustPlan(t, 4, []float64{25, 50}, 0, rules())
	baked := rules()
	baked.Bake = time.Minute
	baking := mustPlan(t, 4, []float64{50, 100}, -1, baked)
	judging := State{Phase: Judging, Admitted: true, Since: t0}
	done := Observation{Event: Done, At: t0}
	wanted := State{Phase: Judging, Admitted: true, Since: t0, Asked: &ada}
	unwatched := State{Phase: Holding, Since: t0, HeldSince: t0, Asked: &ada}
	last := State{Phase: Judging, Step: 2, Full: true, Since: t0, Asked: &ada}
	weighted, err := NewWeightedPlan(4, []float64{20, 50, 100}, 0, rules())
	if err != nil {
		t.Fatal(err)
	}
	skipped := ada
	skipped.Skipped = true
	for _, c := range []struct {
		name string
		plan Plan
		from State
		o    Observation
		to   Phase
		step int
		act  Action
	}{
		{"planned begins with the first step's pods", four, State{}, Observation{Event: Begin, At: t0}, Scaling, 0, Action{Kind: Scale, Baseline: 4, Candidate: 1}},
		{"pods that are up are admitted", four, State{Phase: Scaling}, done, Admitting, 0, Action{Kind: Admit}},
		{"admitted pods are judged", four, State{Phase: Admitting}, done, Judging, 0, Action{Kind: Observe, At: t0.Add(time.Second)}},
		{"without surge the baseline shrinks only after admission", tight, State{Phase: Admitting}, done, Scaling, 0, Action{Kind: Scale, Baseline: 3, Candidate: 1}},
		{"and then is judged", tight, State{Phase: Scaling, Admitted: true}, done, Judging, 0, Action{Kind: Observe, At: t0.Add(time.Second)}},
		{"a pass before its time waits", four, judging, sampled(9*time.Second, verdict.Pass), Judging, 0, Action{Kind: Observe, At: t0.Add(10 * time.Second)}},
		{"a pass in time goes to the next step", four, judging, sampled(10*time.Second, verdict.Pass), Scaling, 1, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"one check that does not pass keeps the step", four, judging, sampled(10*time.Second, verdict.Pass, verdict.NotEnough), Judging, 0, Action{Kind: Observe, At: t0.Add(11 * time.Second)}},
		{"one check that fails rolls back at once", four, judging, sampled(time.Second, verdict.Pass, verdict.Fail), RollingBack, 0, Action{Kind: Return}},
		{"a failure while pods start rolls back", four, State{Phase: Scaling, Step: 1, Admitted: true, Since: t0}, sampled(time.Second, verdict.Fail), RollingBack, 1, Action{Kind: Return}},
		{"too little evidence at the limit rolls back", four, judging, sampled(time.Minute, verdict.NotEnough), RollingBack, 0, Action{Kind: Return}},
		{"too little evidence at the limit is held if so asked", holding, judging, sampled(time.Minute, verdict.NotEnough), Holding, 0, Action{Kind: Observe, At: t0.Add(61 * time.Second)}},
		{"three blind looks are borne", four, State{Phase: Judging, Since: t0, Blind: 2}, sampled(time.Second, verdict.NoData), Judging, 0, Action{Kind: Observe, At: t0.Add(2 * time.Second)}},
		{"the fourth rolls back", four, State{Phase: Judging, Since: t0, Blind: 3}, sampled(time.Second, verdict.NoData), RollingBack, 0, Action{Kind: Return}},
		{"no checks at all are blindness", four, State{Phase: Judging, Since: t0, Blind: 3}, sampled(20 * time.Second), RollingBack, 0, Action{Kind: Return}},
		{"a broken check is blindness", four, State{Phase: Judging, Since: t0, Blind: 3}, sampled(20*time.Second, verdict.Broken), RollingBack, 0, Action{Kind: Return}},
		{"blindness is held if so asked", holding, State{Phase: Judging, Since: t0, Blind: 3}, sampled(time.Second, verdict.NoData), Holding, 0, Action{Kind: Observe, At: t0.Add(2 * time.Second)}},
		{"data again takes the step up", holding, State{Phase: Holding, Since: t0, HeldSince: t0}, sampled(time.Second, verdict.Pass), Judging, 0, Action{Kind: Observe, At: t0.Add(2 * time.Second)}},
		{"holding ends", holding, State{Phase: Holding, Since: t0, HeldSince: t0}, sampled(30*time.Second, verdict.NoData), RollingBack, 0, Action{Kind: Return}},
		{"a failure while held rolls back", holding, State{Phase: Holding, Since: t0, HeldSince: t0}, sampled(time.Second, verdict.Fail), RollingBack, 0, Action{Kind: Return}},
		{"a full step promotes once its pods are up", four, State{Phase: Scaling, Step: 2, Admitted: true, Since: t0}, done, Promoting, 2, Action{Kind: Promote}},
		{"and is judged", four, State{Phase: Promoting, Step: 2, Admitted: true}, done, Judging, 2, Action{Kind: Observe, At: t0.Add(time.Second)}},
		{"a full step that passed is the end", four, State{Phase: Judging, Step: 2, Full: true, Since: t0}, sampled(10*time.Second, verdict.Pass), Promoted, 2, Action{Kind: Stop}},
		{"a full step bakes longer", baking, State{Phase: Judging, Step: 1, Full: true, Since: t0}, sampled(69*time.Second, verdict.Pass), Judging, 1, Action{Kind: Observe, At: t0.Add(70 * time.Second)}},
		{"until that is over too", baking, State{Phase: Judging, Step: 1, Full: true, Since: t0}, sampled(70*time.Second, verdict.Pass), Promoted, 1, Action{Kind: Stop}},
		{"a last step that is not full promotes", tight, State{Phase: Judging, Step: 1, Admitted: true, Since: t0}, sampled(10*time.Second, verdict.Pass), Promoting, 1, Action{Kind: Promote}},
		{"which is the end", tight, State{Phase: Promoting, Step: 1, Admitted: true}, done, Promoted, 1, Action{Kind: Stop}},
		{"a failed action rolls back", four, State{Phase: Scaling}, Observation{Event: ActionFailed, At: t0}, RollingBack, 0, Action{Kind: Return}},
		{"a rollback that succeeded is the end", four, State{Phase: RollingBack}, done, RolledBack, 0, Action{Kind: Stop}},
		{"a rollback that failed is tried again", four, State{Phase: RollingBack}, Observation{Event: ActionFailed, At: t0}, RollingBack, 0, Action{Kind: Return}},
		{"a cancel does not stop a rollback", holding, State{Phase: RollingBack}, Observation{Event: Cancelled, At: t0}, RollingBack, 0, Action{Kind: Return}},
		{"a cancel holds what is judged if so asked", holding, judging, Observation{Event: Cancelled, At: t0}, Held, 0, Action{Kind: Stop}},
		{"a cancel undoes a move even then", holding, State{Phase: Scaling, Step: 1, Admitted: true}, Observation{Event: Cancelled, At: t0}, RollingBack, 1, Action{Kind: Return}},
		{"begin watches a recorded step anew", four, judging, Observation{Event: Begin, At: t0.Add(time.Hour)}, Judging, 0, Action{Kind: Observe, At: t0.Add(time.Hour + time.Second)}},
		{"begin repeats a recorded move", four, State{Phase: Scaling, Step: 1, Admitted: true}, Observation{Event: Begin, At: t0}, Scaling, 1, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"a recorded step that the plan lacks rolls back", four, State{Phase: Scaling, Step: 7}, Observation{Event: Begin, At: t0}, RollingBack, 7, Action{Kind: Return}},
		{"a recorded phase that nobody knows rolls back", four, State{Phase: "dancing"}, Observation{Event: Begin, At: t0}, RollingBack, 0, Action{Kind: Return}},
		{"a lost lock writes nothing, not even a rollback", four, State{Phase: RollingBack}, Observation{Event: LockLost, At: t0}, Abandoned, 0, Action{Kind: Stop}},
		{"a person who asks is heard, and the step looked at again at once", four, judging, asks(ada), Judging, 0, Action{Kind: Observe, At: t0}},
		{"a person who asks changes no move", four, State{Phase: Scaling, Step: 1, Admitted: true}, asks(ada), Scaling, 1, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"a person who asks stops no rollback", four, State{Phase: RollingBack}, asks(ada), RollingBack, 0, Action{Kind: Return}},
		{"what is in sight goes to the last step", four, wanted, seen(time.Second, verdict.NotEnough, false), Scaling, 2, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"what has passed too", four, wanted, seen(time.Second, verdict.Pass, false), Scaling, 2, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"without a person's word it waits", four, judging, seen(time.Second, verdict.NotEnough, false), Judging, 0, Action{Kind: Observe, At: t0.Add(2 * time.Second)}},
		{"numbers outside of their bounds go nowhere", four, wanted, seen(time.Second, verdict.NotEnough, true), Judging, 0, Action{Kind: Observe, At: t0.Add(2 * time.Second)}},
		{"what has no numbers goes nowhere", four, wanted, sampled(time.Second, verdict.NotEnough), Judging, 0, Action{Kind: Observe, At: t0.Add(2 * time.Second)}},
		{"what is blind goes nowhere", four, wanted, sampled(time.Second, verdict.NoData), Judging, 0, Action{Kind: Observe, At: t0.Add(2 * time.Second)}},
		{"and is rolled back as ever", four, State{Phase: Judging, Since: t0, Blind: 3, Asked: &ada}, sampled(time.Second, verdict.NoData), RollingBack, 0, Action{Kind: Return}},
		{"what fails is rolled back as ever", four, wanted, seen(time.Second, verdict.Fail, true), RollingBack, 0, Action{Kind: Return}},
		{"what is held for want of numbers goes on when they are there", holding, unwatched, seen(time.Second, verdict.NotEnough, false), Scaling, 2, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"weights that have not moved keep the baseline whole", weighted, wanted, seen(time.Second, verdict.NotEnough, false), Scaling, 2, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"also when the move is repeated", weighted, State{Phase: Scaling, Step: 2, Admitted: true, Asked: &skipped}, Observation{Event: Begin, At: t0}, Scaling, 2, Action{Kind: Scale, Baseline: 4, Candidate: 4}},
		{"all of the traffic is watched for a step's duration", four, last, seen(9*time.Second, verdict.NotEnough, false), Judging, 2, Action{Kind: Observe, At: t0.Add(10 * time.Second)}},
		{"and then it is the end", four, last, seen(10*time.Second, verdict.NotEnough, false), Promoted, 2, Action{Kind: Stop}},
		{"not while numbers are outside of their bounds", four, last, seen(10*time.Second, verdict.NotEnough, true), Judging, 2, Action{Kind: Observe, At: t0.Add(11 * time.Second)}},
		{"nor when it fails at the end", four, last, seen(10*time.Second, verdict.Fail, true), RollingBack, 2, Action{Kind: Return}},
		{"who asks does without the bake", baking, State{Phase: Judging, Step: 1, Full: true, Since: t0, Asked: &ada}, seen(10*time.Second, verdict.NotEnough, false), Promoted, 1, Action{Kind: Stop}},
		{"a last step that is not full promotes then", tight, State{Phase: Judging, Step: 1, Admitted: true, Since: t0, Asked: &ada}, seen(10*time.Second, verdict.NotEnough, false), Promoting, 1, Action{Kind: Promote}},
		{"an abort outranks a person's word", four, wanted, Observation{Event: Aborted, At: t0}, RollingBack, 0, Action{Kind: Return}},
		{"what was held is judged again, in full", holding, State{Phase: Held, Step: 1, Admitted: true, Since: t0, Reason: "cancelled"}, Observation{Event: Begin, At: t0.Add(time.Hour)}, Judging, 1, Action{Kind: Observe, At: t0.Add(time.Hour + time.Second)}},
		{"what was held by another plan is rolled back", four, State{Phase: Held, Step: 7, Admitted: true}, Observation{Event: Begin, At: t0}, RollingBack, 7, Action{Kind: Return}},
		{"nothing else ends a hold", holding, State{Phase: Held, Admitted: true}, seen(time.Hour, verdict.Pass, false), Held, 0, Action{Kind: Stop}},
		{"what is over stays over", four, State{Phase: Promoted}, Observation{Event: Aborted, At: t0}, Promoted, 0, Action{Kind: Stop}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, a := Decide(c.plan, c.from, c.o)
			if s.Phase != c.to || s.Step != c.step || a != c.act {
				t.Errorf("got %s, step %d, %+v; want %s, step %d, %+v", s.Phase, s.Step, a, c.to, c.step, c.act)
			}
			if s.Phase == RollingBack && c.from.Phase != RollingBack && s.Reason == "" {
				t.Error("the rollback has no reason")
			}
		})
	}
}

func TestNobodysWordPromotesNothing(t *testing.T) {
	p := mustPlan(t, 4, []float64{20, 50, 100}, -1, rules())
	for name, a := range map[string]*Ask{"without a name": {Why: "now!"}, "without anything": nil} {
		s, _ := Decide(p, State{Phase: Judging, Admitted: true, Since: t0}, Observation{Event: AskedToPromote, At: t0, Ask: a})
		if s, _ = Decide(p, s, seen(time.Second, verdict.NotEnough, false)); s.Phase != Judging || s.Asked != nil {
			t.Errorf("%s: it goes on to %s, asked by %+v", name, s.Phase, s.Asked)
		}
	}
	s, _ := Decide(p, State{Phase: Judging, Admitted: true, Since: t0, Asked: &ada}, asks(Ask{Who: "bob", Why: "me too"}))
	if s.Asked.Who != "ada" {
		t.Errorf("the second to ask is recorded: %+v", s.Asked)
	}
}

func TestEveryStateHasAnAbortEdge(t *testing.T) {
	p := mustPlan(t, 4, []float64{20, 50, 100}, -1, rules())
	for _, phase := range []Phase{"", Planned, Scaling, Admitting, Judging, Holding, Promoting, "unknown"} {
		s, a := Decide(p, State{Phase: phase, Step: 1}, Observation{Event: Aborted, At: t0})
		if s.Phase != RollingBack || a.Kind != Return || s.Reason == "" {
			t.Errorf("%q: abort leads to %s and %s, want a rollback", phase, s.Phase, a.Kind)
		}
	}
}

// TestRandomHistoriesKeepTheInvariants plays random events, sensible or not, against a model of the traffic.
func TestRandomHistoriesKeepTheInvariants(t *testing.T) {
	ends, skipped := map[Phase]int{}, 0
	for seed := range uint64(40000) {
		s := playHistory(t, seed)
		ends[s.Phase]++
		if s.Phase == Promoted && s.Asked != nil && s.Asked.Skipped {
			skipped++
		}
	}
	if skipped < 100 {
		t.Errorf("only %d histories were promoted by a person's word", skipped)
	}
	for _, final := range []Phase{Promoted, RolledBack, Held, Abandoned} {
		if ends[final] < 100 {
			t.Errorf("only %d histories ended %s; the test does not reach what it is about", ends[final], final)
		}
	}
}

func playHistory(t *testing.T, seed uint64) State {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rnd := rand.New(rand.NewPCG(seed, 7))
	r := rules()
	r.OnNoData = []Policy{Rollback, Hold}[rnd.IntN(2)]
	r.OnCancel = []Policy{Rollback, Hold}[rnd.IntN(2)]
	n := 1 + rnd.IntN(12)
	p, err := newPlan(n, []float64{5, 25, 50, 75, 100}[rnd.IntN(5):], rnd.IntN(2*n)-1, r, rnd.IntN(2) == 0)
	if err != nil {
		t.Fatal(err)
	}
	var s State
	var a Action
	now, traffic, passes := t0, 0.0, map[int]bool{}
	for range 80 {
		o := randomObservation(rnd, s, &now)
		before := s
		s, a = Decide(p, s, o)
		watched := before.Phase == Judging || before.Phase == Holding
		if watched && s.Step != before.Step || before.Phase == Judging && (s.Phase == Promoting || s.Phase == Promoted) {
			passes[before.Step] = left(before, o)
			if !passes[before.Step] {
				t.Fatalf("step %d was left with %+v, asked by %+v", before.Step, o, before.Asked)
			}
		}
		for skipped := before.Step + 1; skipped < s.Step; skipped++ {
			if passes[skipped] = left(before, o) && before.Asked != nil; !passes[skipped] {
				t.Fatalf("step %d was skipped with %+v, asked by %+v", skipped, o, before.Asked)
			}
		}
		if s.Phase == Promoted && before.Phase == Judging && o.At.Sub(before.Since) < r.StepDuration {
			t.Fatalf("promoted after %s", o.At.Sub(before.Since))
		}
		checkHistory(t, p, before, s, a, passes)
		if o.Event != Done {
			continue
		}
		// The model: an action that is done has its effect.
		was, did := traffic, pending(p, before, o.At)
		switch did.Kind {
		case Admit:
			traffic = share(n, p.Steps[before.Step].Candidate)
			if p.Weighted {
				traffic = did.Percent
			}
		case Promote:
			traffic = 100
		case Scale:
			switch {
			case p.Weighted && did.Percent > 0:
				traffic = did.Percent
			case !p.Weighted && before.Admitted:
				traffic = max(traffic, p.Steps[before.Step].Achieved)
			}
			if serve := float64(n) * (100 - traffic) / 100; p.Weighted && float64(did.Baseline) < serve-1e-9 {
				t.Fatalf("%+v leaves the baseline less than the %v pods that its traffic needs", did, serve)
			}
		case Return:
			traffic = 0
		}
		if traffic < was && traffic != 0 {
			t.Fatalf("the share fell from %v to %v", was, traffic)
		}
		if s.Phase == RolledBack && traffic != 0 {
			t.Fatalf("rolled back with %v %% on the candidate", traffic)
		}
	}
	return s
}

// left says that a step may be left: every check passes, or a person asked for it, by name, every check has numbers, none is
// outside of its bounds and none has failed.
func left(before State, o Observation) bool {
	wanted := before.Asked != nil && before.Asked.Who != ""
	for _, r := range o.Results {
		enough := wanted && r.Outcome == verdict.NotEnough && r.Value != nil
		if r.Outcome != verdict.Pass && !enough || wanted && r.Against && r.Outcome != verdict.Pass {
			return false
		}
	}
	return o.Event == Sampled && len(o.Results) > 0
}

func checkHistory(t *testing.T, p Plan, before, s State, a Action, passes map[int]bool) {
	switch {
	case before.Phase == Held && s.Phase != Held && s.Phase != Judging && s.Phase != RollingBack:
		t.Fatalf("what was held became %s", s.Phase)
	case before.Phase.Final() && before.Phase != Held && s.Phase != before.Phase:
		t.Fatalf("%s did not stay but became %s", before.Phase, s.Phase)
	case s.Phase == RollingBack && s.Reason == "":
		t.Fatal("a rollback without a reason")
	case s.Step < before.Step || s.Step > before.Step+1 && before.Asked == nil:
		t.Fatalf("from step %d to %d", before.Step, s.Step)
	case before.Phase == RollingBack && s.Phase != RollingBack && s.Phase != RolledBack && s.Phase != Abandoned:
		t.Fatalf("a rollback became %s", s.Phase)
	case s.Phase == Promoted && len(passes) != len(p.Steps):
		t.Fatalf("promoted after %d of %d steps", len(passes), len(p.Steps))
	case a.Kind == Scale && (a.Baseline > p.Replicas || a.Baseline+a.Candidate < p.Replicas):
		t.Fatalf("%+v: too many or too few pods for %d", a, p.Replicas)
	case a.Kind == "":
		t.Fatalf("no action in %+v", s)
	}
}

func randomObservation(rnd *rand.Rand, s State, now *time.Time) Observation {
	*now = now.Add(time.Duration(rnd.IntN(8)) * time.Second)
	o := Observation{At: *now}
	switch x := rnd.IntN(200); {
	case s.Phase == "" || s.Phase == Planned || x < 4:
		o.Event = Begin
	case x < 5:
		o.Event = Cancelled
	case x < 6:
		o.Event = Aborted
	case x < 7:
		o.Event = LockLost
	case x < 9:
		o.Event = ActionFailed
	case x < 12:
		o.Event, o.Ask = AskedToPromote, &Ask{Who: []string{"", "ada"}[rnd.IntN(2)], Why: "for the test"}
	case s.Phase == Judging || s.Phase == Holding || x < 20:
		o.Event = Sampled
		kinds := []verdict.Outcome{verdict.Pass, verdict.Pass, verdict.Pass, verdict.Pass, verdict.Pass, verdict.NotEnough, verdict.NoData, verdict.Broken}
		for range rnd.IntN(3) {
			r := verdict.Result{Check: "x", Outcome: kinds[rnd.IntN(len(kinds))], Against: rnd.IntN(8) == 0}
			if rnd.IntN(4) > 0 {
				r.Value = new(1.0)
			}
			o.Results = append(o.Results, r)
		}
		if rnd.IntN(60) == 0 {
			o.Results = append(o.Results, verdict.Result{Check: "x", Outcome: verdict.Fail})
		}
	default:
		o.Event = Done
	}
	return o
}

// FuzzDecide plays histories beyond those of the test; `make fuzz` plays millions.
func FuzzDecide(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { playHistory(t, seed) })
}
