package rollout

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Policy is what happens when the rollout can't or must not go on by itself.
type Policy string

// The policies.
const (
	// Rollback moves all traffic back to the baseline.
	Rollback Policy = "rollback"
	// Hold leaves the traffic as it is.
	Hold Policy = "hold"
)

// Rules are the times and limits of a plan.
type Rules struct {
	// StepDuration is how long a step is watched at least, StepLimit how long at most when evidence is short.
	StepDuration, StepLimit time.Duration
	// Bake is how much longer a full step is watched, while the baseline's pods are still there to return to.
	Bake time.Duration
	// HoldLimit bounds how long a rollout without data is held before it is rolled back after all.
	HoldLimit time.Duration
	// Interval lies between two looks at the monitor.
	Interval time.Duration
	// Blind is how many looks in a row may give no data.
	Blind int
	// OnNoData says what happens after that, or when a step has reached its limit without enough evidence.
	OnNoData Policy
	// OnCancel says what a cancelled run does with a split that is being judged; a move in progress is always undone.
	OnCancel Policy
}

// Step is one share of traffic.
type Step struct {
	// Asked is the share that was asked for, in percent; Merged are further ones that give the same pods.
	Asked  float64   `json:"asked"`
	Merged []float64 `json:"merged,omitempty"`
	// Baseline and Candidate are the pods that take traffic.
	Baseline  int `json:"baseline"`
	Candidate int `json:"candidate"`
	// Warm are baseline pods that run on without traffic, so that a rollback of a full step finds them ready.
	Warm int `json:"warm,omitempty"`
	// Achieved is the share that the step gives, in percent: that of whole pods, or a weight, which is what was asked for.
	Achieved float64 `json:"achieved"`
}

// Full says that no baseline pod takes traffic.
func (s Step) Full() bool { return s.Baseline == 0 }

func (s Step) String() string {
	text := fmt.Sprintf("%s %% asked, %s %% achieved (%d baseline + %d candidate pods", percent(s.Asked), percent(s.Achieved), s.Baseline, s.Candidate)
	if s.Warm > 0 {
		text += fmt.Sprintf(", %d baseline pods kept warm", s.Warm)
	}
	text += ")"
	if len(s.Merged) > 0 {
		merged := make([]string, len(s.Merged))
		for i, m := range s.Merged {
			merged[i] = percent(m) + " %"
		}
		text += "; the step for " + strings.Join(merged, ", ") + " gives the same pods and is merged into this one"
	}
	return text
}

// Plan is how traffic moves, decided before it does.
type Plan struct {
	// Replicas is how many pods served when the rollout began; Surge how many more there may be.
	Replicas int    `json:"replicas"`
	Surge    int    `json:"surge"`
	Steps    []Step `json:"steps"`
	Rules    Rules  `json:"rules"`
	// Weighted says that weights share the traffic, and pods are only what a share needs.
	Weighted bool `json:"weighted,omitempty"`
}

// NewPlan lays out the steps for n replicas. percents rise within (0, 100]; a surge below 0 means n. Steps that whole pods
// can't tell apart are merged. As long as the surge allows, the baseline stays whole, at the price of a share that may be a
// little further from what was asked than [Split]'s: a rollback then needs nobody to start. It refuses, all at once, shares and rules that make no plan.
func NewPlan(n int, percents []float64, surge int, rules Rules) (Plan, error) {
	return newPlan(n, percents, surge, rules, false)
}

// NewWeightedPlan lays out the steps for traffic that weights share: every share is the one that was asked for, and each release has
// the pods that its share of n pods' traffic needs. As long as the surge allows, the baseline stays whole. See [NewPlan].
func NewWeightedPlan(n int, percents []float64, surge int, rules Rules) (Plan, error) {
	return newPlan(n, percents, surge, rules, true)
}

