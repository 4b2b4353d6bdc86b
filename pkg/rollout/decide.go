package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// Decide says where an observation leads and what to do there. It is pure and total: any state and any observation give an
// answer, and what makes no sense together changes nothing.
func Decide(p Plan, s State, o Observation) (State, Action) {
	s.Phase = cmp.Or(s.Phase, Planned)
	if s.Phase == Held && o.Event == Begin {
		s.Phase = Judging // a split that is judged is all that is ever held
	}
	switch {
	case s.Phase.Final():
		return s, Action{Kind: Stop}
	case o.Event == LockLost:
		s.Phase, s.Reason = Abandoned, cmp.Or(o.Reason, "another run has taken over")
		return s, Action{Kind: Stop}
	case s.Phase == RollingBack:
		if o.Event == Done {
			s.Phase, s.Admitted, s.Full = RolledBack, false, false
			return s, Action{Kind: Stop}
		}
		return s, Action{Kind: Return}
	case o.Event == Aborted:
		return back(s, cmp.Or(o.Reason, "the rollout was aborted"), nil)
	case o.Event == Cancelled:
		if p.Rules.OnCancel == Hold && (s.Phase == Judging || s.Phase == Holding) {
			s.Phase, s.Reason = Held, cmp.Or(o.Reason, "the run was cancelled")
			return s, Action{Kind: Stop}
		}
		return back(s, cmp.Or(o.Reason, "the run was cancelled"), nil)
	case o.Event == ActionFailed:
		return back(s, cmp.Or(o.Reason, fmt.Sprintf("%s did not succeed", s.Phase)), nil)
	case !p.fits(s.Step):
		return back(s, fmt.Sprintf("the recorded step %d is not in the plan of %d steps", s.Step+1, len(p.Steps)), nil)
	}
	if failed := failures(o); len(failed) > 0 && s.Phase != Planned {
		return back(s, "", failed)
	}
	if o.Event == AskedToPromote {
		return asked(p, s, o)
	}
	switch s.Phase {
	case Planned:
		if o.Event == Begin {
			s.Phase = Scaling
		}
	case Scaling, Admitting, Promoting:
		if o.Event == Done {
			return arrived(p, s, o.At)
		}
	case Judging, Holding:
		return judge(p, s, o)
	default:
		return back(s, fmt.Sprintf("the recorded phase %q is unknown", s.Phase), nil)
	}
	return s, pending(p, s, o.At)
}

// back begins the rollback. Its reason is never empty.
func back(s State, reason string, cause []verdict.Result) (State, Action) {
	if reason == "" {
		texts := make([]string, len(cause))
		for i, c := range cause {
			texts[i] = c.String()
		}
		reason = strings.Join(texts, "; ")
	}
	s.Phase, s.Reason, s.Cause = RollingBack, reason, cause
	return s, Action{Kind: Return}
}

// arrived leads on from an action that succeeded.
func arrived(p Plan, s State, at time.Time) (State, Action) {
	step := p.Steps[s.Step]
	switch {
	case s.Phase == Scaling && step.Full() && !s.Full:
		s.Phase = Promoting
	case s.Phase == Scaling && !s.Admitted && !s.Full:
		s.Phase = Admitting
	case s.Phase == Admitting && step.Baseline < p.Replicas:
		// Only now that the candidate takes its part may the baseline shrink.
		s.Phase, s.Admitted = Scaling, true
	case s.Phase == Promoting && !step.Full():
		s.Phase, s.Admitted, s.Full = Promoted, false, true
	default:
		s.Admitted = s.Phase != Promoting && !s.Full
		s.Full = s.Full || s.Phase == Promoting
		s.Phase, s.Since, s.Blind = Judging, at, 0
	}
	return s, pending(p, s, at)
}

// judge weighs what the checks say. Failures have been dealt with.
func judge(p Plan, s State, o Observation) (State, Action) {
	switch o.Event {
	case Begin:
		// Nobody watched in the meantime, so the step is watched from now on, in full.
		s.Phase, s.Since, s.Blind, s.HeldSince, s.Reason = Judging, o.At, 0, time.Time{}, ""
		return s, pending(p, s, o.At)
	case Sampled:
	default:
		return s, pending(p, s, o.At)
	}
	if blind(o) {
		s.Blind++
	} else {
		s.Blind = 0
	}
	wanted := s.Asked != nil && inSight(o)
	if wanted && s.Step+1 < len(p.Steps) {
		return skip(p, s, o.At)
	}
	passed, extra := passes(o) || wanted, p.extra(s.Step)
	if s.Asked != nil {
		extra = 0 // whoever asks does without the bake
	}
	switch {
	case s.Phase == Holding && passed:
		s.Phase, s.Since, s.HeldSince, s.Reason = Judging, o.At, time.Time{}, ""
	case s.Phase == Holding && o.At.Sub(s.HeldSince) >= p.Rules.HoldLimit:
		return back(s, fmt.Sprintf("%s; it was held for %s", unproven(o), p.Rules.HoldLimit), o.Results)
	case s.Phase == Holding:
	case passed && o.At.Sub(s.Since) >= p.Rules.StepDuration+extra:
		return passedStep(p, s, o.At)
	case s.Blind >= p.Rules.Blind:
		return stall(p, s, o, fmt.Sprintf("the checks gave no data %d times in a row: %s", s.Blind, unproven(o)))
	case !passed && o.At.Sub(s.Since) >= p.Rules.StepLimit+extra:
		return stall(p, s, o, fmt.Sprintf("the step could not be proven within %s: %s", p.Rules.StepLimit, unproven(o)))
	}
	return s, pending(p, s, o.At)
}

