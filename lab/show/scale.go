package show

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The drawings share their width and the room for names, so that what happened at one time stands below each other.
const (
	width = 960.0
	left  = 92.0
	right = 948.0
)

// coord is a place in a drawing, to a tenth of a pixel.
type coord float64

func (c coord) String() string {
	return strings.TrimSuffix(strconv.FormatFloat(float64(c), 'f', 1, 64), ".0")
}

// span is a stretch of time, laid along a drawing.
type span struct{ from, to time.Time }

func (s span) x(t time.Time) float64 {
	part := float64(t.Sub(s.from)) / float64(max(s.to.Sub(s.from), time.Second))
	return left + math.Max(0, math.Min(1, part))*(right-left)
}

// tick is a mark on an axis.
type tick struct {
	At   coord
	Text string
}

// distances are what people count minutes in.
var distances = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// ticks stand at round times since the play began.
func (s span) ticks(began time.Time) []tick {
	whole := s.to.Sub(s.from)
	distance := max(whole/10, time.Hour)
	for _, d := range distances {
		if whole/d <= 12 {
			distance = d
			break
		}
	}
	var all []tick
	first := (s.from.Sub(began) + distance - 1).Truncate(distance)
	for at := max(0, first); !began.Add(at).After(s.to); at += distance {
		all = append(all, tick{coord(s.x(began.Add(at))), since(at)})
	}
	return all
}

// since prints a time since the beginning as a clock does.
func since(d time.Duration) string {
	seconds := int(d.Seconds())
	return strconv.Itoa(seconds/60) + ":" + twoDigits(seconds%60)
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// roundUp is the next even number that a scale may end at: half of it is a number too.
func roundUp(n int) int {
	for power := 1; ; power *= 10 {
		for _, f := range []int{2, 4, 6, 8, 10, 12, 16} {
			if f*power >= n {
				return f * power
			}
		}
	}
}

// thousands prints a number with its thousands apart.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
