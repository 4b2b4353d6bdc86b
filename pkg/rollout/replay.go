package rollout

import (
	"fmt"

	"github.com/org/promote/pkg/verdict"
)

// Replayed is how a run would have ended.
type Replayed struct {
	// Ending is Promoted, RolledBack, or "" when it can't be said.
	Ending Phase
	// At is the sample that decided it, -1 when none did.
	At int
	// Reason says why it was rolled back, or why nothing can be said.
	Reason string
	// Samples are the run's with their new results, also those behind At.
	Samples []Sample
}

// Replay judges a run again that was recorded: again gives the results that a sample has under other checks, and is asked for
// each in turn. Everything else stays as it was: the same moves at the same moments, the same numbers. So it can be said that the
// checks would have rolled it back, at which sample; and that every step had passed when it was left. What can't be said is what
// would have come where the run did not go: behind its own end, or in a step that would have been watched longer.
func Replay(r Result, again func(s Sample) []verdict.Result) Replayed {
	was := walk(r, func(s Sample) []verdict.Result { return s.Results })
	out := Replayed{At: -1}
	would := walk(r, func(s Sample) []verdict.Result {
		s.Results = again(s)
		out.Samples = append(out.Samples, s)
		return s.Results
	})
	for i := range would {
		switch {
		case would[i].back:
			out.Ending, out.At, out.Reason = RolledBack, i, would[i].reason
			return out
		case was[i].back:
			out.At, out.Reason = i, "the run was rolled back here, so nothing is known of what would have come: "+was[i].reason
			return out
		case was[i].passed && !would[i].passed:
			out.At = i
			out.Reason = fmt.Sprintf("step %d was left here, and would have been watched longer: %s", r.Samples[i].Step+1, would[i].reason)
			return out
		}
	}
	switch r.State.Phase {
	case Promoted, RolledBack:
		// No check had a part in it, so no other check would have changed it.
		out.Ending, out.Reason = r.State.Phase, r.State.Reason
	default:
		out.Reason = fmt.Sprintf("the run itself came to no end, it is %s: %s", r.State.Phase, r.State.Reason)
	}
	return out
}

// decision is what [Decide] says to one sample.
type decision struct {
	// back: the run is rolled back. passed: the step may be left.
	back, passed bool
	// reason is why it is rolled back, or what has not passed.
	reason string
}

// walk follows a run by its samples. It has as many decisions as there are samples; behind one that rolls back they mean nothing.
func walk(r Result, results func(Sample) []verdict.Result) []decision {
	all := make([]decision, len(r.Samples))
	var at State
	for i, s := range r.Samples {
		o := Observation{Event: Sampled, At: s.At, Results: results(s), Reason: s.Problem}
		at = standing(at, s)
		if ask := r.State.Asked; ask != nil && !s.At.Before(ask.At) {
			at.Asked = ask
		}
		next, _ := Decide(r.Plan, at, o)
		all[i] = decision{
			back:   next.Phase == RollingBack,
			passed: (at.Phase == Judging || at.Phase == Holding) && next.Phase != RollingBack && next.Phase != Judging && next.Phase != Holding,
			reason: next.Reason,
		}
		switch {
		case all[i].passed:
			// The run may have stayed; then the step is watched as before.
			at.Blind = 0
		case !all[i].back:
			all[i].reason, at = unproven(o), next
		}
	}
	return all
}

// standing is the state in which a sample is judged. What has been seen in a step is kept until the run begins to count anew.
func standing(before State, s Sample) State {
	if s.Phase != Judging && s.Phase != Holding {
		return State{Phase: s.Phase, Step: s.Step, Since: s.Since, Full: s.Full, Admitted: !s.Full}
	}
	watched := before.Phase == Judging || before.Phase == Holding
	if watched && before.Step == s.Step && before.Since.Equal(s.Since) {
		return before
	}
	return State{Phase: Judging, Step: s.Step, Since: s.Since, Full: s.Full, Admitted: !s.Full}
}
