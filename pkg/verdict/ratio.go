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
	// Alpha is the chance that a candidate that keeps its bound and is no worse than the baseline fails anyway. It holds over
	// all looks and steps of a run together. Each of the two tests gets its half when both are asked for.
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

// Judge looks at the counts of the step so far (cumulative since the step began). baseline is nil when none serves beside
// the candidate; a comparison then holds the candidate against what the baseline's record says its rate can be at most.
//
// It fails as soon as the evidence reaches 1/alpha: no number of looks or steps raises the chance of a false alarm above
// alpha, as far as requests fail independently of each other within a block, and the monitor's counts are exact (rates over
// short windows are extrapolated; counts are rounded and never taken back). It passes when the candidate has answered
// MinRequests within the step, nothing failed, and its rate is within the bound.
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
	res.Value, res.Against = &rate, r.Max != nil && rate > *r.Max

	e.observe(candidate, baseline, 1/r.alphaEach())
	failed, thresholds := r.tests(e, candidate, baseline)
	res.Threshold = thresholds
	switch {
	case failed != "":
		res.Outcome, res.Reason = Fail, failed
	case candidate.Total < float64(r.MinRequests):
		res.Outcome = NotEnough
		res.Reason = fmt.Sprintf("%s; %d requests are needed", candidate, r.MinRequests)
	case r.Compare && baseline != nil && baseline.Total < float64(r.MinRequests) && e.before.Total < float64(r.MinRequests):
		res.Outcome = NotEnough
		res.Reason = fmt.Sprintf("%s; the baseline answered only %s, %d are needed to compare", candidate, number(baseline.Total), r.MinRequests)
	case r.Max == nil && baseline == nil && e.record.Total <= 0:
		res.Outcome = NotEnough
		res.Reason = fmt.Sprintf("%s; the baseline has answered nothing that this could be compared with", candidate)
	case res.Against:
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

// alphaEach is what each of the tests may spend.
func (r Ratio) alphaEach() float64 {
	if r.Max != nil && r.Compare {
		return r.Alpha / 2
	}
	return r.Alpha
}

// tests says what the evidence is worth to what the rule asks for; failed is the reason, "" while there is none.
func (r Ratio) tests(e *Evidence, candidate Counts, baseline *Counts) (failed, thresholds string) {
	goal := 1 / r.alphaEach()
	fail := func(v float64, format string, args ...any) {
		if v >= goal {
			failed = fmt.Sprintf(format, args...) + fmt.Sprintf(" (evidence %s, needed %s)", odd(v), odd(goal))
		}
	}
	if r.Compare {
		switch {
		case baseline != nil:
			thresholds = fmt.Sprintf("baseline %s", percent(baseline.Rate()))
			fail(e.worse(), "%s is worse than the baseline's %s", candidate, baseline)
		case e.alone != nil:
			thresholds = fmt.Sprintf("the baseline's record, at most %s", percent(e.limit))
			fail(e.worse(), "%s is worse than the baseline's record %s", candidate, e.record)
		}
	}
	if r.Max == nil {
		return failed, thresholds
	}
	if thresholds != "" {
		thresholds += ", "
	}
	thresholds += "max " + percent(*r.Max)
	fail(e.above(), "%s is above the bound of %s", candidate, percent(*r.Max))
	return failed, thresholds
}

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
