package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// Sample is one look at the checks.
type Sample struct {
	At time.Time `json:"at"`
	// Step counts from 0. Asked and Achieved are its shares in percent.
	Step int `json:"step"`
	// Phase is where the rollout stood, Since when what the checks count began, Full that no baseline pod took traffic.
	Phase    Phase            `json:"phase,omitempty"`
	Since    time.Time        `json:"since,omitzero"`
	Full     bool             `json:"full,omitempty"`
	Asked    float64          `json:"asked"`
	Achieved float64          `json:"achieved"`
	Results  []verdict.Result `json:"results,omitempty"`
	// Problem says why the monitor could not be asked.
	Problem string `json:"problem,omitempty"`
}

// Measured is the share, in percent, of the requests of this step that the candidate answered, by the first check that has
// counts of both releases.
func (s Sample) Measured() (share float64, ok bool) {
	for _, r := range s.Results {
		if r.Candidate != nil && r.Baseline != nil && r.Candidate.Total+r.Baseline.Total > 0 {
			return 100 * r.Candidate.Total / (r.Candidate.Total + r.Baseline.Total), true
		}
	}
	return 0, false
}

// String is the line a person follows in the log.
func (s Sample) String() string {
	shares := fmt.Sprintf("step %d: asked %s %%, achieved %s %%", s.Step+1, percent(s.Asked), percent(s.Achieved))
	if measured, ok := s.Measured(); ok {
		shares += fmt.Sprintf(", measured %.3g %%", measured)
	}
	parts := []string{shares}
	if s.Problem != "" {
		parts = append(parts, s.Problem)
	}
	for _, r := range s.Results {
		parts = append(parts, r.String())
	}
	return strings.Join(parts, " | ")
}

// Move is one action that was done, or tried.
type Move struct {
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took"`
	Action Action        `json:"action"`
	// Problem is why it did not succeed.
	Problem string `json:"problem,omitempty"`
}

// Result is what happened, with everything that was seen. It can be judged again later.
type Result struct {
	Plan  Plan  `json:"plan"`
	State State `json:"state"`
	// From is where the run took the rollout up; the zero State when it began it.
	From State `json:"from,omitzero"`
	// Started and Ended bound the run.
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Share is the highest share of the pods, in percent, that the candidate reached while it took traffic.
	Share float64 `json:"share"`
	// TimeToSafe lies between the observation that decided the rollback and the moment the baseline had all traffic again
	// and the candidate's pods were gone. 0 without a rollback.
	TimeToSafe time.Duration `json:"timeToSafe,omitempty"`
	Samples    []Sample      `json:"samples"`
	Moves      []Move        `json:"moves"`
}

// Safe says that what serves was decided: nothing is left half-way.
func (r Result) Safe() bool { return r.State.Phase == Promoted || r.State.Phase == RolledBack }
