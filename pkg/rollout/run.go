package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// Fleet is what takes the traffic. Every method may be called again when it is not known whether it succeeded, returns when
// clients feel the change, and stops soon after its context ends.
type Fleet interface {
	// Scale brings both releases to these numbers of pods that are ready to serve. A fleet whose traffic is shared by weights gives
	// the candidate that many percent meanwhile, once there are pods for it; 0 leaves the weights as they are.
	Scale(ctx context.Context, baseline, candidate int, percent float64) error
	// Admit lets both releases take traffic, the candidate that many percent where weights share it.
	Admit(ctx context.Context, percent float64) error
	// Promote lets the candidate alone take traffic; the baseline's pods stay.
	Promote(ctx context.Context) error
	// Rollback lets the baseline alone take traffic, with one write before anything else.
	Rollback(ctx context.Context) error
}

// Window is what a judge looks at: the time since the step began.
type Window struct {
	Step       int
	Since, Now time.Time
	// Full says that no baseline pod takes traffic, so there is nothing to compare with.
	Full bool
}

// Judge asks the monitor. Checks that give no number are results too; the error is for a judge that could not ask at all.
type Judge interface {
	Observe(ctx context.Context, w Window) ([]verdict.Result, error)
}

// Log takes the lines that a person follows.
type Log interface {
	Infof(format string, args ...any)
}

// Edge is what a rollout acts on.
type Edge struct {
	Fleet Fleet
	Judge Judge
	// May gives an error when what allowed the rollout holds no longer, which undoes it. It is asked before each move forward,
	// and before the end, which the old release is not there to return from; nil is never asked.
	May func(ctx context.Context) error
	// Record keeps the state where the next run finds it.
	Record func(ctx context.Context, s State) error
	Log    Log
	// Abort gives why the rollout is to be undone, when somebody wants that; nil never does.
	Abort <-chan string
	// Promote gives who asks that the steps that are left be skipped; nil never does.
	Promote <-chan Ask
	// Begun is told when a step has its share and begins to be judged; nil is not. The rollout waits for it.
	Begun func(step int)
	// From is where to begin: the zero State, or a recorded one. One that was held is recorded as being judged before anything else,
	// so that a run that dies from then on is not taken for one that held it.
	From State
	// LockLost recognises the cause of a context that ended because another run took over.
	LockLost func(cause error) bool
}

const (
	// cancelTime bounds a rollback after a cancellation: GitHub sends SIGTERM 7.5 s after SIGINT, and what is left of that
	// belongs to telling what happened.
	cancelTime = 6500 * time.Millisecond
	// rollbackTime bounds the tries at a rollback otherwise; longer than an API server takes to come back.
	rollbackTime = 3 * time.Minute
	// retryPause lies between them.
	retryPause = 500 * time.Millisecond
	// recordTime bounds the record of how a rollout ended, which is written when the traffic is where it is to be. A promotion that is
	// not recorded is undone by the next run, so an API server that is away or overloaded is waited for.
	recordTime = 2 * time.Minute
	// hurriedTime is what is left of it in a run that was cancelled.
	hurriedTime = 5 * time.Second
)

// Run does what [Decide] says until the rollout is over. Before each move forward it asks whether it still may, and records
// the state; it watches the checks while pods start, and on a cancelled context still rolls back. A rollback is not recorded
// first: the one write that makes traffic safe comes before everything else, and a run that finds the older record undoes the
// rollout just the same.
//
// That a rollout was rolled back is a Result, not an error. An error says that traffic may not be safe: the rollback itself
// did not succeed in time, and its record stays for the next run.
func Run(ctx context.Context, p Plan, e Edge) (Result, error) {
	r := &run{plan: p, edge: e, state: e.From, result: Result{Plan: p, From: e.From, Share: p.share(e.From), Started: time.Now()}}
	err := r.loop(ctx)
	r.result.State, r.result.Ended = r.state, time.Now()
	return r.result, err
}

type run struct {
	plan   Plan
	edge   Edge
	state  State
	result Result
	// decided is when the rollback was decided.
	decided time.Time
}

func (r *run) loop(ctx context.Context) error {
	action := r.decide(ctx, Observation{Event: Begin, At: time.Now()})
	if r.edge.From.Phase == Held && r.state.Phase != RollingBack {
		if err := r.edge.Record(ctx, r.state); err != nil {
			action = r.decide(ctx, r.ended(ctx, fmt.Errorf("recording that it is taken up: %w", err)))
		}
	}
	for {
		var next Observation
		switch {
		case r.state.Phase == RollingBack:
			if err := r.rollback(ctx); err != nil {
				return err
			}
			next = Observation{Event: Done, At: time.Now()}
		case action.Kind == Stop:
			return r.save(ctx)
		default:
			next = r.act(ctx, action)
		}
		action = r.decide(ctx, next)
	}
}

// decide takes the step that the observation leads to.
func (r *run) decide(ctx context.Context, o Observation) Action {
	before := r.state
	state, action := Decide(r.plan, before, o)
	if state.Phase == Promoted && before.Phase != Promoted {
		if no := r.refused(ctx); no != nil {
			o = *no
			state, action = Decide(r.plan, before, o)
		}
	}
	r.state = state
	if state.Phase == RollingBack && r.decided.IsZero() {
		r.decided = o.At
		r.edge.Log.Infof("rolling back: %s", state.Reason)
	}
	if state.Phase == Judging && before.Phase != Judging && before.Phase != Holding && r.edge.Begun != nil {
		r.edge.Begun(state.Step)
	}
	if state.Asked != nil && before.Asked == nil {
		r.edge.Log.Infof("%s", state.Asked)
	}
	if state.Phase == Holding && before.Phase != Holding {
		r.edge.Log.Infof("holding for up to %s: %s", r.plan.Rules.HoldLimit, state.Reason)
	}
	if state.Step != before.Step || before.Phase == Planned || before.Phase == "" {
		if r.plan.fits(state.Step) && !state.Phase.Final() && state.Phase != RollingBack {
			r.edge.Log.Infof("step %d of %d: %s", state.Step+1, len(r.plan.Steps), r.plan.Steps[state.Step])
		}
	}
	return action
}

