// Package verdict turns numbers from a monitor into one word per check: pass, fail, not enough evidence, no data or broken.
// It is pure: no clock, no network, no client library; the same numbers always give the same verdict, so a run can be
// judged again later under other rules.
//
// It refuses to call silence health. A missing number, NaN, an infinity, a negative count, more bad than total: none of
// them passes. A [Ratio] is judged by a sequential test that may be looked at as often as one likes (docs/verdict.md has the
// rule and its sources); a [Value] by bounds, k of the last n. A latency is a ratio too: [Slower] counts it over an objective.
//
//	rule := verdict.Ratio{Max: new(0.01), MinRequests: 50, Alpha: 0.01}
//	evidence := rule.Begin(verdict.Counts{})
//	result := rule.Judge(evidence, verdict.Counts{Bad: 6, Total: 12}, nil)
//	fmt.Println(result.Outcome) // fail
package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Outcome is what the numbers say about one check.
type Outcome string

// The outcomes. Only Pass ever lets a rollout go on.
const (
	// Pass: there is enough evidence, and none of it speaks against the candidate.
	Pass Outcome = "pass"
	// Fail: the evidence speaks against the candidate.
	Fail Outcome = "fail"
	// NotEnough: nothing speaks against the candidate yet, but too little has been seen.
	NotEnough Outcome = "not-enough"
	// NoData: the monitor gave no usable number.
	NoData Outcome = "no-data"
	// Broken: the monitor gave something that can't be what the check asks for; waiting will not mend it.
	Broken Outcome = "broken"
)

// Blind says that nothing could be seen.
func (o Outcome) Blind() bool { return o == NoData || o == Broken }

// Counts are requests: how many there were and how many of them were bad. Monitors extrapolate, so they may be fractions.
type Counts struct {
	Bad   float64 `json:"bad"`
	Total float64 `json:"total"`
}

// Rate is bad/total; 0 when there were none.
func (c Counts) Rate() float64 {
	if c.Total <= 0 {
		return 0
	}
	return c.Bad / c.Total
}

func (c Counts) String() string {
	return fmt.Sprintf("%s of %s (%s)", number(c.Bad), number(c.Total), percent(c.Rate()))
}

// check says what is wrong with counts, "" if nothing is.
func (c Counts) check() string {
	switch {
	case !finite(c.Bad) || !finite(c.Total):
		return fmt.Sprintf("the counts are not finite (bad %v, total %v)", c.Bad, c.Total)
	case c.Bad < 0 || c.Total < 0:
		return fmt.Sprintf("a count is negative (bad %v, total %v)", c.Bad, c.Total)
	// Extrapolation may put bad a little above total when every request is bad.
	case c.Bad > c.Total*1.05+1:
		return fmt.Sprintf("there are more bad requests than requests (%s of %s)", number(c.Bad), number(c.Total))
	}
	return ""
}

// Result is the verdict of one check at one moment, with the numbers it rests on. All its numbers are finite.
type Result struct {
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	// Reason is a clause with the numbers and the threshold.
	Reason string `json:"reason"`
	// Candidate and Baseline are the counts of a ratio.
	Candidate *Counts `json:"candidate,omitempty"`
	Baseline  *Counts `json:"baseline,omitempty"`
	// Value is the candidate's rate, or the value of a value check.
	Value *float64 `json:"value,omitempty"`
	// Against says that the newest numbers are outside of the check's bounds, which proves nothing by itself.
	Against bool `json:"against,omitempty"`
	// Threshold is the bound that was crossed or is nearest, in words.
	Threshold string `json:"threshold,omitempty"`
	// Query is what the monitor was asked, with everything filled in.
	Query string `json:"query,omitempty"`
}

func (r Result) String() string {
	text := fmt.Sprintf("%s: %s", r.Check, r.Outcome)
	if r.Reason != "" {
		text += ", " + r.Reason
	}
	return text
}

// Seen says that there are numbers of the candidate's own: a value, or the counts of at least one request.
func (r Result) Seen() bool {
	if r.Candidate != nil {
		return r.Candidate.Total > 0
	}
	return r.Value != nil
}

// longestReason bounds, in bytes, what is kept of a monitor's words: each look keeps its own, and the state in the cluster the last.
const longestReason = 500

// Unseen is the result of a check for which the monitor gave no usable answer.
func Unseen(outcome Outcome, format string, args ...any) Result {
	reason := fmt.Sprintf(format, args...)
	if len(reason) > longestReason {
		reason = strings.ToValidUTF8(reason[:longestReason], "") + "…" // a new text: a part would keep the whole in memory
	}
	return Result{Outcome: outcome, Reason: reason}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// number prints counts as people write them: a fraction only where there is one.
func number(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}

// percent prints a rate.
func percent(rate float64) string { return fmt.Sprintf("%.3g %%", rate*100) }
