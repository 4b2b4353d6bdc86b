package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// Subject is whom the checks are about.
type Subject struct {
	// Candidate and Baseline are release ids.
	Candidate, Baseline string
	Namespace, Service  string
	// Reached says that clients have reached the candidate already.
	Reached bool
}

// Rules are what all checks of a run share.
type Rules struct {
	// MinRequests is how many requests the candidate must have answered in a step before a ratio passes.
	MinRequests int
	// Alpha is the chance that a healthy candidate is rolled back by a ratio, over the whole run; it is divided evenly
	// among the ratio checks.
	Alpha float64
	// Warmup is how long a step may go on before an empty answer is a lack of data: until then the first scrapes of a new
	// pod may be missing.
	Warmup time.Duration
}

// Window is what is judged: the time since a step began.
type Window struct {
	Since, Now time.Time
	// Full says that no baseline pod takes traffic.
	Full bool
}

// Judge asks a monitor about a candidate. It is for one run and one goroutine.
type Judge struct {
	monitor Querier
	checks  []Check
	subject Subject
	rules   Rules
	since   time.Time
	states  []checkState
}

// checkState is what one check has seen: evidence in the run, the rest in the step.
type checkState struct {
	rule     verdict.Ratio
	evidence *verdict.Evidence
	// proven is what was known of the baseline before any traffic moved.
	proven verdict.Counts
	// resumed is the evidence of another run that this one goes on with; nil when it began afresh.
	resumed *verdict.Kept
	history verdict.History
	// answered says that the monitor gave numbers in this step before.
	answered bool
}

// NewJudge gives a judge for checks that [ParseChecks] accepted.
func NewJudge(monitor Querier, checks []Check, subject Subject, rules Rules) *Judge {
	ratios := 0
	for _, c := range checks {
		if c.Type == RatioCheck {
			ratios++
		}
	}
	j := &Judge{monitor: monitor, checks: checks, subject: subject, rules: rules, states: make([]checkState, len(checks))}
	for i, c := range checks {
		if c.Type == RatioCheck {
			j.states[i].rule = c.ratio(rules.MinRequests, rules.Alpha/float64(ratios))
			j.states[i].evidence = j.states[i].rule.Begin(verdict.Counts{})
		}
	}
	return j
}

// Observe asks all checks at once and judges them, in their order. When ctx ends meanwhile nothing is judged: what a question says
// that was broken off is no evidence.
func (j *Judge) Observe(ctx context.Context, w Window) []verdict.Result {
	if !w.Since.Equal(j.since) {
		j.begin(w.Since)
	}
	all := make([]numbers, len(j.checks))
	var wg sync.WaitGroup
	for i := range j.checks {
		wg.Go(func() { all[i] = j.find(ctx, j.states[i].rule.Compare && !w.Full, j.checks[i], w) })
	}
	wg.Wait()
	results := make([]verdict.Result, len(j.checks))
	for i, c := range j.checks {
		if err := ctx.Err(); err != nil && all[i].problem == nil {
			all[i].problem = err
		}
		results[i] = j.judge(&j.states[i], c, w, all[i])
		results[i].Check, results[i].Query = c.Name, all[i].query
	}
	return results
}

// begin starts a step: counts begin anew, evidence is carried on.
func (j *Judge) begin(since time.Time) {
	j.since = since
	for i := range j.states {
		s := &j.states[i]
		s.history, s.answered = verdict.History{}, false
		if s.evidence != nil {
			s.evidence.Next()
		}
	}
}

// numbers are what a monitor said to one check at one moment, or why it said nothing.
type numbers struct {
	// query is the one that was asked last.
	query     string
	value     float64
	candidate verdict.Counts
	// baseline is nil when it was not asked for.
	baseline *verdict.Counts
	problem  error
}

func (j *Judge) find(ctx context.Context, compare bool, c Check, w Window) numbers {
	var n numbers
	if c.Type == ValueCheck {
		var sample Sample
		n.query, sample, n.problem = j.ask(ctx, c.Query, j.subject.Candidate, w)
		n.value = sample.Value
		return n
	}
	n.candidate, n.query, n.problem = j.counts(ctx, c, j.subject.Candidate, w)
	if n.problem != nil || !compare {
		return n
	}
	b, query, err := j.counts(ctx, c, j.subject.Baseline, w)
	if err != nil {
		n.query, n.problem = query, fmt.Errorf("the baseline: %w", err)
	}
	n.baseline = &b
	return n
}

// judge judges what was found.
func (j *Judge) judge(s *checkState, c Check, w Window, n numbers) verdict.Result {
	if n.problem != nil {
		return j.unseen(s, w, n.problem)
	}
	s.answered = true
	if c.Type == ValueCheck {
		return c.value().Judge(&s.history, n.value)
	}
	res := s.rule.Judge(s.evidence, n.candidate, n.baseline)
	// Who follows the log wants to know how much is still missing.
	if missing := math.Ceil(float64(s.rule.MinRequests) - n.candidate.Total); res.Outcome == verdict.NotEnough && missing > 0 {
		res.Reason += fmt.Sprintf(", %.0f more", missing)
	}
	return res
}

// counts asks for bad and total of one release. Series of bad requests do not exist before the first one, so an empty
// answer is 0 of them, provided that the total is there; [Judge.Prove] has seen that the query means something.
func (j *Judge) counts(ctx context.Context, c Check, release string, w Window) (verdict.Counts, string, error) {
	query, total, err := j.ask(ctx, c.Total, release, w)
	if err != nil {
		return verdict.Counts{}, query, err
	}
	query, bad, err := j.ask(ctx, c.Bad, release, w)
	var unusable *UnusableError
	if errors.As(err, &unusable) && unusable.Fault == Empty {
		bad, err = Sample{}, nil
	}
	return verdict.Counts{Bad: bad.Value, Total: total.Value}, query, err
}

func (j *Judge) ask(ctx context.Context, query, release string, w Window) (string, Sample, error) {
	filled, err := filling{
		release: release, namespace: j.subject.Namespace, service: j.subject.Service, window: w.Now.Sub(w.Since),
	}.fill(query)
	if err != nil {
		return query, Sample{}, err
	}
	s, err := j.monitor.Query(ctx, filled, w.Now)
	return filled, s, err
}

// unseen is the result of a check that gave no number.
func (j *Judge) unseen(s *checkState, w Window, err error) verdict.Result {
	outcome := verdict.NoData
	var unusable *UnusableError
	if errors.As(err, &unusable) {
		switch {
		case unusable.Fault.lasting():
			outcome = verdict.Broken
		case unusable.Fault == Empty && !s.answered && w.Now.Sub(w.Since) < j.rules.Warmup:
			outcome = verdict.NotEnough
		}
	}
	return verdict.Unseen(outcome, "%v", err)
}