// act asks whether it may, records the intent, does the action and says how it went.
func (r *run) act(ctx context.Context, a Action) Observation {
	if a.Kind == Observe {
		return r.observe(ctx, a.At)
	}
	if no := r.refused(ctx); no != nil {
		return *no
	}
	if err := r.edge.Record(ctx, r.state); err != nil {
		return r.ended(ctx, fmt.Errorf("recording the intent: %w", err))
	}
	started := time.Now()
	failed, err := r.watched(ctx, func(ctx context.Context) error { return r.move(ctx, a) })
	r.moved(a, started, err)
	switch {
	case failed != nil && ctx.Err() == nil:
		return *failed
	case err != nil:
		return r.ended(ctx, err)
	}
	if a.Kind == Admit || a.Kind == Promote || r.state.Admitted || r.state.Full {
		r.result.Share = max(r.result.Share, r.reached(a))
	}
	return Observation{Event: Done, At: time.Now()}
}

func (r *run) move(ctx context.Context, a Action) error {
	switch a.Kind {
	case Scale:
		return r.edge.Fleet.Scale(ctx, a.Baseline, a.Candidate, a.Percent)
	case Admit:
		return r.edge.Fleet.Admit(ctx, a.Percent)
	case Promote:
		return r.edge.Fleet.Promote(ctx)
	}
	return fmt.Errorf("the action %q is unknown", a.Kind)
}

// reached is the share that the action gave the candidate.
func (r *run) reached(a Action) float64 {
	step := r.plan.Steps[r.state.Step]
	switch {
	case a.Kind == Promote || r.state.Full:
		return 100
	case r.plan.Weighted:
		return step.Achieved
	case a.Kind == Admit:
		return share(r.plan.Replicas, step.Candidate)
	}
	return share(a.Baseline, a.Candidate)
}

// ended turns the error of an action into what happened: a context that ended is a cancellation, or a lost lock.
func (r *run) ended(ctx context.Context, err error) Observation {
	o := Observation{Event: ActionFailed, At: time.Now(), Reason: fmt.Sprintf("step %d, %s: %v", r.state.Step+1, r.state.Phase, err)}
	if ctx.Err() == nil {
		return o
	}
	cause := context.Cause(ctx)
	o.Event, o.Reason = Cancelled, cause.Error()
	if r.edge.LockLost != nil && r.edge.LockLost(cause) {
		o.Event = LockLost
	}
	return o
}

// rollback returns the traffic to the baseline, and tries again until its time is up.
func (r *run) rollback(ctx context.Context) error {
	limit := rollbackTime
	if ctx.Err() != nil {
		limit = cancelTime
	}
	safe, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if ctx.Err() == nil {
		// A cancellation that comes while this runs leaves it the time of a cancellation.
		stop := context.AfterFunc(ctx, func() { time.AfterFunc(cancelTime, cancel) })
		defer stop()
	}
	for {
		started := time.Now()
		err := r.edge.Fleet.Rollback(safe)
		r.moved(Action{Kind: Return}, started, err)
		if err == nil {
			r.result.TimeToSafe = time.Since(r.decided)
			r.edge.Log.Infof("rolled back: traffic was safe %s after the decision", r.result.TimeToSafe.Round(time.Millisecond))
			return nil
		}
		if cause := context.Cause(ctx); cause != nil && r.edge.LockLost != nil && r.edge.LockLost(cause) {
			r.state, _ = Decide(r.plan, r.state, Observation{Event: LockLost, At: time.Now(), Reason: cause.Error()})
			return fmt.Errorf("rolling back: the lock was lost before it succeeded; the run that has it undoes the rollout: %w", err)
		}
		if !pause(safe, retryPause) {
			// Without this record the older one stands, and a run that finds that undoes the rollout just the same.
			_ = r.recordLate(ctx)
			return fmt.Errorf("rolling back: it did not succeed within %s, and the candidate may still take traffic; run the action again, it undoes the rollout first: %w", limit, err)
		}
		r.edge.Log.Infof("rolling back again: %v", err)
	}
}

// save records the last state. After a lost lock nothing is written.
func (r *run) save(ctx context.Context) error {
	if r.state.Phase == Abandoned {
		return nil
	}
	return r.recordLate(ctx)
}

// recordLate records what has happened already, even in a run that was cancelled.
func (r *run) recordLate(ctx context.Context) error {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(hurriedTime, cancel) })
	defer stop()
	if err := r.edge.Record(late, r.state); err != nil {
		return fmt.Errorf("recording that the rollout is %s: %w", r.state.Phase, err)
	}
	return nil
}

func (r *run) moved(a Action, started time.Time, err error) {
	m := Move{At: started, Took: time.Since(started), Action: a}
	if err != nil {
		m.Problem = err.Error()
	}
	r.result.Moves = append(r.result.Moves, m)
}

// pause waits and says whether the context is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

var (
	errFailedCheck = errors.New("a check failed in the meantime")
	errAborted     = errors.New("the rollout was aborted in the meantime")
)
