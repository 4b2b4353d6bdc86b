package verdict

import "math"

// alternatives is how many error rates are held against the null hypothesis at once. Evidence for any of them counts, at
// the price of ln(alternatives) = 2.1 nats, about one more bad request.
const alternatives = 8

// smallestEffect is the least worsening, as a factor on the odds, that a test looks for. Below it a candidate is not worth
// a rollback, and no amount of traffic will make one.
const smallestEffect = 2

// grid spreads rates from smallestEffect times the odds of null up to 0.9, evenly in log odds.
func grid(null float64) [alternatives]float64 {
	low := math.Log(smallestEffect * odds(null))
	high := math.Max(math.Log(odds(0.9)), low+math.Log(smallestEffect))
	var rates [alternatives]float64
	for i := range rates {
		o := math.Exp(low + (high-low)*float64(i)/(alternatives-1))
		rates[i] = o / (1 + o)
	}
	return rates
}

// boundEvidence is the e-value against "the rate is at most bound": the mean of the likelihood ratios of the alternatives.
// Each ratio is a supermartingale under every rate up to the bound, so by Ville's inequality (1939) the chance that their
// mean EVER reaches 1/alpha is at most alpha, however often one looks. A mixture of likelihood ratios is Robbins' (1970)
// form of Wald's test (1945).
func boundEvidence(c Counts, bound float64) float64 {
	if bound <= 0 {
		if c.Bad > 0 {
			return math.Inf(1)
		}
		return 1
	}
	bad, good := c.Bad, math.Max(0, c.Total-c.Bad)
	var logs [alternatives]float64
	for i, rate := range grid(bound) {
		logs[i] = bad*math.Log(rate/bound) + good*math.Log((1-rate)/(1-bound))
	}
	return meanExp(logs)
}

// comparison is the running evidence that the candidate is worse than a baseline that serves at the same time. One block
// per observation: Turner, Ly, Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional
// stopping" (arXiv:2106.02693), theorem 1: with group sizes nc, nb known before the outcomes, and rates (c, b) chosen from
// earlier blocks alone,
//
//	prod p_c(candidate's outcomes) p_b(baseline's outcomes) / prod p_0(all outcomes),  p_0 = (nc c + nb b)/(nc + nb)
//
// has expectation at most 1 whenever both groups have the same rate; because c > b here, also whenever the candidate's is
// lower. The product over blocks is a supermartingale, so Ville's inequality holds for it as above.
type comparison struct {
	logs [alternatives]float64
	// past is the baseline's record before the next block: the only thing that block's rates are chosen from.
	past Counts
}

// add takes the next block: what came in since the last one.
func (k *comparison) add(candidate, baseline Counts) {
	if candidate.Total > 0 && baseline.Total > 0 {
		// Half a bad request in one request of prior (Jeffreys) keeps the rate off 0 and 1.
		base := clampRate((k.past.Bad + 0.5) / (k.past.Total + 1))
		for i, worse := range grid(base) {
			pooled := (candidate.Total*worse + baseline.Total*base) / (candidate.Total + baseline.Total)
			k.logs[i] += logLikelihoodRatio(candidate, worse, pooled) + logLikelihoodRatio(baseline, base, pooled)
		}
	}
	k.past.Bad += baseline.Bad
	k.past.Total += baseline.Total
}

// evidence is the e-value against "the candidate is no worse than the baseline".
func (k *comparison) evidence() float64 { return meanExp(k.logs) }

func logLikelihoodRatio(c Counts, rate, null float64) float64 {
	return c.Bad*math.Log(rate/null) + math.Max(0, c.Total-c.Bad)*math.Log((1-rate)/(1-null))
}

// upperRate is the upper end of Wilson's 99 % interval for a rate: what the baseline's rate may plausibly be, given its record.
func upperRate(c Counts) float64 {
	if c.Total <= 0 {
		return 1
	}
	const z = 2.576
	p, n := math.Min(1, c.Rate()), c.Total
	centre := p + z*z/(2*n)
	spread := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return math.Min(1, (centre+spread)/(1+z*z/n))
}

func odds(rate float64) float64 { return rate / (1 - rate) }

func clampRate(rate float64) float64 { return math.Min(0.98, math.Max(1e-6, rate)) }

// meanExp is mean(exp(logs)) without overflow on the way.
func meanExp(logs [alternatives]float64) float64 {
	top := logs[0]
	for _, l := range logs {
		top = math.Max(top, l)
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return math.Exp(top) * sum / alternatives
}
