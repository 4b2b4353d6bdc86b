package main

import (
	"math"
	"math/rand/v2"
)

// scenario is a bad candidate beside a baseline.
type scenario struct {
	name                string
	candidate, baseline service
	// load is the candidate's requests in a second; 0 stands for perLook.
	load float64
	// bad and good are the rates that Wald's bound is made of.
	bad, good float64
	// from is the second in which the fault begins; requests count from there.
	from int
	// bounded says that there is a goal for the median, in Wald's bounds.
	bounded bool
}

// mostOfBound is that goal.
const mostOfBound = 1.5

// pace is how many requests the candidate gets in a second.
func (s scenario) pace() float64 {
	if s.load == 0 {
		return perLook
	}
	return s.load
}

// The latencies: a median of 100 ms, and the objective at the baseline's p99.
const (
	spread  = 0.8
	z99     = 2.3263
	narrow  = 0.4
	halfway = looks / 2
)

var (
	usual  = slow{0.1, spread, 0.1 * math.Exp(z99*spread)}
	twice  = slow{0.2, spread, usual.objective}
	steady = slow{0.1, narrow, 0.1 * math.Exp(z99*narrow)}
	// jumpy has the mean of steady, exp(spread^2/2) times its median, and twice its spread.
	jumpy = slow{0.1 * math.Exp((narrow*narrow-4*narrow*narrow)/2), 2 * narrow, steady.objective}
)

var scenarios = []scenario{
	{name: "errors 0.1 -> 1 %", candidate: failing(0.01), baseline: failing(0.001), bad: 0.01, good: 0.001, bounded: true},
	{name: "errors 1 -> 3 %", candidate: failing(0.03), baseline: failing(0.01), bad: 0.03, good: 0.01, bounded: true},
	{name: "errors 1 -> 10 %", candidate: failing(0.1), baseline: failing(0.01), bad: 0.1, good: 0.01, bounded: true},
	{name: "latency x 2 (p99 is the objective)", candidate: twice, baseline: usual, bad: twice.over(), good: usual.over()},
	{name: "variance jump, same mean latency", candidate: jumpy, baseline: steady, bad: jumpy.over(), good: steady.over()},
	{name: "sparse errors 0.02 -> 0.5 %", candidate: failing(0.005), baseline: failing(0.0002), bad: 0.005, good: 0.0002},
	{name: "keep-alive skew, 1/40 of the traffic, 1 -> 10 %", candidate: failing(0.1), baseline: failing(0.01), load: 0.2, bad: 0.1, good: 0.01},
	{name: "errors 1 -> 10 %, from half-way on", candidate: turning{halfway, failing(0.01), failing(0.1)}, baseline: failing(0.01), bad: 0.1, good: 0.01, from: halfway},
	{name: "half of all answers bad", candidate: failing(0.5), baseline: failing(0.001), bad: 0.5, good: 0.001},
}

// well is a candidate that is no worse than its baseline, both from one service.
type well struct {
	name string
	// service makes one for each release of a run.
	service func(run uint64) (candidate, baseline service)
	// steady is the rate that the peers were tuned to.
	steady float64
	// promised says that the comparison's guarantee holds for it.
	promised bool
}

func both(s service) func(uint64) (candidate, baseline service) {
	return func(uint64) (candidate, baseline service) { return s, s }
}

var healthy = []well{
	{"errors 0.1 %", both(failing(0.001)), 0.001, true},
	{"errors 1 %", both(failing(0.01)), 0.01, true},
	{"errors 10 %", both(failing(0.1)), 0.1, true},
	{"errors 1 %, 20 % in both for 30 s: an incident of all", incidentOfAll, 0.01, true},
	{"errors 1 %, in bursts of one release alone", burstsOfItsOwn, 0.01, false},
}

// incidentOfAll lets both fail at once, as when something breaks that both need.
func incidentOfAll(run uint64) (candidate, baseline service) {
	from := rand.New(rand.NewPCG(run, 1)).IntN(looks - 30)
	s := turning{from, failing(0.01), turning{from + 30, failing(0.2), failing(0.01)}}
	return s, s
}

// burstsOfItsOwn gives each release 1 % of bad requests, a fifth of all in each of seconds that differ between the two.
func burstsOfItsOwn(run uint64) (candidate, baseline service) {
	return newBursts(run, 2), newBursts(run, 3)
}

type bursts [looks]bool

func newBursts(run, of uint64) *bursts {
	var b bursts
	random := rand.New(rand.NewPCG(run, of))
	for i := range b {
		b[i] = random.Float64() < 0.05
	}
	return &b
}

func (b *bursts) answer(random *rand.Rand, second int) (bad bool, value float64) {
	if b[second] {
		return failing(0.2).answer(random, second)
	}
	return false, 0
}
