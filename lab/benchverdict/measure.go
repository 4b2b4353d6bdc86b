package main

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// result is how one contender did in one scenario.
type result struct {
	// requests is the median of the candidate's requests until it was taken back; infinite when fewer than half were.
	requests float64
	// bad is the mean of its bad requests until then, or until the end of the run.
	bad float64
	// found and alarms are the shares of bad and of healthy runs that were rolled back.
	found, alarms float64
}

// measured are the results of all contenders, tuned and as documented.
type measured struct {
	scenario     scenario
	tuned, usual []result
}

// measure simulates a scenario and its healthy twin.
func measure(s scenario, runs int) measured {
	good, bad := make([]trace, runs), make([]trace, runs)
	parallel(runs, func(i int) {
		good[i] = simulate(uint64(i), s.baseline, s.baseline, s.pace())
		bad[i] = simulate(uint64(runs+i), s.candidate, s.baseline, s.pace())
	})
	m := measured{scenario: s}
	for _, c := range contenders {
		best := result{requests: math.Inf(1), bad: math.Inf(1)}
		for _, r := range c.settings(good) {
			if now := play(r, s, good, bad); now.requests < best.requests || now.requests == best.requests && now.bad < best.bad {
				best = now
			}
		}
		m.tuned = append(m.tuned, best)
		if c.usual != nil {
			m.usual = append(m.usual, play(c.usual, s, good, bad))
		}
	}
	return m
}

// play lets one rule judge all runs.
func play(r rule, s scenario, good, bad []trace) result {
	requests, spoiled := make([]float64, len(bad)), make([]float64, len(bad))
	alarms, found := make([]bool, len(good)), make([]bool, len(bad))
	parallel(len(bad), func(i int) {
		alarms[i] = r(good[i]) < never
		end := r(bad[i])
		found[i] = end < never && end >= s.from
		requests[i], spoiled[i] = until(bad[i], s.from, end)
		if !found[i] {
			requests[i] = math.Inf(1)
		}
	})
	slices.Sort(requests)
	return result{requests[len(requests)/2], mean(spoiled), share(found), share(alarms)}
}

// until counts the candidate's requests, and the bad ones, from a second to the end of another.
func until(t trace, from, end int) (requests, bad float64) {
	for second := from; second <= end && second < len(t); second++ {
		requests += float64(t[second].candidate.total)
		bad += float64(t[second].candidate.bad)
	}
	return requests, bad
}

// measuredHealthy are the shares of runs rolled back, by contender.
type measuredHealthy struct {
	well   well
	alarms []float64
}

// moreOften is how many times as many healthy runs promote's comparison judges: its promise is the one to be checked.
const moreOften = 5

// measureHealthy lets the contenders judge candidates that are well, tuned to their usual rate.
func measureHealthy(w well, runs int) measuredHealthy {
	steady := make([]trace, runs)
	parallel(runs, func(i int) { steady[i] = simulate(uint64(i), failing(w.steady), failing(w.steady), perLook) })
	now := func(i int) trace {
		candidate, baseline := w.service(uint64(i))
		return simulate(uint64(runs+i), candidate, baseline, perLook)
	}
	all := make([]trace, runs)
	parallel(runs, func(i int) { all[i] = now(i) })
	m := measuredHealthy{well: w}
	for _, c := range contenders[1:] {
		least := 1.0
		for _, r := range c.settings(steady) {
			alarms := make([]bool, runs)
			parallel(runs, func(i int) { alarms[i] = r(all[i]) < never })
			least = min(least, share(alarms))
		}
		m.alarms = append(m.alarms, least)
	}
	alarms := make([]bool, moreOften*runs)
	parallel(len(alarms), func(i int) { alarms[i] = compared(now(i)) < never })
	m.alarms = slices.Insert(m.alarms, 0, share(alarms))
	return m
}

// wald is the fewest requests that a sequential test with that chance of false alarms needs on average, if it is told both
// rates: ln(1/falseAlarms) over the Kullback-Leibler divergence of one request.
func wald(bad, good float64) float64 {
	return math.Log(1/falseAlarms) / divergence(bad, good)
}

// waldEstimated is the same when the good rate has to be learnt from times as many requests of the baseline: the divergence of
// both from the rate that they would have in common if nothing were wrong.
func waldEstimated(bad, good, times float64) float64 {
	common := (bad + times*good) / (1 + times)
	return math.Log(1/falseAlarms) / (divergence(bad, common) + times*divergence(good, common))
}

func divergence(p, q float64) float64 {
	return p*math.Log(p/q) + (1-p)*math.Log((1-p)/(1-q))
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

func share(all []bool) float64 {
	n := 0
	for _, v := range all {
		if v {
			n++
		}
	}
	return float64(n) / float64(len(all))
}

// parallel does n things on all cores.
func parallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for core := range cores {
		wg.Go(func() {
			for i := core; i < n; i += cores {
				do(i)
			}
		})
	}
	wg.Wait()
}
