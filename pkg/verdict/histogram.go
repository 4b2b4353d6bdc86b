package verdict

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// Slower makes a latency objective a ratio: of all requests in a histogram, those that took longer than objective seconds are
// bad. buckets are cumulative, as Prometheus has them: for each upper bound in seconds (le), how many requests took at most
// so long; the one of +Inf counts all.
//
// A histogram knows nothing of what lies between its bounds, so the objective must be one of them. See [SlowerAbout] for
// others.
func Slower(buckets map[float64]float64, objective float64) (Counts, error) {
	bounds, err := readBuckets(buckets, objective)
	if err != nil {
		return Counts{}, err
	}
	within, ok := buckets[objective]
	if !ok {
		below, above := neighbours(bounds, objective)
		return Counts{}, fmt.Errorf("counting requests over %s s: the histogram has no bucket with that bound; the nearest are %s and %s",
			seconds(objective), seconds(below), seconds(above))
	}
	all := buckets[math.Inf(1)]
	return Counts{Bad: all - within, Total: all}, nil
}

// SlowerAbout is [Slower] for any objective below the largest finite bound: within the bucket that holds it, requests are taken
// to be spread evenly. That is a guess. It is the same guess for candidate and baseline, but the two may be spread
// differently, and then a good candidate can look worse than it is, or a bad one better.
func SlowerAbout(buckets map[float64]float64, objective float64) (Counts, error) {
	bounds, err := readBuckets(buckets, objective)
	if err != nil {
		return Counts{}, err
	}
	below, above := neighbours(bounds, objective)
	if math.IsInf(above, 1) {
		return Counts{}, fmt.Errorf("counting requests over %s s: the largest bound of the histogram is %s, and nothing is known beyond it", seconds(objective), seconds(below))
	}
	part := 0.0
	if above > below {
		part = (objective - below) / (above - below)
	}
	// Nothing takes less than no time: the first bucket begins at 0, and holds what a histogram has below its first bound.
	within := buckets[below] + part*(buckets[above]-buckets[below])
	all := buckets[math.Inf(1)]
	return Counts{Bad: all - within, Total: all}, nil
}

// readBuckets refuses what is no histogram, and gives its bounds in their order.
func readBuckets(buckets map[float64]float64, objective float64) ([]float64, error) {
	if !finite(objective) || objective <= 0 {
		return nil, fmt.Errorf("counting requests over %v s: give an objective above 0 s", objective)
	}
	bounds := slices.Sorted(maps.Keys(buckets))
	if len(bounds) < 2 || !math.IsInf(bounds[len(bounds)-1], 1) {
		return nil, fmt.Errorf("counting requests over %s s: of the histogram's %d buckets none counts all requests (le=\"+Inf\"), or there is no other", seconds(objective), len(bounds))
	}
	last := 0.0
	for _, bound := range bounds {
		n := buckets[bound]
		switch {
		case math.IsNaN(bound):
			return nil, fmt.Errorf("counting requests over %s s: a bucket's bound is not a number", seconds(objective))
		case !finite(n) || n < 0:
			return nil, fmt.Errorf("counting requests over %s s: the bucket of %s s holds %v requests", seconds(objective), seconds(bound), n)
		case n < last:
			return nil, fmt.Errorf("counting requests over %s s: the bucket of %s s holds %v requests, fewer than one before it with %v; buckets are cumulative",
				seconds(objective), seconds(bound), n, last)
		}
		last = n
	}
	return bounds, nil
}

// neighbours are the bounds around a value, which may be one of them itself.
func neighbours(bounds []float64, value float64) (below, above float64) {
	i, found := slices.BinarySearch(bounds, value)
	switch {
	case found:
		return value, value
	case i == 0:
		return 0, bounds[0]
	}
	return bounds[i-1], bounds[i]
}

// seconds prints a bound as Prometheus does.
func seconds(s float64) string {
	if math.IsInf(s, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(s, 'g', -1, 64)
}
