package verdict

import (
	"math"
	"strings"
	"testing"
)

func TestValueOutcomes(t *testing.T) {
	for _, c := range []struct {
		name   string
		rule   Value
		values []float64
		want   Outcome
	}{
		{"within both bounds passes", Value{Min: new(1.0), Max: new(2.0)}, []float64{1.5}, Pass},
		{"the bounds themselves pass", Value{Min: new(1.0), Max: new(2.0)}, []float64{1, 2}, Pass},
		{"above max fails", Value{Max: new(2.0)}, []float64{2.1}, Fail},
		{"below min fails", Value{Min: new(1.0)}, []float64{0.9}, Fail},
		{"one of three is borne but does not pass", Value{Max: new(2.0), Failures: 2, Of: 3}, []float64{1, 1, 3}, NotEnough},
		{"two of three fail", Value{Max: new(2.0), Failures: 2, Of: 3}, []float64{3, 1, 3}, Fail},
		{"what is long past is forgotten", Value{Max: new(2.0), Failures: 2, Of: 3}, []float64{3, 1, 1, 1}, Pass},
		{"NaN is no data", Value{Max: new(2.0)}, []float64{math.NaN()}, NoData},
		{"an infinity is no data", Value{Min: new(2.0)}, []float64{math.Inf(1)}, NoData},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.rule.Check(); err != nil {
				t.Fatal(err)
			}
			var h History
			var got Result
			for _, v := range c.values {
				got = c.rule.Judge(&h, v)
			}
			if got.Outcome != c.want || got.Reason == "" {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestValueRefusesRulesThatCannotJudge(t *testing.T) {
	for want, rule := range map[string]Value{
		"neither `min` nor `max`": {},
		"above `max`":             {Min: new(2.0), Max: new(1.0)},
		"not a finite number":     {Max: new(math.NaN())},
		"`failures: 3` of `of: 2": {Max: new(1.0), Failures: 3, Of: 2},
		"`failures: 0` of `of: 2": {Max: new(1.0), Of: 2},
	} {
		if err := rule.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
