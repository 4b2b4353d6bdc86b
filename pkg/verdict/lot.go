package verdict

import "math"

// lot is how many of a block's bad requests are the candidate's by chance alone: chances[j] is the chance of least+j. Numbers
// whose chance is too small to be told from 0 are left out, which are most of those of a large block.
type lot struct {
	least   int
	chances []float64
	// certain says that nothing is left to chance, as in a block without bad requests.
	certain bool
}

// drawn is the lot of a comparison: bad of all requests were bad, and each of them is the candidate's or the baseline's as
// if they had been drawn from an urn (the hypergeometric distribution). That holds for every rate that both have in common, a
// different one for each block, and for any shares of the traffic; no rate has to be known or guessed.
//
// A game on how bad requests divide, given their number, is Wald's (1947) test of two proportions, as an e-value in Hao,
// Grünwald, Lardy, Long, Adams, "E-values for k-sample tests with exponential families" (arXiv:2303.00471). It grows as fast
// as the blocks of Turner, Ly, Grünwald (arXiv:2106.02693) would if they knew both rates, and these have to guess them.
func drawn(candidate, baseline, bad int) lot {
	least, most := max(0, bad-baseline), min(bad, candidate)
	return newLot(least, most, func(j int) float64 {
		return float64(candidate-j) * float64(bad-j) / (float64(j+1) * float64(baseline-bad+j+1))
	})
}

// tossed is the lot of a bound: each of the candidate's requests is bad with the chance of the bound (the binomial
// distribution).
func tossed(requests int, rate float64) lot {
	o := odds(rate)
	return newLot(0, requests, func(j int) float64 { return o * float64(requests-j) / float64(j+1) })
}

// newLot builds a lot from the ratios of neighbours: ratio(j) is the chance of j+1 over that of j.
func newLot(least, most int, ratio func(j int) float64) lot {
	l := lot{least: least, chances: make([]float64, most-least+1), certain: least == most}
	log, top := 0.0, 0.0
	for i := range l.chances {
		l.chances[i] = log
		top = math.Max(top, log)
		log += math.Log(ratio(least + i))
	}
	sum := 0.0
	for i, log := range l.chances {
		l.chances[i] = math.Exp(log - top)
		sum += l.chances[i]
	}
	for i := range l.chances {
		l.chances[i] /= sum
	}
	from, to := 0, len(l.chances)
	for l.chances[from] == 0 {
		from++
	}
	for l.chances[to-1] == 0 {
		to--
	}
	l.least, l.chances = l.least+from, l.chances[from:to]
	return l
}

// logMean is the logarithm of the mean of factor^j. With it, factor^j over the mean is the likelihood ratio of "the odds are
// factor times as high" to "the odds are the same".
func (l lot) logMean(factor float64) float64 {
	step, top := math.Log(factor), math.Inf(-1)
	for j, c := range l.chances {
		top = math.Max(top, float64(j)*step+math.Log(c))
	}
	sum := 0.0
	for j, c := range l.chances {
		sum += math.Exp(float64(j)*step + math.Log(c) - top)
	}
	return float64(l.least)*step + top + math.Log(sum)
}
