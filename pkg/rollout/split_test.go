package rollout

import (
	"math"
	"testing"
)

// surges are all that matter for n: none, one, some, the default, more than that.
func surges(n int) []int { return []int{0, 1, 2, n / 4, n / 2, n, 2 * n} }

func TestSplitKeepsItsBounds(t *testing.T) {
	for n := 1; n <= 200; n++ {
		for _, surge := range surges(n) {
			before := -1.0
			for p := 0; p <= 100; p++ {
				b, c, achieved := Split(n, float64(p), surge)
				switch {
				case b < 0 || b > n:
					t.Fatalf("Split(%d, %d, %d): baseline %d is not between 0 and n", n, p, surge, b)
				case c < 0 || b+c < n || b+c > n+surge:
					t.Fatalf("Split(%d, %d, %d) = %d+%d: outside of n to n+surge", n, p, surge, b, c)
				case p > 0 && c == 0:
					t.Fatalf("Split(%d, %d, %d): no candidate for more than 0 %%", n, p, surge)
				case p == 0 && (b != n || c != 0):
					t.Fatalf("Split(%d, 0, %d) = %d+%d, want the baseline untouched", n, surge, b, c)
				case p == 100 && b != 0:
					t.Fatalf("Split(%d, 100, %d): baseline %d still takes traffic", n, surge, b)
				case achieved < before:
					t.Fatalf("Split(%d, %d, %d): %v %% is less than %v %% for a smaller percentage", n, p, surge, achieved, before)
				case math.Abs(achieved-100*float64(c)/float64(b+c)) > 1e-9:
					t.Fatalf("Split(%d, %d, %d) = %d+%d: claims %v %%", n, p, surge, b, c, achieved)
				}
				before = achieved
			}
		}
	}
}

// TestSplitIsTheNearest compares with trying every split there is.
func TestSplitIsTheNearest(t *testing.T) {
	for n := 1; n <= 40; n++ {
		for _, surge := range surges(n) {
			for p := 0.5; p <= 100; p += 0.5 {
				b, _, achieved := Split(n, p, surge)
				got := math.Abs(achieved - p)
				for tb := 0; tb <= n; tb++ {
					for tc := 1; tb+tc <= n+surge; tc++ {
						if tb+tc < n {
							continue
						}
						distance := math.Abs(100*float64(tc)/float64(tb+tc) - p)
						if distance < got-1e-9 {
							t.Fatalf("Split(%d, %v, %d) achieves %v %%, but %d+%d is nearer", n, p, surge, achieved, tb, tc)
						}
						if distance < got+1e-9 && tb > b {
							t.Fatalf("Split(%d, %v, %d) has %d baseline pods, but %d+%d is as near with more", n, p, surge, b, tb, tc)
						}
					}
				}
			}
		}
	}
}

func TestSplitOfWellKnownCases(t *testing.T) {
	for _, c := range []struct {
		n       int
		percent float64
		surge   int
		b, c    int
	}{
		{4, 5, 4, 4, 1},
		{4, 25, 4, 3, 1},
		{4, 50, 4, 4, 4},
		{4, 100, 4, 0, 4},
		{10, 20, 10, 8, 2},
		{8, 50, 0, 4, 4},
		{1, 5, 0, 0, 1},
		{1, 50, 1, 1, 1},
		{0, 50, 5, 0, 0},
	} {
		if b, cand, _ := Split(c.n, c.percent, c.surge); b != c.b || cand != c.c {
			t.Errorf("Split(%d, %v, %d) = %d+%d, want %d+%d", c.n, c.percent, c.surge, b, cand, c.b, c.c)
		}
	}
	if b, c, _ := Split(5, math.NaN(), 5); b != 5 || c != 0 {
		t.Errorf("Split(5, NaN, 5) = %d+%d, want the baseline untouched", b, c)
	}
}

func TestWeightsNeverLoadAPodMore(t *testing.T) {
	for n := 1; n <= 200; n++ {
		for _, surge := range surges(n) {
			before := 0
			for p := 0.5; p <= 100; p += 0.5 {
				b, c := enough(n, p, surge)
				switch {
				case float64(n)*p/100 > float64(c)+1e-9 || float64(n)*(100-p)/100 > float64(b)+1e-9:
					t.Fatalf("enough(%d, %v, %d) = %d+%d: a pod gets more than before", n, p, surge, b, c)
				case b > n || b+c < n || b+c > n+max(1, surge):
					t.Fatalf("enough(%d, %v, %d) = %d+%d: outside of the bounds", n, p, surge, b, c)
				case c < before:
					t.Fatalf("enough(%d, %v, %d): %d candidates, fewer than for a smaller share", n, p, surge, c)
				case surge >= n && b != n && p < 100:
					t.Fatalf("enough(%d, %v, %d): the surge allows a whole baseline, got %d", n, p, surge, b)
				}
				before = c
			}
		}
	}
	for _, p := range []float64{0, -1, math.NaN()} {
		if b, c := enough(5, p, 5); b != 5 || c != 0 {
			t.Errorf("enough(5, %v, 5) = %d+%d, want the baseline untouched", p, b, c)
		}
	}
}
