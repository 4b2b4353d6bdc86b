package main

import "slices"

// Argo Rollouts measures at an interval, here once a second, with a query over a window; a measurement fails when its
// condition does, and the run aborts when more than failureLimit of them have failed, in a row or not.
// https://argo-rollouts.readthedocs.io/en/stable/features/analysis/ has the fields interval, initialDelay, successCondition,
// failureLimit, and the example that argoUsual is: every 5 minutes, a success rate of at least 95 % over 5 minutes, and 3
// failures allowed.
//
// Flagger checks its metrics at an interval and counts failed checks; when they have reached the threshold, the next check
// rolls back (measured on Flagger v1.36.1). https://docs.flagger.app/usage/metrics and
// https://docs.flagger.app/usage/how-it-works have request-success-rate with thresholdRange.min, and the example that
// flaggerUsual is: every minute, at least 99 % over a minute, threshold 5.
//
// Both look at the candidate alone.
type threshold struct {
	// every lies between two measurements, window is what each looks back on; in seconds.
	every, window int
	// allowed is how many may fail.
	allowed int
	// most is the highest share of bad requests that does not fail.
	most float64
	// late is how many measurements later it acts.
	late int
}

// windows and failures are what the tuned ones choose from.
var (
	windows  = []int{5, 10, 20, 30, 60, 120, 300}
	failures = []int{0, 1, 2, 4}
)

var (
	argoUsual    = threshold{every: 300, window: 300, allowed: 3, most: 0.05}.decide
	flaggerUsual = threshold{every: 60, window: 60, allowed: 4, most: 0.01, late: 1}.decide
)

func argoSettings(healthy []trace) []rule    { return tunedThresholds(healthy, 0) }
func flaggerSettings(healthy []trace) []rule { return tunedThresholds(healthy, 1) }

// tunedThresholds gives a rule for each window and number of failures.
func tunedThresholds(healthy []trace, late int) []rule {
	var rules []rule
	for _, window := range windows {
		shares := make([][]float64, len(healthy))
		parallel(len(healthy), func(i int) {
			shares[i] = threshold{every: 1, window: window}.measure(healthy[i])
			slices.Sort(shares[i])
		})
		for _, allowed := range failures {
			decisive := make([]float64, len(healthy))
			for i, s := range shares {
				decisive[i] = s[len(s)-1-allowed]
			}
			rules = append(rules, threshold{1, window, allowed, limit(decisive), late}.decide)
		}
	}
	return rules
}

// measure gives the share of bad requests for each measurement. The first one waits for a whole window (initialDelay); no
// request at all is no failure here.
func (r threshold) measure(t trace) []float64 {
	var shares []float64
	var sum count
	for second, l := range t {
		sum = sum.plus(l.candidate)
		if second >= r.window {
			gone := t[second-r.window].candidate
			sum.total, sum.bad = sum.total-gone.total, sum.bad-gone.bad
		}
		if second+1 >= r.window && (second+1)%r.every == 0 {
			share := 0.0
			if sum.total > 0 {
				share = float64(sum.bad) / float64(sum.total)
			}
			shares = append(shares, share)
		}
	}
	return shares
}

func (r threshold) decide(t trace) int {
	failed := 0
	for i, share := range r.measure(t) {
		if share > r.most {
			failed++
		}
		if failed > r.allowed {
			first := (r.window+r.every-1)/r.every*r.every - 1
			return min(never, first+(i+r.late)*r.every)
		}
	}
	return never
}
