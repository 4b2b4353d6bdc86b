package main

import (
	"math"
	"slices"
)

// kayenta compares points of a time series, one for each so many seconds, of all the time since the beginning: Mann and
// Whitney's rank test, turned into a confidence interval for the shift between the two. A metric is High when the whole
// interval is above a part, the tolerance, of the estimated shift. Documented defaults: a tolerance of 0.25, 98 % confidence.
// https://spinnaker.io/docs/guides/user/canary/judge/ describes the judge, and
// https://spinnaker.io/docs/guides/user/canary/best-practices/ asks for at least 50 points; with points of a minute and a run
// of half an hour kayentaUsual has 30, judged every 10 minutes.
//
// The points are shares of bad requests, or mean latencies in the rows about latency, as it is usually asked.
type kayenta struct {
	point, every int
	// most is how many standard deviations of the rank statistic do not fail.
	most float64
}

const (
	tolerance = 0.25
	// z98 is the two-sided limit for 98 % confidence.
	z98 = 2.3263
	// leastPoints are what the normal approximation needs at the very least.
	leastPoints = 5
)

var kayentaUsual = kayenta{60, 600, z98}.decide

// kayentaSettings judges at each new point, of 30 seconds or of a minute.
func kayentaSettings(healthy []trace) []rule {
	var rules []rule
	for _, point := range []int{30, 60} {
		largest := make([]float64, len(healthy))
		parallel(len(healthy), func(i int) {
			_, largest[i] = kayenta{point: point, every: point}.highest(healthy[i], never)
		})
		rules = append(rules, kayenta{point, point, limit(largest)}.decide)
	}
	return rules
}

func (k kayenta) decide(t trace) int {
	at, _ := k.highest(t, 1)
	return at
}

// highest judges at its interval by how many standard deviations the candidate's points rank above the tolerated shift. It
// says at the end of which second that rose above the most so far for so many times, and what it was then.
func (k kayenta) highest(t trace, times int) (at int, score float64) {
	var candidate, baseline []float64
	score = k.most
	for from := 0; from+k.point <= len(t); from += k.point {
		var c, b count
		for _, l := range t[from : from+k.point] {
			c, b = c.plus(l.candidate), b.plus(l.baseline)
		}
		if c.total > 0 && b.total > 0 {
			candidate, baseline = append(candidate, c.mean()), append(baseline, b.mean())
		}
		end := from + k.point
		if end%k.every != 0 {
			continue
		}
		if now := above(candidate, baseline, score); now > score {
			if score, times = now, times-1; times == 0 {
				return end - 1, score
			}
		}
	}
	return never, score
}

// above is the rank statistic of the candidate's points, less the tolerated part of the estimated shift, in standard
// deviations. What is not above the floor may be anything up to it: to tolerate something only lowers the rank, so often the
// shift need not be estimated.
func above(candidate, baseline []float64, floor float64) float64 {
	if len(candidate) < leastPoints {
		return floor
	}
	shifts := make([]float64, 0, len(candidate)*len(baseline))
	for _, c := range candidate {
		for _, b := range baseline {
			shifts = append(shifts, c-b)
		}
	}
	pairs := float64(len(shifts))
	spread := math.Sqrt(pairs / 12 * (float64(len(candidate)+len(baseline)+1) - ties(candidate, baseline)))
	if spread == 0 || (wins(shifts, 0)-pairs/2)/spread <= floor {
		return floor
	}
	// The Hodges-Lehmann estimate is the median of all shifts.
	slices.Sort(shifts)
	tolerated := math.Abs(shifts[len(shifts)/2]) * tolerance
	return (wins(shifts, tolerated) - pairs/2) / spread
}

// wins counts the shifts above a value; those that equal it count half.
func wins(shifts []float64, value float64) (n float64) {
	for _, s := range shifts {
		switch {
		case s > value:
			n++
		case s == value:
			n += 0.5
		}
	}
	return n
}

// ties is the correction of the rank statistic's variance for values that occur more than once.
func ties(a, b []float64) float64 {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	n, sum := float64(len(all)), 0.0
	for from := 0; from < len(all); {
		to := from
		for to < len(all) && all[to] == all[from] {
			to++
		}
		same := float64(to - from)
		sum += same*same*same - same
		from = to
	}
	return sum / (n * (n - 1))
}