func newPlan(n int, percents []float64, surge int, rules Rules, weighted bool) (Plan, error) {
	var errs []error
	if n < 1 {
		errs = append(errs, errors.New("nothing serves, so there is no traffic to move in steps"))
	}
	if len(percents) == 0 {
		errs = append(errs, errors.New("there are no steps; give shares in percent, for instance 5,25,50,100"))
	}
	last := 0.0
	for _, p := range percents {
		switch {
		case !(p > 0 && p <= 100):
			errs = append(errs, fmt.Errorf("the step %s is no share; give percentages above 0 up to 100", percent(p)))
		case p <= last:
			errs = append(errs, fmt.Errorf("the step %s follows %s; shares only rise", percent(p), percent(last)))
		}
		last = p
	}
	if err := errors.Join(append(errs, rules.check())...); err != nil {
		return Plan{}, fmt.Errorf("planning the rollout: %w", err)
	}
	if surge < 0 {
		surge = n
	}
	plan := Plan{Replicas: n, Surge: surge, Rules: rules, Weighted: weighted}
	for _, p := range percents {
		plan.add(p)
	}
	return plan, nil
}

func (p *Plan) add(percent float64) {
	b, c, achieved := splitWhole(p.Replicas, percent, p.Surge)
	if p.Weighted {
		b, c = enough(p.Replicas, percent, p.Surge)
		achieved = percent
	}
	previous := p.Replicas
	if len(p.Steps) > 0 {
		before := &p.Steps[len(p.Steps)-1]
		if !p.Weighted && before.Baseline == b && (b == 0 || before.Candidate == c) {
			before.Merged = append(before.Merged, percent)
			return
		}
		previous = before.Baseline
	}
	step := Step{Asked: percent, Baseline: b, Candidate: c, Achieved: achieved}
	switch {
	case step.Full() && p.Weighted:
		// The weights move only after the candidate has its pods, so the baseline keeps its own until then, whatever the surge.
		step.Warm = previous
	case step.Full():
		step.Warm = min(previous, p.Surge)
	}
	p.Steps = append(p.Steps, step)
}

func (r Rules) check() error {
	var errs []error
	if r.StepDuration <= 0 || r.Interval <= 0 {
		errs = append(errs, errors.New("the duration of a step and the interval between looks must be more than 0"))
	}
	if r.Interval > r.StepDuration {
		errs = append(errs, fmt.Errorf("a step of %s would be over before the first look after %s", r.StepDuration, r.Interval))
	}
	if r.StepLimit < r.StepDuration {
		errs = append(errs, fmt.Errorf("the limit of a step, %s, is shorter than its duration, %s", r.StepLimit, r.StepDuration))
	}
	if r.Blind < 1 {
		errs = append(errs, errors.New("at least one look without data must be allowed before it counts"))
	}
	for _, p := range []Policy{r.OnNoData, r.OnCancel} {
		if p != Rollback && p != Hold {
			errs = append(errs, fmt.Errorf("unknown policy %q; the policies are %s and %s", p, Rollback, Hold))
		}
	}
	return errors.Join(errs...)
}

// Shortest is how long the rollout takes when every step passes at once, without the time pods need to start.
func (p Plan) Shortest() time.Duration {
	var sum time.Duration
	for i := range p.Steps {
		sum += p.Lasts(i)
	}
	return sum
}

// Lasts is how long a step is watched at the shortest.
func (p Plan) Lasts(step int) time.Duration { return p.Rules.StepDuration + p.extra(step) }

// extra is how much longer a step is watched than others.
func (p Plan) extra(step int) time.Duration {
	if p.Steps[step].Full() {
		return p.Rules.Bake
	}
	return 0
}

// weight is the candidate's weight in a step, in percent; 0 where pods share the traffic.
func (p Plan) weight(step int) float64 {
	if !p.Weighted {
		return 0
	}
	return p.Steps[step].Achieved
}

// share is the share that the candidate has where a rollout stands, in percent.
func (p Plan) share(s State) float64 {
	switch {
	case s.Full:
		return 100
	case s.Admitted && p.fits(s.Step):
		return p.Steps[s.Step].Achieved
	}
	return 0
}

// fits says whether a recorded step exists in this plan.
func (p Plan) fits(step int) bool { return step >= 0 && step < len(p.Steps) }

func percent(p float64) string { return fmt.Sprintf("%.4g", p) }
