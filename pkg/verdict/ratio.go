package verdict

import (
	"errors"
	"fmt"
	"math"
)

// Ratio judges bad requests among all requests.
type Ratio struct {
	// Max is an absolute bound on the candidate's rate, 0 to below 1. Nil: none.
	Max *float64
	// Compare holds the candidate against the baseline that serves at the same time.
	Compare bool
	// MinRequests is how many requests the candidate must have answered before it can pass.
	MinRequests int
	// Alpha is the chance, per step, that a candidate that keeps its bound and is no worse than the baseline fails anyway.
	// It holds over all looks together. Each of the two tests gets its half when both are asked for.
	Alpha float64
}

// Check refuses a rule that can't judge.
func (r Ratio) Check() error {
	var errs []error
	if r.Max == nil && !r.Compare {
		errs = append(errs, errors.New("it has neither a bound `max` nor `compare: true`"))
	}
	if r.Max != nil && !(*r.Max >= 0 && *r.Max < 1) {
		errs = append(errs, fmt.Errorf("`max` is %v; give a share from 0 to below 1, for instance 0.01 for one bad request in a hundred", *r.Max))
	}
	if r.MinRequests < 1 {
		errs = append(errs, fmt.Errorf("it passes after %d requests; give at least 1", r.MinRequests))
	}
	if !(r.Alpha > 0 && r.Alpha < 1) {
		errs = append(errs, fmt.Errorf("its error rate is %v; give one between 0 and 1", r.Alpha))
	}
	return errors.Join(errs...)
}

// Evidence is what a ratio has seen within one step. It belongs to one goroutine.
type Evidence struct {
	seen     [2]Counts // candidate, baseline: cumulative, as of the last look
	record   Counts    // the baseline's record from before the step
	compared comparison
}

// Begin starts a step. record is what is known of the baseline from before it; it may be empty.
func (r Ratio) Begin(record Counts) *Evidence {
	if record.check() != "" {
		record = Counts{}
	}
	return &Evidence{record: record, compared: comparison{past: record}}
}

// Record is all that is known of the baseline: the next step's Begin takes it.
func (e *Evidence) Record() Counts { return e.compared.past }

// Judge looks at the counts of the step so far (cumulative since the step began). baseline is nil when none serves beside
// the candidate; a comparison then holds the candidate against the upper 99 % limit of the baseline's record.
//
// It fails as soon as an e-value reaches 1/alpha: no number of looks raises the chance of a false alarm above alpha, as
// far as the monitor's counts are exact (rates over short windows are extrapolated; counts are rounded and never taken
// back). It passes when the candidate has answered MinRequests, nothing failed, and its rate is within the bound.
func (r Ratio) Judge(e *Evidence, candidate Counts, baseline *Counts) Result {
	res := Result{Candidate: &candidate, Baseline: baseline}
	if problem := candidate.check(); problem != "" {
		return Unseen(Broken, "candidate: %s", problem)
	}
	candidate.Bad = math.Min(candidate.Bad, candidate.Total)
	if baseline != nil {
		if problem := baseline.check(); problem != "" {
			return Unseen(Broken, "baseline: %s", problem)
		}
		baseline.Bad = math.Min(baseline.Bad, baseline.Total)
	}
	rate := candidate.Rate()
	res.Value = &rate

	alpha := r.Alpha
	if r.Max != nil && r.Compare {
		alpha /= 2
	}
	failed, thresholds := r.tests(e, candidate, baseline, alpha)
	res.Threshold = thresholds
	switch {
	case failed != "":
		res.Outcome, res.Reason = Fail, failed
	case candidate.Total < float64(r.MinRequests):
		res.Outcome = NotEnough
		res.Reason = fmt.Sprintf("%s; %d requests are needed", candidate, r.MinRequests)
	case r.Compare && baseline != nil && baseline.Total < float64(r.MinRequests) && e.record.Total < float64(r.MinRequests):
		res.Outcome = NotEnough
		res.Reason = fmt.Sprintf("%s; the baseline answered only %s, %d are needed to compare", candidate, number(baseline.Total), r.MinRequests)
	case r.Max != nil && rate > *r.Max:
		res.Outcome = NotEnough
		res.Reason = fmt.Sprintf("%s is above %s, but that may still be chance", candidate, percent(*r.Max))
	default:
		res.Outcome, res.Reason = Pass, candidate.String()
		if baseline != nil && r.Compare {
			res.Reason += fmt.Sprintf(", baseline %s", baseline)
		}
	}
	return res
}

// tests runs what the rule asks for; failed is the reason, "" while there is none.
func (r Ratio) tests(e *Evidence, candidate Counts, baseline *Counts, alpha float64) (failed, thresholds string) {
	if r.Compare {
		switch {
		case baseline != nil:
			thresholds = fmt.Sprintf("baseline %s", percent(baseline.Rate()))
			e.observe(candidate, *baseline)
			if v := e.compared.evidence(); v >= 1/alpha {
				failed = fmt.Sprintf("%s is worse than the baseline's %s (evidence %s, needed %s)", candidate, baseline, odd(v), odd(1/alpha))
			}
		case e.record.Total > 0:
			bound := math.Min(0.98, upperRate(e.record))
			thresholds = fmt.Sprintf("the baseline's record, at most %s", percent(bound))
			if v := boundEvidence(candidate, bound); v >= 1/alpha {
				failed = fmt.Sprintf("%s is worse than the baseline's record %s (evidence %s, needed %s)", candidate, e.record, odd(v), odd(1/alpha))
			}
		}
	}
	if r.Max == nil {
		return failed, thresholds
	}
	if thresholds != "" {
		thresholds += ", "
	}
	thresholds += "max " + percent(*r.Max)
	// A bound of 0 fails with the first whole bad request; extrapolation makes fractions out of nothing.
	if v := boundEvidence(candidate.rounded(), *r.Max); v >= 1/alpha {
		failed = fmt.Sprintf("%s is above the bound of %s (evidence %s, needed %s)", candidate, percent(*r.Max), odd(v), odd(1/alpha))
	}
	return failed, thresholds
}

// observe turns cumulative counts into the next block.
func (e *Evidence) observe(candidate, baseline Counts) {
	next := [2]Counts{candidate.rounded(), baseline.rounded()}
	var block [2]Counts
	for i := range next {
		// A pod that went away takes its counts along; what was seen stays seen.
		block[i].Total = math.Max(0, next[i].Total-e.seen[i].Total)
		block[i].Bad = math.Min(block[i].Total, math.Max(0, next[i].Bad-e.seen[i].Bad))
		e.seen[i].Total = math.Max(e.seen[i].Total, next[i].Total)
		e.seen[i].Bad = math.Max(e.seen[i].Bad, next[i].Bad)
	}
	e.compared.add(block[0], block[1])
}

func (c Counts) rounded() Counts { return Counts{Bad: math.Round(c.Bad), Total: math.Round(c.Total)} }

// odd prints an e-value.
func odd(v float64) string {
	if v > 1e6 {
		return "over 1000000"
	}
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
