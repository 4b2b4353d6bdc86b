package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// proofWindow is how far back the proof looks: long enough for a quiet service to have had a request.
const proofWindow = 5 * time.Minute

// Existence is a monitor that can say whether what a query reads exists at all: the difference between "no request was
// bad" and a name that is misspelt.
type Existence interface {
	// Missing names what the query reads and the monitor has never heard of.
	Missing(ctx context.Context, query string, at time.Time) ([]string, error)
}

// Prove asks every query about the baseline before any traffic moves, and gives all problems at once. A query must answer
// for the baseline; the counts of bad requests may be empty if the monitor knows what they read; a candidate that no
// client has reached must not have the baseline's number of requests. What the baseline answered is the record that
// comparisons begin with.
//
// Of a candidate that clients have reached already ([Subject].Reached) the run that brought it there has proven the last of these.
func (j *Judge) Prove(ctx context.Context, now time.Time) error {
	var problems []error
	for _, p := range j.Proofs(ctx, now) {
		problems = append(problems, p.Err)
	}
	return errors.Join(problems...)
}

// Proof is whether one check's queries are proven.
type Proof struct {
	Check string
	// Err names the check; nil when it is proven.
	Err error
}

// Proofs is [Judge.Prove] check by check, in their order.
func (j *Judge) Proofs(ctx context.Context, now time.Time) []Proof {
	w := Window{Since: now.Add(-proofWindow), Now: now}
	return j.each(func(i int, c Check) error { return j.prove(ctx, &j.states[i], c, w) })
}

// Answers asks every query once, of a service that has no release yet: the monitor must understand it and may answer it. That it has
// nothing to say is as it should be.
func (j *Judge) Answers(ctx context.Context, now time.Time) []Proof {
	w := Window{Since: now.Add(-proofWindow), Now: now}
	return j.each(func(_ int, c Check) error {
		var problems []error
		for _, q := range [][2]string{{"query", c.Query}, {"total", c.Total}, {"bad", c.Bad}} {
			if q[1] == "" {
				continue
			}
			query, _, err := j.ask(ctx, q[1], j.subject.Candidate, w)
			var unusable *UnusableError
			if err != nil && (!errors.As(err, &unusable) || unusable.Fault.lasting()) {
				problems = append(problems, fmt.Errorf("`%s`: %w; the query was %s", q[0], err, query))
			}
		}
		return errors.Join(problems...)
	})
}

// each does something with every check at once.
func (j *Judge) each(do func(i int, c Check) error) []Proof {
	all := make([]Proof, len(j.checks))
	var wg sync.WaitGroup
	for i, c := range j.checks {
		all[i].Check = c.Name
		wg.Go(func() {
			if err := do(i, c); err != nil {
				all[i].Err = fmt.Errorf("proving check %q: %w", c.Name, err)
			}
		})
	}
	wg.Wait()
	return all
}

func (j *Judge) prove(ctx context.Context, s *checkState, c Check, w Window) error {
	if c.Type == ValueCheck {
		if query, _, err := j.ask(ctx, c.Query, j.subject.Baseline, w); err != nil {
			return fmt.Errorf("for the baseline %s: %w; the query was %s", j.subject.Baseline, err, query)
		}
		return nil
	}
	query, total, err := j.ask(ctx, c.Total, j.subject.Baseline, w)
	if err != nil {
		return fmt.Errorf("`total` for the baseline %s: %w; the query was %s", j.subject.Baseline, err, query)
	}
	bad, err := j.proveBad(ctx, c, w)
	if err != nil {
		return err
	}
	if err := j.proveApart(ctx, c, w, total); err != nil {
		return err
	}
	if total.Value >= 0 && bad.Value >= 0 && bad.Value <= total.Value {
		s.proven = verdict.Counts{Bad: bad.Value, Total: total.Value}
		s.evidence = s.rule.Begin(s.proven)
	}
	return nil
}

// proveApart asks for the requests of a candidate that has none yet. Of one that clients have reached nothing can be said by counting.
func (j *Judge) proveApart(ctx context.Context, c Check, w Window, total Sample) error {
	if j.subject.Reached || total.Value <= 0 {
		return nil
	}
	if _, candidate, err := j.ask(ctx, c.Total, j.subject.Candidate, w); err == nil && candidate.Value == total.Value {
		return fmt.Errorf("`total` gives %v requests for the baseline %s and for the candidate %s, which no client has reached: it does not tell the releases apart",
			total.Value, j.subject.Baseline, j.subject.Candidate)
	}
	return nil
}

// proveBad asks for the bad requests; none at all is fine if the monitor knows what is asked for.
func (j *Judge) proveBad(ctx context.Context, c Check, w Window) (Sample, error) {
	query, bad, err := j.ask(ctx, c.Bad, j.subject.Baseline, w)
	var unusable *UnusableError
	if err != nil && (!errors.As(err, &unusable) || unusable.Fault != Empty) {
		return Sample{}, fmt.Errorf("`bad` for the baseline %s: %w; the query was %s", j.subject.Baseline, err, query)
	}
	monitor, ok := j.monitor.(Existence)
	if err == nil || !ok {
		return bad, nil
	}
	missing, err := monitor.Missing(ctx, query, w.Now)
	if err != nil {
		return Sample{}, fmt.Errorf("`bad`: %w", err)
	}
	if len(missing) > 0 {
		return Sample{}, fmt.Errorf("`bad` is empty, and the monitor knows nothing named %s; the query was %s", missing[0], query)
	}
	return Sample{}, nil
}

// Known is what a ratio check knows of the baseline before the run.
type Known struct {
	Check string
	// Counts are of a time as long as Over.
	Counts verdict.Counts
	Over   time.Duration
	// Healthy is the share of bad requests that the candidate may have: the check's bound, or else the baseline's own.
	Healthy float64
	// Alpha is the check's error rate.
	Alpha float64
}

// Known gives what the proof has found out, for the ratio checks in their order.
func (j *Judge) Known() []Known {
	var all []Known
	for i, c := range j.checks {
		if c.Type != RatioCheck {
			continue
		}
		s := j.states[i]
		k := Known{Check: c.Name, Counts: s.proven, Over: proofWindow, Healthy: s.proven.Rate(), Alpha: s.rule.Alpha}
		if c.Max != nil {
			k.Healthy = *c.Max
		}
		all = append(all, k)
	}
	return all
}
