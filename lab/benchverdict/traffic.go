package main

import (
	"math"
	"math/rand/v2"
)

const (
	// looks is how many seconds a run lasts: four steps of 7.5 minutes.
	looks, steps = 1800, 4
	// perLook is how many requests the candidate answers between two looks, on average; the baseline answers four times as
	// many. So few, because a look can't come in the middle of a second.
	perLook, baselineTimes = 2, 4
)

// look is what came in within one second.
type look struct {
	candidate, baseline count
}

// count is of one release. value is the sum of what a rule reads that looks at values: latencies, or bad requests.
type count struct {
	total, bad uint16
	value      float32
}

// mean is that of the values.
func (c count) mean() float64 {
	if c.total == 0 {
		return math.NaN()
	}
	return float64(c.value) / float64(c.total)
}

func (c count) plus(d count) count {
	return count{c.total + d.total, c.bad + d.bad, c.value + d.value}
}

// trace is a whole run.
type trace []look

// service answers requests: whether one is bad, and its value.
type service interface {
	answer(random *rand.Rand, second int) (bad bool, value float64)
}

// failing answers badly at a fixed rate.
type failing float64

func (f failing) answer(random *rand.Rand, _ int) (bad bool, value float64) {
	if random.Float64() < float64(f) {
		return true, 1
	}
	return false, 0
}

// slow has latencies of a log-normal distribution; one above the objective is bad.
type slow struct{ median, spread, objective float64 }

func (s slow) answer(random *rand.Rand, _ int) (bad bool, value float64) {
	latency := s.median * math.Exp(s.spread*random.NormFloat64())
	return latency > s.objective, latency
}

// over is the share of requests above the objective.
func (s slow) over() float64 {
	return math.Erfc(math.Log(s.objective/s.median)/s.spread/math.Sqrt2) / 2
}

// turning is one service until a second, and another from then on.
type turning struct {
	at            int
	before, after service
}

func (t turning) answer(random *rand.Rand, second int) (bad bool, value float64) {
	if second < t.at {
		return t.before.answer(random, second)
	}
	return t.after.answer(random, second)
}

// simulate plays one run. candidateLoad is how many requests the candidate gets in a second, on average.
func simulate(seed uint64, candidate, baseline service, candidateLoad float64) trace {
	random := rand.New(rand.NewPCG(seed, 20261127))
	t := make(trace, looks)
	for second := range t {
		t[second].candidate = serve(random, candidate, candidateLoad, second)
		t[second].baseline = serve(random, baseline, perLook*baselineTimes, second)
	}
	return t
}

func serve(random *rand.Rand, s service, load float64, second int) (c count) {
	for range poisson(random, load) {
		c.total++
		bad, value := s.answer(random, second)
		if bad {
			c.bad++
		}
		c.value += float32(value)
	}
	return c
}

// poisson draws a number of arrivals (Knuth's method; the means are small).
func poisson(random *rand.Rand, mean float64) int {
	end, product := math.Exp(-mean), random.Float64()
	n := 0
	for product > end {
		n++
		product *= random.Float64()
	}
	return n
}
