package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// coord is a place in a drawing. One decimal is a tenth of a pixel.
type coord float64

func (c coord) String() string {
	if math.IsNaN(float64(c)) {
		c = 0
	}
	text := strconv.FormatFloat(math.Max(-1e5, math.Min(1e5, float64(c))), 'f', 1, 64)
	return strings.TrimSuffix(text, ".0")
}

// tick is a mark on an axis.
type tick struct {
	At   coord
	Text string
}

// clock lays a run's time along the width of a drawing.
type clock struct {
	start       time.Time
	span        time.Duration
	left, right float64
}

func newClock(start, end time.Time, left, right float64) clock {
	return clock{start: start, span: max(end.Sub(start), time.Second), left: left, right: right}
}

func (c clock) x(t time.Time) float64 {
	part := float64(t.Sub(c.start)) / float64(c.span)
	return c.left + math.Max(0, math.Min(1, part))*(c.right-c.left)
}

// distances are what people count time in.
var distances = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// ticks are at most ten and a bit, at round times since the start.
func (c clock) ticks() []tick {
	distance := distances[len(distances)-1]
	for _, d := range distances {
		if c.span/d <= 10 {
			distance = d
			break
		}
	}
	distance = max(distance, (c.span / 10).Truncate(time.Hour))
	var all []tick
	for at := time.Duration(0); at <= c.span; at += distance {
		all = append(all, tick{coord(c.x(c.start.Add(at))), short(at)})
	}
	return all
}

// short prints a time that is worth few characters: 1m30s, 2h, 0.4s.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'g', 2, 64) + "s"
	}
	text := d.Round(time.Second).String()
	if cut, ok := strings.CutSuffix(text, "m0s"); ok {
		text = cut + "m"
	}
	if cut, ok := strings.CutSuffix(text, "h0m"); ok {
		text = cut + "h"
	}
	return text
}

// farthest bounds what a scale shows; numbers beyond have no place in a chart, and their differences would not be finite.
const farthest = 1e15

// scale lays values along the height of a drawing.
type scale struct {
	low, high   float64
	top, bottom float64
	step        float64
}

// newScale covers the values and 0, at round ends.
func newScale(top, bottom float64, values ...float64) scale {
	low, high := 0.0, 0.0
	for _, v := range values {
		if usable(v) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	if low == high {
		high = 1
	}
	s := scale{top: top, bottom: bottom, step: roundStep((high - low) / 4)}
	s.low, s.high = math.Floor(low/s.step)*s.step, math.Ceil(high/s.step)*s.step
	return s
}

func usable(v float64) bool { return math.Abs(v) <= farthest }

// roundStep is the next number of 1, 2, 2.5 and 5 times a power of ten.
func roundStep(at float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(at)))
	for _, f := range []float64{1, 2, 2.5, 5} {
		if f*power >= at*(1-1e-9) {
			return f * power
		}
	}
	return 10 * power
}

func (s scale) y(v float64) float64 {
	part := (v - s.low) / (s.high - s.low)
	return s.bottom - math.Max(0, math.Min(1, part))*(s.bottom-s.top)
}

func (s scale) ticks(unit string) []tick {
	var all []tick
	for i := 0; len(all) < 12; i++ {
		v := s.low + float64(i)*s.step
		if v > s.high+s.step/2 {
			break
		}
		all = append(all, tick{coord(s.y(v)), number(v) + unit})
	}
	return all
}

// number prints four digits at most, and no sum that is a hair off.
func number(v float64) string {
	switch {
	case !usable(v):
		return "?"
	case math.Abs(v) < 1e-12:
		return "0"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// three prints a rate as verdicts do: three digits.
func three(v float64) string {
	if !usable(v) {
		return "?"
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// count prints requests: a fraction only where there is one.
func count(v float64) string {
	if !usable(v) {
		return "?"
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}
