package verdict

import "math"

// Least is how many requests of a candidate no test can do without, on average, to find a share of bad requests as large as bad
// where healthy is allowed, at an error rate of alpha: Wald's bound ln(1/alpha) / KL(bad || healthy) (1945). It is infinite when
// bad is no worse than healthy. docs/verdict.md says how near the tests here come to it.
func Least(healthy, bad, alpha float64) float64 {
	if bad <= healthy {
		return math.Inf(1)
	}
	return -math.Log(alpha) / divergence(bad, healthy)
}

// divergence is the Kullback-Leibler divergence of one share of bad requests from another, in nats per request.
func divergence(p, q float64) float64 {
	term := func(p, q float64) float64 {
		if p == 0 {
			return 0
		}
		return p * math.Log(p/q)
	}
	return term(p, q) + term(1-p, 1-q)
}

// Smallest is the smallest share of bad requests for which so many requests are enough by that bound; 1 when there is none.
func Smallest(healthy, requests, alpha float64) float64 {
	if !(Least(healthy, 1, alpha) <= requests) {
		return 1
	}
	low, high := healthy, 1.0
	for range 60 {
		if middle := (low + high) / 2; Least(healthy, middle, alpha) <= requests {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
