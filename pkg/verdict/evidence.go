package verdict

import "math"

// Evidence is what a ratio has seen within one run. It belongs to one goroutine.
type Evidence struct {
	seen [2]Counts // candidate, baseline: cumulative since the step began, as of the last look
	open [2]Counts // what came in since the last block was closed
	// record is all that is known of the baseline, before what was known when the step began.
	record, before Counts
	compared       *bets
	// alone is what is bet against the baseline's record when no baseline serves, limit the rate it is taken to have at most.
	alone *bets
	limit float64
	// limitDoubt is the chance that the baseline's rate is above the limit after all.
	limitDoubt float64
	bounded    *bets
	max        float64
	// strict says that the bound is 0, broken that a request was bad nevertheless.
	strict, broken bool
}

// recordPart is the part of a comparison's alpha that the limit of the baseline's record may spend. Most runs never need it.
const recordPart = 0.05

// Begin starts a run. record is what is known of the baseline from before it; it may be empty.
func (r Ratio) Begin(record Counts) *Evidence {
	if record.check() != "" {
		record = Counts{}
	}
	e := &Evidence{record: record, before: record, limitDoubt: recordPart * r.alphaEach()}
	if r.Compare {
		e.compared = newBets(effects, 1-recordPart)
	}
	if r.Max != nil {
		e.max, e.strict = *r.Max, *r.Max == 0
		if !e.strict {
			e.bounded = newBets(effectsAbove(e.max), 1)
		}
	}
	return e
}

// Next starts another step of the run, in which the counts begin at 0 again. Evidence is carried on: a game that is fair in
// each step is fair over all of them, so no step has to do with less than the whole alpha. Half of what is kept is bet, since
// a greater share of the traffic is what a fault often waits for.
func (e *Evidence) Next() {
	e.seen, e.before = [2]Counts{}, e.record
	for _, b := range []*bets{e.compared, e.alone, e.bounded} {
		if b != nil {
			b.stake(stepStake)
		}
	}
}

// Record is all that is known of the baseline.
func (e *Evidence) Record() Counts { return e.record }

// worse is the e-value against "the candidate is no worse than the baseline": the product of what was won against the baseline
// and, after that, against its record. Only one game is played at a time, so the product is worth no more than either on
// average.
func (e *Evidence) worse() float64 {
	if e.alone == nil {
		return e.compared.worth()
	}
	return e.compared.worth() * e.alone.worth()
}

// above is the e-value against "the candidate's rate is within the bound".
func (e *Evidence) above() float64 {
	switch {
	case e.broken:
		return math.Inf(1)
	case e.bounded == nil:
		return 1
	}
	return e.bounded.worth()
}

// observe turns cumulative counts into the next block and settles the bets on it. baseline is nil when none serves.
func (e *Evidence) observe(candidate Counts, baseline *Counts, goal float64) {
	first := e.seen[0].grow(candidate)
	if e.bounded != nil && first.Total > 0 {
		e.bounded.settle(tossed(int(first.Total), e.max), int(first.Bad), goal)
	}
	// A bound of 0 fails with the first whole bad request; extrapolation makes fractions out of nothing.
	e.broken = e.broken || e.strict && first.Bad > 0
	if e.compared == nil {
		return
	}
	if baseline == nil {
		e.againstRecord(first, goal)
		return
	}
	second := e.seen[1].grow(*baseline)
	e.record = e.record.plus(second)
	e.open = [2]Counts{e.open[0].plus(first), e.open[1].plus(second)}
	// A block without one of the two would say nothing, so it goes on until both have answered. That depends on totals alone.
	if c, b := e.open[0], e.open[1]; c.Total > 0 && b.Total > 0 {
		e.compared.settle(drawn(int(c.Total), int(b.Total), int(c.Bad+b.Bad)), int(c.Bad), goal)
		e.open = [2]Counts{}
	}
}

// againstRecord settles what is bet when the candidate serves alone.
func (e *Evidence) againstRecord(block Counts, goal float64) {
	if e.alone == nil {
		if e.record.Total <= 0 {
			return
		}
		e.limit = math.Min(0.98, upperRate(e.record, e.limitDoubt))
		e.alone = newBets(effectsAbove(e.limit), 1)
	}
	if block.Total > 0 {
		e.alone.settle(tossed(int(block.Total), e.limit), int(block.Bad), goal/e.compared.worth())
	}
}

// grow takes cumulative counts and gives what is new in them, in whole requests. A pod that went away takes its counts along;
// what was seen stays seen, and a bad request that comes before its total waits for it.
func (c *Counts) grow(to Counts) Counts {
	var block Counts
	block.Total = math.Max(0, math.Round(to.Total)-c.Total)
	block.Bad = math.Min(block.Total, math.Max(0, math.Round(to.Bad)-c.Bad))
	*c = c.plus(block)
	return block
}

func (c Counts) plus(d Counts) Counts { return Counts{Bad: c.Bad + d.Bad, Total: c.Total + d.Total} }

// upperRate is the upper limit of a confidence sequence for a rate (Robbins 1970): the chance that the rate is EVER above it,
// however long counting goes on, is at most doubt. A rate is out when the counts are 1/doubt times likelier under a mixture
// of all rates, Jeffreys' Beta(1/2, 1/2), than under that rate.
func upperRate(c Counts, doubt float64) float64 {
	bad, good := math.Min(c.Bad, c.Total), math.Max(0, c.Total-c.Bad)
	mixture := logBeta(bad+0.5, good+0.5) - logBeta(0.5, 0.5)
	out := func(rate float64) bool {
		return mixture-bad*math.Log(rate)-good*math.Log1p(-rate) >= -math.Log(doubt)
	}
	low, high := c.Rate(), 1.0
	for range 60 {
		if middle := (low + high) / 2; out(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}