// passedStep goes to the next step, or to the end.
func passedStep(p Plan, s State, at time.Time) (State, Action) {
	s.Blind = 0
	switch {
	case s.Step+1 < len(p.Steps):
		s.Phase, s.Step = Scaling, s.Step+1
	case s.Full:
		s.Phase = Promoted
	default:
		s.Phase = Promoting
	}
	return s, pending(p, s, at)
}

// skip goes to the last step.
func skip(p Plan, s State, at time.Time) (State, Action) {
	ask := *s.Asked
	ask.From, ask.Skipped = s.Step, s.Step+2 < len(p.Steps)
	s.Asked, s.Step, s.Blind, s.HeldSince, s.Reason = &ask, len(p.Steps)-1, 0, time.Time{}, ""
	s.Phase = Scaling
	return s, pending(p, s, at)
}

// asked notes who asks for the promotion; the first one counts. What is being watched is looked at again at once.
func asked(p Plan, s State, o Observation) (State, Action) {
	if s.Asked == nil && o.Ask != nil && o.Ask.Who != "" {
		ask := *o.Ask
		ask.At = o.At
		s.Asked = &ask
	}
	next := pending(p, s, o.At)
	if next.Kind == Observe {
		next.At = o.At
	}
	return s, next
}

// stall holds or rolls back, as the plan says.
func stall(p Plan, s State, o Observation, reason string) (State, Action) {
	if p.Rules.OnNoData == Hold && p.Rules.HoldLimit > 0 {
		s.Phase, s.HeldSince, s.Reason = Holding, o.At, reason
		return s, pending(p, s, o.At)
	}
	return back(s, reason, o.Results)
}

// pending is the action that a state stands for; a run that takes the state up again repeats it.
func pending(p Plan, s State, at time.Time) Action {
	if !p.fits(s.Step) {
		return Action{Kind: Stop}
	}
	step := p.Steps[s.Step]
	switch s.Phase {
	case Scaling:
		a := Action{Kind: Scale, Baseline: step.Baseline, Candidate: step.Candidate}
		if s.Admitted && !step.Full() {
			a.Percent = p.weight(s.Step)
		}
		switch {
		case !s.Admitted && !s.Full:
			a.Baseline = p.Replicas
		case step.Full() && p.Weighted && s.Asked != nil && s.Asked.Skipped:
			// The weights are still those of the step that was left, and move only then.
			a.Baseline = p.Steps[s.Asked.From].Baseline
		case step.Full():
			a.Baseline = step.Warm
		}
		return a
	case Admitting:
		return Action{Kind: Admit, Percent: p.weight(s.Step)}
	case Promoting:
		return Action{Kind: Promote}
	case Judging, Holding:
		return Action{Kind: Observe, At: at.Add(p.Rules.Interval)}
	case RollingBack:
		return Action{Kind: Return}
	}
	return Action{Kind: Stop}
}

func failures(o Observation) []verdict.Result {
	var failed []verdict.Result
	if o.Event == Sampled {
		for _, r := range o.Results {
			if r.Outcome == verdict.Fail {
				failed = append(failed, r)
			}
		}
	}
	return failed
}

// passes says that there are results and that every one of them is a pass.
func passes(o Observation) bool {
	for _, r := range o.Results {
		if r.Outcome != verdict.Pass {
			return false
		}
	}
	return len(o.Results) > 0 && o.Reason == ""
}

// inSight says that every check has numbers of the candidate, and that none of them is outside of its bounds.
func inSight(o Observation) bool {
	for _, r := range o.Results {
		if !r.Seen() || r.Against || r.Outcome != verdict.Pass && r.Outcome != verdict.NotEnough {
			return false
		}
	}
	return len(o.Results) > 0 && o.Reason == ""
}

// blind says that at least one check could not be seen.
func blind(o Observation) bool {
	for _, r := range o.Results {
		if r.Outcome.Blind() {
			return true
		}
	}
	return len(o.Results) == 0 || o.Reason != ""
}

// unproven names the checks that did not pass.
func unproven(o Observation) string {
	var texts []string
	if o.Reason != "" {
		texts = append(texts, o.Reason)
	}
	for _, r := range o.Results {
		if r.Outcome != verdict.Pass {
			texts = append(texts, r.String())
		}
	}
	if len(texts) == 0 {
		return "there was nothing to judge by"
	}
	return strings.Join(texts, "; ")
}
