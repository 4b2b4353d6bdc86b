package report

import (
	"math"

	"github.com/org/promote/pkg/verdict"
)

// z is the two-sided 95 % quantile of the normal distribution.
const z = 1.96

// wilson is the 95 % score interval of a rate, in percent, of p = bad/total in n = total requests:
//
//	(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)
//
// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical
// Association 22 (1927) 209-212. It stays within 0 and 100 % and is honest for few requests, where p ± 2σ is not. Without
// requests nothing is known. It is what an eye may read from one moment; a verdict, which looks many times, rests on the
// sequential test of package verdict.
func wilson(c verdict.Counts) (low, high float64) {
	if !(c.Total > 0) || !usable(c.Total) || !usable(c.Bad) {
		return 0, 100
	}
	n, p := c.Total, math.Max(0, math.Min(1, c.Rate()))
	centre := p + z*z/(2*n)
	spread := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	low, high = (centre-spread)/(1+z*z/n), (centre+spread)/(1+z*z/n)
	return 100 * math.Max(0, low), 100 * math.Min(1, high)
}
