package traffic

import (
	"fmt"
	"math"
)

const (
	// heaviest is the largest weight that Route 53 takes.
	heaviest = 255
	// full is the stable record's weight when it is alone. Any but 0 would do.
	full = 100
)

// Weights are those of the two records. An absent record has weight 0.
type Weights struct{ Stable, Candidate int }

// Percent is the candidate's share of the answers, from 0 to 100. When both weights are 0 it is 50, because Route 53 then gives
// each record the same chance.
func (w Weights) Percent() float64 {
	if w.Stable+w.Candidate == 0 {
		return 50
	}
	return 100 * float64(w.Candidate) / float64(w.Stable+w.Candidate)
}

func (w Weights) String() string {
	return fmt.Sprintf("weights %d (stable) and %d (candidate): %.3g %% of the answers name the candidate", w.Stable, w.Candidate, w.Percent())
}

// weigh finds the weights whose share is nearest to percent. Only 0 is nobody and only 100 is everybody: a step that asks for
// little gets the least there is (0.39 %), and not a step without traffic.
func weigh(percent float64) (Weights, error) {
	switch {
	case math.IsNaN(percent) || percent < 0 || percent > 100:
		return Weights{}, fmt.Errorf("sharing DNS answers: %v %% is not between 0 and 100", percent)
	case percent == 0:
		return Weights{Stable: full}, nil
	case percent == 100:
		return Weights{Candidate: full}, nil
	}
	best := Weights{Stable: 1, Candidate: 1}
	for stable := 1; stable <= heaviest; stable++ {
		for candidate := 1; candidate <= heaviest; candidate++ {
			if w := (Weights{stable, candidate}); w.nearer(best, percent) {
				best = w
			}
		}
	}
	return best, nil
}

// nearer says whether w is better than other: by its distance, else by reading as percents, else by being small.
func (w Weights) nearer(other Weights, percent float64) bool {
	mine, theirs := math.Abs(w.Percent()-percent), math.Abs(other.Percent()-percent)
	if mine != theirs {
		return mine < theirs
	}
	sum, otherSum := w.Stable+w.Candidate, other.Stable+other.Candidate
	return otherSum != full && (sum == full || sum < otherSum)
}
