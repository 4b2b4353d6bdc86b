// Package rollout moves traffic from a baseline to a candidate, step by step, and back the moment anything speaks against
// it. [Split], [NewPlan] and [Decide] are pure; [Run] stands at the edge and does what Decide says.
//
// It refuses to go on without evidence: a step passes only when every check passes, silence is never health, and what was
// recorded by a plan that no longer fits is rolled back. The states, and what leads from one to the next:
//
//	planned ──begin──▶ scaling ──done──▶ admitting ──done──▶ judging ──passed──▶ scaling (next step)
//	                     │  ▲               │                 │   ▲ ──passed, last step──▶ promoting ──done──▶ PROMOTED
//	                     │  └─ first step takes from the      │   │                          ▲
//	                     │     baseline only once admitted    │   └──data again── holding    │
//	                     └──done, full step──▶ promoting ──done──▶ judging   ──blind, on-no-data: hold──▶ holding
//
//	any of these ──failed check, failed action, abort, no data, limit reached, cancel──▶ rolling-back ──done──▶ ROLLED-BACK
//	judging, holding ──cancel, on-cancel: hold──▶ HELD ──begin──▶ judging
//	judging, holding ──asked to promote, every check in sight──▶ scaling (last step), where ──the step's duration──▶ PROMOTED
//	any of these, rolling-back too ──lost the lock──▶ ABANDONED
//
// Abort outranks everything but a lost lock, after which nothing may be written; in rolling-back only success leads on.
// States in capitals are final; a run that resumes a held rollout begins where that stood. A full step (no baseline pod takes traffic) goes through promoting first: the Service then
// selects the candidate alone, while the baseline's pods stay warm until the step has passed.
//
// A person may ask for the promotion, by name. That stands in for time and numbers, and for nothing else: the steps that are left
// are skipped, and no least number of requests is waited for. It does not stand in for eyes: until every check has numbers of the
// candidate and none of them is outside of its bounds, nothing moves, and the limits hold. A failed check rolls back as ever, and all of
// the traffic is watched for a step's duration before the candidate is promoted, since nothing leads back from there.
//
//	plan, err := rollout.NewPlan(8, []float64{5, 25, 50, 100}, -1, rules)
//	result, err := rollout.Run(ctx, plan, rollout.Edge{Fleet: pods, Judge: judge, Record: save, Log: log})
package rollout

import (
	"fmt"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// Phase is where a rollout stands.
type Phase string

// The phases. An empty one is Planned, so that the zero State is where a rollout begins.
const (
	Planned     Phase = "planned"
	Scaling     Phase = "scaling"
	Admitting   Phase = "admitting"
	Judging     Phase = "judging"
	Holding     Phase = "holding"
	Promoting   Phase = "promoting"
	RollingBack Phase = "rolling-back"
	Promoted    Phase = "promoted"
	RolledBack  Phase = "rolled-back"
	Held        Phase = "held"
	Abandoned   Phase = "abandoned"
)

// Final says that nothing follows.
func (p Phase) Final() bool {
	return p == Promoted || p == RolledBack || p == Held || p == Abandoned
}

// State is all that a rollout has to remember. It is recorded before each step forward, and a run continues from it.
type State struct {
	Phase Phase `json:"phase"`
	// Step counts from 0.
	Step int `json:"step"`
	// Admitted: the Service selects both releases. Full: it selects the candidate alone.
	Admitted bool `json:"admitted,omitempty"`
	Full     bool `json:"full,omitempty"`
	// Since is when the step's evidence begins, HeldSince when a lack of data stopped it.
	Since     time.Time `json:"since,omitzero"`
	HeldSince time.Time `json:"heldSince,omitzero"`
	// Blind counts looks without data in a row.
	Blind int `json:"blind,omitempty"`
	// Reason says why the rollout was rolled back, held or abandoned; Cause are the checks that failed.
	Reason string           `json:"reason,omitempty"`
	Cause  []verdict.Result `json:"cause,omitempty"`
	// Asked is who asked for the promotion; nil when nobody did.
	Asked *Ask `json:"asked,omitempty"`
}

// Ask is a person's wish that the candidate be promoted without the steps that are left.
type Ask struct {
	// Who is the person, as GitHub names them, Why their reason, URL the page of the run that they asked with.
	Who string `json:"who"`
	Why string `json:"why"`
	URL string `json:"url,omitempty"`
	// At is when the rollout heard of it.
	At time.Time `json:"at"`
	// Skipped says that steps were skipped, those behind the step From.
	Skipped bool `json:"skipped,omitempty"`
	From    int  `json:"from,omitempty"`
}

func (a Ask) String() string { return fmt.Sprintf("%s asked for the promotion: %s", a.Who, a.Why) }

// Event is what happened.
type Event string

// The events.
const (
	// Begin starts a rollout or takes one up again from its recorded state.
	Begin Event = "begin"
	// Done and ActionFailed are how the last action ended.
	Done         Event = "done"
	ActionFailed Event = "action-failed"
	// Sampled brings what the checks say.
	Sampled Event = "sampled"
	// Cancelled: the run was asked to stop. Aborted: a person wants the candidate gone.
	Cancelled Event = "cancelled"
	Aborted   Event = "aborted"
	// AskedToPromote: a person wants the steps that are left skipped.
	AskedToPromote Event = "asked-to-promote"
	// LockLost: another run has taken over.
	LockLost Event = "lock-lost"
)

// Observation is an event, when it happened, and what came with it.
type Observation struct {
	Event   Event
	At      time.Time
	Results []verdict.Result
	// Ask goes with AskedToPromote. One without a name is nobody's.
	Ask *Ask
	// Reason goes with ActionFailed, Cancelled, Aborted, LockLost, and with Sampled when the monitor could not be asked.
	Reason string
}

// Kind is what is to be done.
type Kind string

// The kinds of actions.
const (
	// Scale brings the fleet to Baseline and Candidate pods.
	Scale Kind = "scale"
	// Admit lets the Service select both releases, Promote the candidate alone, Return the baseline alone.
	Admit   Kind = "admit"
	Promote Kind = "promote"
	Return  Kind = "return"
	// Observe asks the checks, at time At or as soon as possible after it.
	Observe Kind = "observe"
	// Stop: nothing is left to do.
	Stop Kind = "stop"
)

// Action is what is to be done next. Doing it twice is like doing it once.
type Action struct {
	Kind                Kind
	Baseline, Candidate int
	// Percent is the candidate's share that goes with it, where weights share the traffic; 0 changes none.
	Percent float64
	At      time.Time
}
