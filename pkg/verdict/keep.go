package verdict

import (
	"errors"
	"fmt"
	"math"
)

// Kept is a ratio's evidence between two runs that bring one rollout to its end. It is a few hundred bytes of JSON, and all its
// numbers are finite.
type Kept struct {
	// Max and Compare are the rule that the evidence belongs to.
	Max     *float64 `json:"max,omitempty"`
	Compare bool     `json:"compare,omitempty"`
	// Record is all that is known of the baseline.
	Record Counts `json:"record"`
	// Compared, Alone and Bounded are the games against the baseline, its record and the bound; nil where none is played.
	Compared *Stakes `json:"compared,omitempty"`
	Alone    *Stakes `json:"alone,omitempty"`
	Bounded  *Stakes `json:"bounded,omitempty"`
	// Limit is the rate that Alone is played against.
	Limit float64 `json:"limit,omitempty"`
	// Broken says that a bound of 0 was crossed.
	Broken bool `json:"broken,omitempty"`
}

// Stakes are a gambler's money: what lies on each effect, what is kept back, and when it is staked again.
type Stakes struct {
	Money   []float64 `json:"money"`
	Kept    float64   `json:"kept"`
	Low     float64   `json:"low"`
	Renewed int       `json:"renewed,omitempty"`
}

// Keep gives the evidence for another run to go on with. What came in since the last look is not in it: who goes on counts from
// where that begins to watch, and a game that skips requests without having seen them is as fair as before.
func (e *Evidence) Keep() Kept {
	k := Kept{
		Compare: e.compared != nil, Record: e.record, Broken: e.broken,
		Compared: e.compared.keep(), Alone: e.alone.keep(), Bounded: e.bounded.keep(),
	}
	if e.bounded != nil || e.strict {
		bound := e.max
		k.Max = &bound
	}
	if e.alone != nil {
		k.Limit = e.limit
	}
	return k
}

func (b *bets) keep() *Stakes {
	if b == nil {
		return nil
	}
	return &Stakes{Money: append([]float64{}, b.money...), Kept: b.kept, Low: b.low, Renewed: b.renewed}
}

// Resume goes on with evidence that was kept, so that the promise of alpha is one over both runs. It refuses evidence of another
// rule, and numbers that no game can have come to.
func (r Ratio) Resume(k Kept) (*Evidence, error) {
	if r.Compare != k.Compare || (r.Max == nil) != (k.Max == nil) || r.Max != nil && *r.Max != *k.Max {
		return nil, errors.New("it was kept under another rule")
	}
	if problem := k.Record.check(); problem != "" {
		return nil, fmt.Errorf("the baseline's record: %s", problem)
	}
	e := r.Begin(k.Record)
	e.broken = k.Broken && e.strict
	if k.Alone != nil {
		if !r.Compare || !(k.Limit > 0 && k.Limit < 1) {
			return nil, fmt.Errorf("the limit of the baseline's record is %v", k.Limit)
		}
		e.limit, e.alone = k.Limit, newBets(effectsAbove(k.Limit), 1)
	}
	return e, errors.Join(e.compared.resume("comparison", k.Compared), e.alone.resume("record", k.Alone), e.bounded.resume("bound", k.Bounded))
}

// resume takes up a game's money. b is the game as it begins; nil is none.
func (b *bets) resume(game string, from *Stakes) error {
	switch {
	case b == nil && from == nil:
		return nil
	case b == nil || from == nil || len(from.Money) != len(b.effects):
		return fmt.Errorf("the game of the %s has stakes on other effects", game)
	}
	sum := 0.0
	for _, m := range append([]float64{from.Kept, from.Low}, from.Money...) {
		if !finite(m) || m < 0 {
			return fmt.Errorf("the game of the %s has stakes that are no money: %v", game, m)
		}
		sum += m
	}
	if worth := sum - from.Low; !(worth > 0) || math.IsInf(sum, 0) || from.Renewed < 0 {
		return fmt.Errorf("the game of the %s is worth %v, renewed %d times", game, worth, from.Renewed)
	}
	b.money, b.kept, b.low, b.renewed = append([]float64{}, from.Money...), from.Kept, from.Low, from.Renewed
	return nil
}
