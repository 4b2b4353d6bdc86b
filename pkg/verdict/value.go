package verdict

import (
	"errors"
	"fmt"
)

// Value judges one number by bounds.
type Value struct {
	// Min and Max are the bounds, both allowed values themselves. At least one is set.
	Min, Max *float64
	// Failures out of the last Of observations fail the check; 0 and 0 mean the first one does.
	Failures, Of int
}

// Check refuses a rule that can't judge.
func (v Value) Check() error {
	var errs []error
	if v.Min == nil && v.Max == nil {
		errs = append(errs, errors.New("it has neither `min` nor `max`"))
	}
	if v.Min != nil && v.Max != nil && *v.Min > *v.Max {
		errs = append(errs, fmt.Errorf("`min` %v is above `max` %v", *v.Min, *v.Max))
	}
	if v.Min != nil && !finite(*v.Min) || v.Max != nil && !finite(*v.Max) {
		errs = append(errs, errors.New("a bound is not a finite number"))
	}
	if v.Failures < 0 || v.Of < v.Failures || v.Failures == 0 && v.Of > 0 {
		errs = append(errs, fmt.Errorf("`failures: %d` of `of: %d` observations can't be counted; give 1 ≤ failures ≤ of", v.Failures, v.Of))
	}
	return errors.Join(errs...)
}

// History is what a value check has seen within one step, newest last. It belongs to one goroutine.
type History struct{ outside []bool }

// Judge looks at the next number. Outside its bounds it fails when that happened Failures times within the last Of
// observations, and is not enough to pass until then; a number that is not finite is no data.
func (v Value) Judge(h *History, value float64) Result {
	if !finite(value) {
		return Unseen(NoData, "the value is %v", value)
	}
	failures, of := max(1, v.Failures), max(1, v.Of)
	outside := v.Min != nil && value < *v.Min || v.Max != nil && value > *v.Max
	h.outside = append(h.outside, outside)
	if len(h.outside) > of {
		h.outside = h.outside[len(h.outside)-of:]
	}
	count := 0
	for _, o := range h.outside {
		if o {
			count++
		}
	}
	res := Result{Value: &value, Against: outside, Threshold: v.bounds(), Outcome: Pass, Reason: fmt.Sprintf("%.4g is within %s", value, v.bounds())}
	switch {
	case count >= failures:
		res.Outcome = Fail
		res.Reason = fmt.Sprintf("%.4g is outside of %s", value, v.bounds())
		if of > 1 {
			res.Reason = fmt.Sprintf("%d of the last %d values are outside of %s, the newest is %.4g", count, len(h.outside), v.bounds(), value)
		}
	case count > 0:
		res.Outcome = NotEnough
		res.Reason = fmt.Sprintf("%d of the last %d values are outside of %s; %d fail the check", count, len(h.outside), v.bounds(), failures)
	}
	return res
}

// bounds prints the rule.
func (v Value) bounds() string {
	switch {
	case v.Min == nil:
		return fmt.Sprintf("max %.4g", *v.Max)
	case v.Max == nil:
		return fmt.Sprintf("min %.4g", *v.Min)
	}
	return fmt.Sprintf("%.4g to %.4g", *v.Min, *v.Max)
}
