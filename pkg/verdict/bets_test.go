package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// near says that two numbers agree but for rounding.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) }

func TestLotsHaveTheirDistribution(t *testing.T) {
	for _, c := range []struct {
		name   string
		got    lot
		least  int
		wanted []float64
	}{
		{"one bad request among one and four", drawn(1, 4, 1), 0, []float64{0.8, 0.2}},
		{"two among two and two", drawn(2, 2, 2), 0, []float64{1. / 6, 4. / 6, 1. / 6}},
		{"more than the baseline can hold", drawn(3, 1, 3), 2, []float64{0.75, 0.25}},
		{"two tosses", tossed(2, 0.25), 0, []float64{9. / 16, 6. / 16, 1. / 16}},
		{"nothing bad is certain", drawn(3, 9, 0), 0, []float64{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.got.least != c.least || len(c.got.chances) != len(c.wanted) {
				t.Fatalf("got %v", c.got)
			}
			for i, want := range c.wanted {
				if !near(c.got.chances[i], want) {
					t.Errorf("got %v, want %v", c.got.chances, c.wanted)
				}
			}
		})
	}
}

// average is what all money is worth on average after a block, if the odds of the candidate are factor times those of the null
// hypothesis, and what is won counts no more than the goal.
func average(b *bets, l lot, factor, goal float64) float64 {
	sum, all := 0.0, 0.0
	for j, chance := range l.chances {
		after := *b
		after.money = slices.Clone(b.money)
		after.settle(l, l.least+j, goal)
		weight := chance * math.Pow(factor, float64(j))
		sum += weight * math.Min(goal, after.worth())
		all += weight
	}
	return sum / all
}

// TestNoBlockIsUnfair is the proof's one condition, without chance: whatever happened before, money is worth exactly as much
// after a block as before it, averaged over all outcomes of a healthy candidate; and no more if the candidate is better.
func TestNoBlockIsUnfair(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		const goal = 100
		b := newBets(effects, 1)
		for range random.IntN(12) {
			l := drawn(1+random.IntN(5), 1+random.IntN(20), 1+random.IntN(2))
			b.settle(l, l.least+random.IntN(len(l.chances)), goal)
		}
		if b.worth() >= goal {
			continue
		}
		lots := []lot{drawn(3+random.IntN(9), 3+random.IntN(30), 1+random.IntN(5)), tossed(1+random.IntN(30), random.Float64()*0.3)}
		for _, l := range lots {
			if got := average(b, l, 1, goal); !near(got, b.worth()) {
				t.Errorf("%v before a block is worth %v after it, of %v", b.worth(), got, l)
			}
			if got := average(b, l, 0.5, goal); got > b.worth()*(1+1e-9) {
				t.Errorf("%v before a block is worth %v after it for a better candidate, of %v", b.worth(), got, l)
			}
		}
	}
}

func TestBlocksOfAnySizeGiveNumbers(t *testing.T) {
	for _, c := range []struct {
		name                     string
		candidate, baseline, bad int
		mine                     int
	}{
		{"all of the candidate's are bad and none else", 20000, 20000, 20000, 20000},
		{"all of the baseline's are bad and none else", 20000, 20000, 20000, 0},
		{"everything is bad", 20000, 20000, 40000, 20000},
		{"half of both", 20000, 20000, 20000, 10000},
		{"hardly any baseline", 100000, 1, 50000, 50000},
		{"hardly any candidate", 1, 100000, 50000, 0},
		{"millions of requests", 2000000, 8000000, 100000, 20100},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBets(effects, 1)
			b.settle(drawn(c.candidate, c.baseline, c.bad), c.mine, 100)
			if v := b.worth(); !(v >= 0) || math.IsInf(v, 0) {
				t.Errorf("the bets are worth %v", v)
			}
			if failed, should := b.worth() >= 100, c.mine == 20000 && c.bad == 20000; failed != should {
				t.Errorf("failed: %v, want %v", failed, should)
			}
		})
	}
}

func TestLateFaultsAreFoundAfterLongHealth(t *testing.T) {
	b := newBets(effects, 1)
	for i := range 2000 {
		mine := 0
		if i%5 == 0 {
			mine = 1
		}
		b.settle(drawn(20, 80, 1), mine, 100)
	}
	n := 0
	for b.worth() < 100 && n < 100 {
		b.settle(drawn(20, 80, 1), 1, 100)
		n++
	}
	if n > 15 {
		t.Errorf("after 2000 bad requests in fair shares it took %d of the candidate alone", n)
	}
}

func TestTheRecordsLimitHoldsTheRate(t *testing.T) {
	if got := upperRate(Counts{0, 1000}, 0.001); got < 0.005 || got > 0.02 {
		t.Errorf("after 1000 good requests the rate is taken to be at most %v", got)
	}
	if got := upperRate(Counts{100, 10000}, 0.001); got < 0.013 || got > 0.017 {
		t.Errorf("after 100 bad of 10000 the rate is taken to be at most %v", got)
	}
	// Looked at after every 50 requests, as a rollout that goes on when it likes may do.
	const runs, rate, doubt = 1000, 0.02, 0.05
	random, wrong := rand.New(rand.NewPCG(7, 8)), 0
	for range runs {
		var c Counts
		for range 40 {
			c = c.plus(Counts{draw(random, 50, rate), 50})
			if upperRate(c, doubt) < rate {
				wrong++
				break
			}
		}
	}
	if wrong > alarmsAllowed(runs, doubt) {
		t.Errorf("the rate was above its limit in %d of %d runs", wrong, runs)
	}
}
