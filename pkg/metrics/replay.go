package metrics

import (
	"errors"
	"fmt"
	"slices"

	"github.com/org/promote/pkg/verdict"
)

// Basis is what the verdicts of a run rest on besides the numbers of its samples. Who has both can judge the run again.
type Basis struct {
	Checks []Check `json:"checks"`
	// MinRequests and Alpha are those of [Rules].
	MinRequests int     `json:"minRequests"`
	Alpha       float64 `json:"alpha"`
	// Records are what ratio checks knew of the baseline before any traffic moved, by the check's name.
	Records map[string]verdict.Counts `json:"records,omitempty"`
	// Resumed is the evidence that ratio checks went on with from the run before, by the check's name.
	Resumed map[string]verdict.Kept `json:"resumed,omitempty"`
}

// Basis is what this judge's verdicts rest on.
func (j *Judge) Basis() Basis {
	b := Basis{Checks: slices.Clone(j.checks), MinRequests: j.rules.MinRequests, Alpha: j.rules.Alpha, Records: map[string]verdict.Counts{}}
	for i, c := range j.checks {
		if c.Type == RatioCheck {
			b.Records[c.Name] = j.states[i].proven
		}
		if kept := j.states[i].resumed; kept != nil {
			if b.Resumed == nil {
				b.Resumed = map[string]verdict.Kept{}
			}
			b.Resumed[c.Name] = *kept
		}
	}
	return b
}

// Rejudge judges the numbers of a run again, under its own checks or others. It asks nobody. It is for one goroutine.
type Rejudge struct {
	judge  *Judge
	judged []int
}

// Rejudge begins to judge a run again under these checks, which [ParseChecks] accepted. A monitor can't be asked about the past, so
// a check takes the numbers of the run's check of that name and type; without says, for each that has none, why.
func (b Basis) Rejudge(checks []Check) (judge *Rejudge, without []error) {
	r := &Rejudge{judge: NewJudge(nil, checks, Subject{}, Rules{MinRequests: b.MinRequests, Alpha: b.Alpha})}
	for i, c := range checks {
		if err := b.counted(c); err != nil {
			without = append(without, fmt.Errorf("check %q: %w", c.Name, err))
			continue
		}
		r.judged = append(r.judged, i)
		if s := &r.judge.states[i]; c.Type == RatioCheck {
			s.evidence = b.begin(c, s.rule)
		}
	}
	return r, without
}

// begin is what a check had seen when the run began. What was gathered under another rule is worth nothing to this one.
func (b Basis) begin(c Check, rule verdict.Ratio) *verdict.Evidence {
	if kept, ok := b.Resumed[c.Name]; ok {
		if evidence, err := rule.Resume(kept); err == nil {
			return evidence
		}
	}
	return rule.Begin(b.Records[c.Name])
}

// counted says why a run has no numbers for a check.
func (b Basis) counted(c Check) error {
	i := slices.IndexFunc(b.Checks, func(asked Check) bool { return asked.Name == c.Name })
	switch {
	case i < 0:
		return errors.New("the run has no check of this name, and its query can't be asked about the past")
	case b.Checks[i].Type != c.Type:
		return fmt.Errorf("the run's check of this name is a %s and not a %s", b.Checks[i].Type, c.Type)
	case c.Type == RatioCheck && c.compares() && !b.Checks[i].compares():
		return errors.New("it compares, and the run did not count the baseline's requests")
	}
	return nil
}

// Observe judges the next sample's results again. What had no number then has none now.
func (r *Rejudge) Observe(w Window, recorded []verdict.Result) []verdict.Result {
	if !w.Since.Equal(r.judge.since) {
		r.judge.begin(w.Since)
	}
	var results []verdict.Result
	for _, i := range r.judged {
		c := r.judge.checks[i]
		for _, old := range recorded {
			if old.Check == c.Name {
				res := r.again(i, w, old)
				res.Check, res.Query = old.Check, old.Query
				results = append(results, res)
			}
		}
	}
	return results
}

// again judges the numbers of a result. One without numbers stays what it was.
func (r *Rejudge) again(check int, w Window, old verdict.Result) verdict.Result {
	s, c := &r.judge.states[check], r.judge.checks[check]
	var n numbers
	switch {
	case c.Type == ValueCheck && old.Value != nil:
		n.value = *old.Value
	case c.Type == RatioCheck && old.Candidate != nil:
		n.candidate = *old.Candidate
		if s.rule.Compare && !w.Full {
			if old.Baseline == nil {
				return verdict.Unseen(verdict.NoData, "the sample has no counts of the baseline")
			}
			baseline := *old.Baseline
			n.baseline = &baseline
		}
	default:
		return old
	}
	return r.judge.judge(s, c, w, n)
}
