package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// allChecks are those of the run and, behind them, those that only its samples name.
func allChecks(r Run) []Check {
	checks := append([]Check(nil), r.Checks...)
	known := map[string]bool{}
	for _, c := range checks {
		known[c.Name] = true
	}
	for _, s := range r.Result.Samples {
		for _, res := range s.Results {
			if !known[res.Check] {
				known[res.Check] = true
				checks = append(checks, Check{Name: res.Check})
			}
		}
	}
	return checks
}

// drawChecks draws each check that gave numbers.
func drawChecks(f frame, checks []Check, samples []rollout.Sample) []figure {
	var figures []figure
	for _, c := range checks {
		s := follow(c, samples)
		if s == nil {
			continue
		}
		draw := drawValue
		if s.ratio {
			draw = drawRatio
		}
		figure := draw(f, *s)
		figure.Name = fmt.Sprintf("check-%d", len(figures)+1)
		figure.X, figure.Steps = f.clock.ticks(), f.steps
		figure.Marks = append(figure.Marks, failure(f, c, samples)...)
		figures = append(figures, figure)
	}
	return figures
}

// plotted is a drawing of one plot.
func plotted() figure { return figure{Height: 240, Top: 22, Bottom: 212} }

// drawRatio draws the rates of both releases within each step, with what they may plausibly be.
func drawRatio(f frame, s seen) figure {
	fig := plotted()
	values := interesting(s)
	if s.check.Max != nil {
		values = append(values, 125**s.check.Max)
	}
	y := newScale(float64(fig.Top), float64(fig.Bottom), values...)
	fig.Y = y.ticks(" %")
	name := f.d.plain(s.check.Name)
	fig.Title = "Check " + name + ": share of bad requests"
	fig.About = "Over time, within each step: the candidate's share of bad requests with its 95 % interval"
	fig.Legend = []key{{"candidate", "candidate, with its 95 % interval"}}
	fig.Areas = f.paths("candidate", s.candidate, band, y)
	fig.Lines = f.paths("candidate", s.candidate, line, y)
	if len(s.baseline) > 0 {
		fig.About += ", and the baseline's with its own"
		fig.Legend = append(fig.Legend, key{"baseline", "baseline, with its 95 % interval"})
		fig.Areas = append(f.paths("baseline", s.baseline, band, y), fig.Areas...)
		fig.Lines = append(f.paths("baseline", s.baseline, line, y), fig.Lines...)
	}
	if s.check.Max != nil {
		fig.Legend = append(fig.Legend, key{"bound", "largest share allowed"})
		fig.Bounds = []bound{newBound(y, 100**s.check.Max, "max "+number(100**s.check.Max)+" %")}
	}
	fig.Caption = captionOfRatio(s.last)
	return fig
}

// interesting are the rates that a scale has to cover: all of them, and their bands but for the widest quarter, which are those of a
// step's first requests and would leave the others no room.
func interesting(s seen) []float64 {
	var rates, highs []float64
	for _, piece := range slices.Concat(s.candidate, s.baseline) {
		for _, p := range piece {
			rates, highs = append(rates, p.y), append(highs, p.high)
		}
	}
	slices.Sort(highs)
	return append(rates, highs[:(len(highs)*3+3)/4]...)
}

func captionOfRatio(r verdict.Result) string {
	text := "Last look: candidate " + counts(*r.Candidate)
	if r.Baseline != nil {
		text += "; baseline " + counts(*r.Baseline)
	}
	return text + "."
}

// counts prints bad and all requests, their rate and its interval.
func counts(c verdict.Counts) string {
	low, high := wilson(c)
	return fmt.Sprintf("%s bad of %s = %s %% (95 %% interval %s to %s %%)", count(c.Bad), count(c.Total), three(100*c.Rate()), three(low), three(high))
}

// drawValue draws a number with its bounds.
func drawValue(f frame, s seen) figure {
	fig := plotted()
	var values []float64
	for _, piece := range s.candidate {
		for _, p := range piece {
			values = append(values, p.y)
		}
	}
	for _, b := range []*float64{s.check.Min, s.check.Max} {
		if b != nil {
			values = append(values, *b*1.15)
		}
	}
	y := newScale(float64(fig.Top), float64(fig.Bottom), values...)
	fig.Y = y.ticks("")
	fig.Title = "Check " + f.d.plain(s.check.Name) + ": value"
	fig.About = "Over time: the value that the check's query gave for the candidate"
	fig.Legend = []key{{"candidate", "candidate"}}
	fig.Lines = f.paths("candidate", s.candidate, line, y)
	if s.check.Max != nil {
		fig.Bounds = append(fig.Bounds, newBound(y, *s.check.Max, "max "+number(*s.check.Max)))
	}
	if s.check.Min != nil {
		fig.Bounds = append(fig.Bounds, newBound(y, *s.check.Min, "min "+number(*s.check.Min)))
	}
	if len(fig.Bounds) > 0 {
		fig.Legend = append(fig.Legend, key{"bound", "bounds"})
	}
	fig.Caption = "Last look: " + number(*s.last.Value) + "."
	return fig
}

// newBound names a line above it, or below it where there is no room.
func newBound(y scale, at float64, text string) bound {
	b := bound{Y: coord(y.y(at)), Text: text}
	b.TextY = b.Y - 5
	if float64(b.TextY) < y.top+8 {
		b.TextY = b.Y + 14
	}
	return b
}

// failure marks the first look at which the check failed.
func failure(f frame, c Check, samples []rollout.Sample) []mark {
	for _, s := range samples {
		if r, ok := resultOf(s, c.Name); ok && r.Outcome == verdict.Fail {
			return []mark{{X: coord(f.clock.x(s.At)), Class: "fail", Text: "fail"}}
		}
	}
	return nil
}

func stepName(step int) string { return fmt.Sprintf("step %d", step+1) }

// outcomeName is how a verdict reads.
func outcomeName(o verdict.Outcome) string { return strings.ReplaceAll(string(o), "-", " ") }
