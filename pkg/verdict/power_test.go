package verdict

import (
	"math"
	"testing"
)

func TestLeastIsWaldsBound(t *testing.T) {
	// The numbers that the bench is held against.
	for _, c := range []struct{ healthy, bad, want float64 }{{0.001, 0.01, 327}, {0.01, 0.03, 350}, {0.01, 0.1, 32}} {
		if got := Least(c.healthy, c.bad, 0.01); math.Round(got) != c.want {
			t.Errorf("from %v to %v: %v requests, want %v", c.healthy, c.bad, got, c.want)
		}
	}
	for _, c := range [][2]float64{{0.01, 0.01}, {0.01, 0.001}, {0, 0}} {
		if got := Least(c[0], c[1], 0.01); !math.IsInf(got, 1) {
			t.Errorf("from %v to %v: %v requests, want no end", c[0], c[1], got)
		}
	}
}

func TestSmallestIsTheOtherWayAround(t *testing.T) {
	for _, healthy := range []float64{0.0001, 0.001, 0.01, 0.2} {
		for _, requests := range []float64{20, 327, 1e5} {
			bad := Smallest(healthy, requests, 0.01)
			if bad <= healthy || bad > 1 {
				t.Errorf("at %v with %v requests: %v", healthy, requests, bad)
			}
			if got := Least(healthy, bad, 0.01); math.Abs(got-requests) > requests/1000 {
				t.Errorf("at %v with %v requests: %v needs %v", healthy, requests, bad, got)
			}
		}
	}
	if got := Smallest(0.5, 1, 0.01); got != 1 {
		t.Errorf("with one request: %v, want 1", got)
	}
}
