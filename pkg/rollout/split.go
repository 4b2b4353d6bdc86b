package rollout

import "math"

// Split says how many pods of each release stand behind the Service so that the candidate's share of n pods' traffic comes
// nearest to percent (0 to 100).
//
// The baseline is never scaled above n, and baseline+candidate lies between n and n+surge. Of two splits that are equally
// near, the one with the larger baseline is taken, then the one with fewer pods. More than 0 % is at least one candidate.
// achieved is what whole pods give, in percent.
func Split(n int, percent float64, surge int) (baseline, candidate int, achieved float64) {
	n, surge = max(0, n), max(0, surge)
	if n == 0 || !(percent > 0) {
		return n, 0, 0
	}
	percent = math.Min(percent, 100)
	best := math.Inf(1)
	for b := n; b >= 0; b-- {
		for _, c := range nearest(b, percent, max(n-b, 1), n-b+surge) {
			distance := math.Abs(share(b, c) - percent)
			// Equal shares differ in the last bits; only a real gain replaces the larger baseline.
			if distance < best-1e-9 {
				best, baseline, candidate = distance, b, c
			}
		}
	}
	return baseline, candidate, share(baseline, candidate)
}

// splitWhole is Split as long as that leaves the baseline whole, and else the nearest share that does, if the surge allows
// it. Taking pods from the baseline to come a few percent nearer to a small share would leave a rollback without them.
func splitWhole(n int, percent float64, surge int) (baseline, candidate int, achieved float64) {
	if n > 0 && percent > 0 && percent < 100 && float64(n)*percent/(100-percent) <= float64(surge) {
		for _, c := range nearest(n, percent, 1, surge) {
			if candidate == 0 || math.Abs(share(n, c)-percent) < math.Abs(achieved-percent)-1e-9 {
				candidate, achieved = c, share(n, c)
			}
		}
		return n, candidate, achieved
	}
	return Split(n, percent, surge)
}

// enough says how many pods each release needs when weights give the candidate percent of n pods' traffic, so that no pod gets more
// than it got before. The baseline stays whole as long as n+surge pods allow. Whole pods for both may take one more than n, even
// without a surge.
func enough(n int, percent float64, surge int) (baseline, candidate int) {
	need := func(percent float64) int { return int(math.Ceil(float64(n)*percent/100 - 1e-9)) }
	if n <= 0 || !(percent > 0) {
		return max(0, n), 0
	}
	if percent >= 100 {
		return 0, n
	}
	candidate = max(1, need(percent))
	return max(1, need(100-percent), min(n, n+max(0, surge)-candidate)), candidate
}

// nearest gives the one or two candidate counts between low and high that bring b baseline pods nearest to percent.
func nearest(b int, percent float64, low, high int) []int {
	if low > high {
		return nil
	}
	if percent >= 100 || b == 0 {
		if b == 0 {
			return []int{low}
		}
		return []int{high}
	}
	exact := float64(b) * percent / (100 - percent)
	below := min(max(int(math.Floor(math.Min(exact, float64(high)))), low), high)
	return []int{below, min(below+1, high)}
}

// share is the candidate's part of the pods, in percent.
func share(baseline, candidate int) float64 {
	if baseline+candidate == 0 {
		return 0
	}
	return 100 * float64(candidate) / float64(baseline+candidate)
}
