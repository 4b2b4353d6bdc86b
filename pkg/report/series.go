package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// point is one look at one check. low and high bound what the number may plausibly be.
type point struct {
	at           time.Time
	y, low, high float64
}

// seen is what a check saw, in pieces: a new one begins with each step, where its counts begin anew, and after a look without
// a number.
type seen struct {
	check     Check
	ratio     bool
	candidate [][]point
	baseline  [][]point
	// last is the last result with a number.
	last verdict.Result
}

// follow finds what a check saw. It is nil when the check never gave a number.
func follow(c Check, samples []rollout.Sample) *seen {
	s := &seen{check: c}
	var since time.Time
	step, open, openBaseline := -1, false, false
	found := false
	for _, sample := range samples {
		res, ok := resultOf(sample, c.Name)
		if !sample.Since.Equal(since) || sample.Step != step {
			since, step, open, openBaseline = sample.Since, sample.Step, false, false
		}
		if !ok || res.Candidate == nil && res.Value == nil {
			open, openBaseline = false, false
			continue
		}
		found, s.last = true, res
		if res.Candidate == nil {
			open = extend(&s.candidate, open, point{at: sample.At, y: *res.Value})
			continue
		}
		s.ratio = true
		open = extend(&s.candidate, open, rate(sample.At, *res.Candidate))
		if res.Baseline != nil {
			openBaseline = extend(&s.baseline, openBaseline, rate(sample.At, *res.Baseline))
		}
	}
	if !found {
		return nil
	}
	return s
}

func resultOf(s rollout.Sample, check string) (verdict.Result, bool) {
	i := slices.IndexFunc(s.Results, func(r verdict.Result) bool { return r.Check == check })
	if i < 0 {
		return verdict.Result{}, false
	}
	return s.Results[i], true
}

// extend adds a point to the last piece, or to a new one. It says whether the piece is open for the next.
func extend(pieces *[][]point, open bool, p point) bool {
	if !usable(p.y) {
		return false
	}
	if !open {
		*pieces = append(*pieces, nil)
	}
	last := len(*pieces) - 1
	(*pieces)[last] = append((*pieces)[last], p)
	return true
}

func rate(at time.Time, c verdict.Counts) point {
	p := point{at: at, y: min(100, 100*c.Rate())}
	p.low, p.high = wilson(c)
	return p
}

// thin leaves at most about n points: of each stretch the lowest and the highest, so that no peak gets lost, and the ends.
func thin(points []point, n int) []point {
	if len(points) <= max(n, 4) {
		return points
	}
	stretches := max(1, n/2-1)
	kept := []point{points[0]}
	inner := points[1 : len(points)-1]
	for i := range stretches {
		part := inner[len(inner)*i/stretches : len(inner)*(i+1)/stretches]
		if len(part) == 0 {
			continue
		}
		low, high := 0, 0
		for j, p := range part {
			if p.y < part[low].y {
				low = j
			}
			if p.y > part[high].y {
				high = j
			}
		}
		kept = append(kept, part[min(low, high)])
		if low != high {
			kept = append(kept, part[max(low, high)])
		}
	}
	return append(kept, points[len(points)-1])
}

// line is the path through the points of a piece; a lone point becomes a short stroke.
func line(points []point, x func(time.Time) float64, y func(float64) float64) string {
	var b strings.Builder
	for i, p := range points {
		b.WriteString(pen(i))
		fmt.Fprintf(&b, "%s %s", coord(x(p.at)), coord(y(p.y)))
	}
	if len(points) == 1 {
		b.WriteString("h3")
	}
	return b.String()
}

// band is the area between the bounds of a piece.
func band(points []point, x func(time.Time) float64, y func(float64) float64) string {
	var b strings.Builder
	for i, p := range points {
		b.WriteString(pen(i))
		fmt.Fprintf(&b, "%s %s", coord(x(p.at)), coord(y(p.high)))
	}
	if len(points) == 1 {
		b.WriteString("h3")
	}
	for _, p := range slices.Backward(points) {
		fmt.Fprintf(&b, "L%s %s", coord(x(p.at)), coord(y(p.low)))
	}
	return b.String() + "Z"
}

func pen(i int) string {
	if i == 0 {
		return "M"
	}
	return "L"
}
