package report

import (
	"time"
)

// The size of a drawing, in its own units; the page scales it to its width.
const (
	drawingWidth = 960.0
	plotLeft     = 116.0
	plotRight    = 944.0
	// timeRight is where the run ends. What stands beside its last events needs room.
	timeRight = 888.0
)

// figure is a drawing over the time of a run. What its template draws comes in this order, so that lines lie on areas.
type figure struct {
	// Name is an id on the page. Title and About are told to who can't see it, Caption stands below for everybody.
	Name, Title, About, Caption string
	Legend                      []key
	Height, Top, Bottom         coord
	X, Y                        []tick
	// Steps are where steps begin.
	Steps  []tick
	Areas  []shape
	Bounds []bound
	Lines  []shape
	Marks  []mark
	Lanes  []lane
}

// shape is a path; Class says whose it is.
type shape struct{ Class, Path string }

// bound is a horizontal line with its name.
type bound struct {
	Y, TextY coord
	Text     string
}

// mark is a sign at a place.
type mark struct {
	X, Y        coord
	Class, Text string
}

// key explains a shape.
type key struct{ Class, Text string }

// lane is a row below the plot.
type lane struct {
	Y, TextY coord
	Text     string
	Bars     []bar
}

// bar is a stretch of time in a lane.
type bar struct {
	X, Width   coord
	Class      string
	Text, Tip  string
	TextX      coord
	TextBefore bool
}

// Width, Left, Right and LaneHeight are for the template.
func (figure) Width() coord { return drawingWidth }

// Left is where the plot begins.
func (figure) Left() coord { return plotLeft }

// NamesX is where names of lanes and numbers of the scale end.
func (figure) NamesX() coord { return plotLeft - 8 }

// Right is where the plot ends.
func (figure) Right() coord { return plotRight }

// PlotWidth lies between them.
func (figure) PlotWidth() coord { return plotRight - plotLeft }

// PlotHeight is that of the plot.
func (f figure) PlotHeight() coord { return f.Bottom - f.Top }

// AxisY is where the times stand: below the lanes.
func (f figure) AxisY() coord { return f.Height - 8 }

// GridBottom is where the lines of the times end.
func (f figure) GridBottom() coord { return f.Height - 22 }

// frame is what the drawings of one run share.
type frame struct {
	clock clock
	steps []tick
	d     detail
}

func newFrame(r Run, d detail) frame {
	start, end := r.Result.Started, r.Result.Ended
	if n := len(r.Result.Samples); n > 0 {
		if start.IsZero() || r.Result.Samples[0].At.Before(start) {
			start = r.Result.Samples[0].At
		}
		if last := r.Result.Samples[n-1].At; end.Before(last) {
			end = last
		}
	}
	f := frame{clock: newClock(start, end, plotLeft, timeRight), d: d}
	seen := -1
	for _, s := range r.Result.Samples {
		if s.Step > seen && len(f.steps) < d.rows {
			seen = s.Step
			at := s.Since
			if at.IsZero() || at.Before(start) {
				at = s.At
			}
			f.steps = append(f.steps, tick{coord(f.clock.x(at)), stepName(s.Step)})
		}
	}
	return f
}

// paths draws the pieces, thinned together to about n points.
func (f frame) paths(class string, pieces [][]point, draw func([]point, func(time.Time) float64, func(float64) float64) string, y scale) []shape {
	pieces = spread(pieces, max(4, f.d.points/4))
	total := 0
	for _, p := range pieces {
		total += len(p)
	}
	var all []shape
	for _, p := range pieces {
		room := max(6, f.d.points*len(p)/max(1, total))
		all = append(all, shape{class, draw(thin(p, room), f.clock.x, y.y)})
	}
	return all
}

// spread takes at most n of all evenly, the first and the last among them.
func spread[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	kept := make([]T, 0, n)
	for i := range n {
		kept = append(kept, all[i*(len(all)-1)/(n-1)])
	}
	return kept
}
