package verdict

import (
	"math"
	"strings"
	"testing"
)

func TestLatencyIsACountOverTheObjective(t *testing.T) {
	inf := math.Inf(1)
	usual := map[float64]float64{0.1: 80, 0.25: 90, 0.5: 98, inf: 100}
	for _, c := range []struct {
		name      string
		count     func(map[float64]float64, float64) (Counts, error)
		buckets   map[float64]float64
		objective float64
		want      Counts
		problem   string
	}{
		{"an objective that is a bound is counted", Slower, usual, 0.25, Counts{10, 100}, ""},
		{"so is the largest bound", Slower, usual, 0.5, Counts{2, 100}, ""},
		{"no request at all is none", Slower, map[float64]float64{0.1: 0, inf: 0}, 0.1, Counts{}, ""},
		{"between two bounds nothing is known", Slower, usual, 0.3, Counts{}, "the nearest are 0.25 and 0.5"},
		{"below the first bound neither", Slower, usual, 0.05, Counts{}, "the nearest are 0 and 0.1"},
		{"beyond the last one neither", Slower, usual, 2, Counts{}, "the nearest are 0.5 and +Inf"},
		{"asked to guess, it takes requests to be spread evenly", SlowerAbout, usual, 0.375, Counts{6, 100}, ""},
		{"and the first bucket to begin at 0", SlowerAbout, usual, 0.05, Counts{60, 100}, ""},
		{"a bound needs no guess", SlowerAbout, usual, 0.25, Counts{10, 100}, ""},
		{"beyond the last bound there is nothing to guess by", SlowerAbout, usual, 2, Counts{}, "the largest bound of the histogram is 0.5"},
		{"a histogram without the count of all is refused", Slower, map[float64]float64{0.1: 5, 0.5: 6}, 0.1, Counts{}, "+Inf"},
		{"an empty one too", Slower, nil, 0.1, Counts{}, "0 buckets"},
		{"buckets that are not cumulative are refused", Slower, map[float64]float64{0.1: 80, 0.25: 10, inf: 100}, 0.1, Counts{}, "cumulative"},
		{"NaN is refused", Slower, map[float64]float64{0.1: math.NaN(), inf: 100}, 0.1, Counts{}, "NaN requests"},
		{"a negative count is refused", SlowerAbout, map[float64]float64{0.1: -1, inf: 100}, 0.1, Counts{}, "-1 requests"},
		{"a bound that is no number is refused", Slower, map[float64]float64{math.NaN(): 1, inf: 100}, 0.1, Counts{}, "not a number"},
		{"an objective of 0 is refused", Slower, usual, 0, Counts{}, "above 0 s"},
		{"and one that is no number", SlowerAbout, usual, math.NaN(), Counts{}, "above 0 s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.count(c.buckets, c.objective)
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("got %v and %v, want an error with %q", got, err, c.problem)
				}
				return
			}
			if err != nil || math.Abs(got.Bad-c.want.Bad) > 1e-9 || got.Total != c.want.Total {
				t.Errorf("got %v and %v, want %v", got, err, c.want)
			}
		})
	}
}
