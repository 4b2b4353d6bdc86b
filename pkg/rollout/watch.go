package rollout

import (
	"context"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// observe waits for its time and looks at the checks.
func (r *run) observe(ctx context.Context, at time.Time) Observation {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case why := <-r.edge.Abort:
		return aborted(why)
	case ask := <-r.edge.Promote:
		return Observation{Event: AskedToPromote, At: time.Now(), Ask: &ask}
	case <-ctx.Done():
		return r.ended(ctx, context.Cause(ctx))
	case <-timer.C:
	}
	select {
	case why := <-r.edge.Abort: // it came at the same time, and outranks what a look may say
		return aborted(why)
	default:
	}
	o := r.look(ctx)
	if ctx.Err() != nil {
		return r.ended(ctx, context.Cause(ctx))
	}
	return o
}

// look asks the judge once and keeps what it said.
func (r *run) look(ctx context.Context) Observation {
	step := r.watchedStep()
	w := Window{Step: step, Since: r.state.Since, Now: time.Now(), Full: r.state.Full}
	results, err := r.edge.Judge.Observe(ctx, w)
	o := Observation{Event: Sampled, At: time.Now(), Results: results}
	if err != nil {
		o.Reason = err.Error()
	}
	if ctx.Err() != nil {
		// What a question says that was broken off is no evidence.
		return o
	}
	s := Sample{At: o.At, Step: step, Phase: r.state.Phase, Since: w.Since, Full: w.Full, Results: results, Problem: o.Reason}
	if r.plan.fits(step) {
		s.Asked, s.Achieved = r.plan.Steps[step].Asked, r.plan.Steps[step].Achieved
	}
	r.result.Samples = append(r.result.Samples, s)
	r.edge.Log.Infof("%s", s)
	return o
}

// watchedStep is the step whose split takes traffic: while the pods of the next one start, it is still the last one, or the one from
// which a person's word has led.
func (r *run) watchedStep() int {
	moving := r.state.Phase == Scaling || r.state.Phase == Promoting
	switch {
	case !moving || r.state.Step == 0:
		return r.state.Step
	case r.state.Asked != nil && r.state.Asked.Skipped:
		return r.state.Asked.From
	}
	return r.state.Step - 1
}

// aborted is somebody's wish to have the candidate gone.
func aborted(why string) Observation {
	return Observation{Event: Aborted, At: time.Now(), Reason: "aborted: " + why}
}

// watched does work while the candidate already takes traffic, and goes on watching it: a check that fails, or somebody's wish to have
// the candidate gone, ends the work at once and is what happened. Checks that give no number end nothing here; the step that follows
// demands them.
func (r *run) watched(ctx context.Context, work func(context.Context) error) (*Observation, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	var ticks <-chan time.Time
	if !r.state.Since.IsZero() && (r.state.Admitted || r.state.Full) {
		tick := time.NewTicker(r.plan.Rules.Interval)
		defer tick.Stop()
		ticks = tick.C
	}
	for {
		select {
		case err := <-done:
			return nil, err
		case why := <-r.edge.Abort:
			cancel(errAborted)
			o := aborted(why)
			return &o, <-done
		case ask := <-r.edge.Promote:
			// What is done goes on: it leads there too.
			r.decide(ctx, Observation{Event: AskedToPromote, At: time.Now(), Ask: &ask})
			continue
		case <-ticks:
		}
		// The judge may take its time; the work must not wait for it.
		looked := make(chan Observation, 1)
		asking, stop := context.WithCancel(ctx)
		go func() { looked <- r.look(asking) }()
		select {
		case err := <-done:
			stop()
			<-looked
			return nil, err
		case why := <-r.edge.Abort:
			stop()
			<-looked
			cancel(errAborted)
			o := aborted(why)
			return &o, <-done
		case o := <-looked:
			stop()
			if hasFailed(o.Results) && ctx.Err() == nil {
				cancel(errFailedCheck)
				return &o, <-done
			}
		}
	}
}

func hasFailed(results []verdict.Result) bool {
	for _, r := range results {
		if r.Outcome == verdict.Fail {
			return true
		}
	}
	return false
}
