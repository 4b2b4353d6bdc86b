package verdict

import "testing"

func TestResultsSayWhatTheyRestOn(t *testing.T) {
	value := Value{Max: new(200.0), Failures: 2, Of: 3}
	for _, c := range []struct {
		name          string
		result        Result
		seen, against bool
	}{
		{"requests within the bound", bounded(0.1).Judge(bounded(0.1).Begin(Counts{}), Counts{0, 9}, nil), true, false},
		{"few requests above the bound", bounded(0.1).Judge(bounded(0.1).Begin(Counts{}), Counts{1, 3}, nil), true, true},
		{"no request at all", bounded(0.1).Judge(bounded(0.1).Begin(Counts{}), Counts{}, nil), false, false},
		{"a comparison has no bound to be outside of", compared.Judge(compared.Begin(Counts{}), Counts{1, 3}, &Counts{0, 3}), true, false},
		{"a value within its bounds", value.Judge(&History{}, 150), true, false},
		{"a value outside, once", value.Judge(&History{}, 250), true, true},
		{"no answer", Unseen(NotEnough, "nothing yet"), false, false},
	} {
		if c.result.Seen() != c.seen || c.result.Against != c.against {
			t.Errorf("%s: seen %v, against %v: %s", c.name, c.result.Seen(), c.result.Against, c.result)
		}
	}
}
