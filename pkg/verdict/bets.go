package verdict

import "math"

// effects are the worsenings that a comparison looks for, as factors on the odds that a request is bad, and what part of the
// money is on each. A candidate whose odds are less than doubled is not worth a rollback; it makes a bet on 3 lose. Beyond 30
// a bet hardly gains: a bad request can be the candidate's with a chance of 1 at most. In between they stand so close that
// one of them earns nearly what a bet on the true effect would.
var effects = []effect{{3, 0.45}, {6, 0.15}, {30, 0.4}}

// effect is one worsening and its part of the money.
type effect struct{ factor, part float64 }

// largest is a rate at which nobody needs to look for a worse one.
const largest = 0.9

// smallestEffect is the least worsening that a bound looks for, as a factor on the odds of a bad request.
const smallestEffect = 2

// effectsAbove are what a bound looks for: from smallestEffect times its odds up to a rate of 0.9, evenly in log odds. They
// reach further than those of a comparison, since against a known rate each bad request says more the worse the candidate is.
func effectsAbove(rate float64) []effect {
	const count = 8
	low := math.Log(smallestEffect)
	high := math.Max(math.Log(odds(largest)/odds(rate)), low+math.Log(smallestEffect))
	all := make([]effect, count)
	for i := range all {
		all[i] = effect{math.Exp(low + (high-low)*float64(i)/(count-1)), 1.0 / count}
	}
	return all
}

const (
	// firstStake is the part of the money that is bet from the beginning; most bad candidates are bad from their first
	// request on. The rest is for those that turn bad later.
	firstStake = 0.9
	// stepStake is the part of what is kept that each further step bets.
	stepStake = 0.5
	// Whenever the bets have fallen to this part of the last stake, they are renewed from what is kept back: the n-th time with
	// 1/(n+1) of it. A bet that has all but lost takes as long to recover as it took to lose; and since 1/2 + 1/6 + 1/12 + …
	// is 1, what is kept lasts for ever.
	lowWater = 0.25
)

// bets are a gambler's money in a game that is fair, or worse, as long as the null hypothesis holds: outcomes are paid by what
// they would be worth under each effect, over what that is worth on average under the null hypothesis. Nobody can win at
// such a game: by Ville's inequality (1939) the chance that money which began as 1 EVER reaches 1/alpha is at most alpha,
// however often one looks and whenever one stops. To bet on several effects at once is Robbins' (1970) mixture form of Wald's
// test (1945); the view as a game is Shafer's (2021) and that of Waudby-Smith and Ramdas (2023). What is bet may depend on
// everything up to now, hence the later stakes.
type bets struct {
	effects []effect
	// money is what lies on each effect; kept is what lies on none.
	money []float64
	kept  float64
	// low is what the bets must fall to before they are renewed, renewed how often that has happened.
	low     float64
	renewed int
}

// newBets begins a game with some money.
func newBets(effects []effect, money float64) *bets {
	b := &bets{effects: effects, money: make([]float64, len(effects)), kept: money}
	b.stake(firstStake)
	return b
}

// stake bets a part of what is kept.
func (b *bets) stake(part float64) {
	stake := b.kept * part
	b.kept -= stake
	b.low = lowWater * stake
	for i, e := range b.effects {
		b.money[i] += stake * e.part
	}
}

// worth is all the money: the e-value against the null hypothesis.
func (b *bets) worth() float64 { return b.kept + b.onEffects() }

func (b *bets) onEffects() float64 {
	sum := 0.0
	for _, m := range b.money {
		sum += m
	}
	return sum
}

// settle pays the bets for a block in which the candidate had so many bad requests, which by chance alone would have been
// drawn from the lot. goal is the worth at which the game is won; from then on it is over.
func (b *bets) settle(l lot, bad int, goal float64) {
	if b.worth() >= goal || l.certain {
		return
	}
	if b.onEffects() < b.low {
		b.renewed++
		b.stake(1 / float64(b.renewed+1))
	}
	// after is what all would be worth for each outcome, if it were paid as it is.
	after := make([]float64, len(l.chances))
	for j := range after {
		after[j] = b.kept
	}
	paid := make([]float64, len(b.effects))
	for i, e := range b.effects {
		log, mean := math.Log(e.factor), l.logMean(e.factor)
		for j := range after {
			after[j] += b.money[i] * pay(float64(l.least+j)*log-mean)
		}
		paid[i] = pay(float64(bad)*log - mean)
	}
	more := l.bonus(after, b.worth(), goal)
	b.kept *= more
	for i := range b.money {
		b.money[i] *= more * paid[i]
	}
}

// pay is exp without infinities, which would make NaN of a bet that has lost everything.
func pay(log float64) float64 { return math.Exp(math.Min(log, 500)) }

// bonus is a factor on all payments that keeps the game fair although whoever reaches the goal gets no more than the goal.
// A block often brings more than what was needed; that surplus buys nothing, so it is spent on better payments for the other
// outcomes. The factor is the one with which the payments, cut at the goal, are worth on average what the money was worth
// before. They still rise with the number of bad requests, so a candidate that is better than the null hypothesis gains no
// more from them. Fischer and Ramdas, "Improving Wald's (approximate) sequential probability ratio test by avoiding
// overshoot" (arXiv:2410.16076).
func (l lot) bonus(after []float64, before, goal float64) float64 {
	// below is the average of the payments of all outcomes up to one.
	below := make([]float64, len(after))
	sum := 0.0
	for j, a := range after {
		below[j] = sum
		sum += l.chances[j] * a
	}
	factor, won := 1.0, 0.0
	for j := len(after) - 1; j > 0 && below[j] > 0 && factor*after[j] > goal; j-- {
		won += l.chances[j]
		factor = math.Max(factor, (before-goal*won)/below[j])
	}
	return factor
}

func odds(rate float64) float64 { return rate / (1 - rate) }
