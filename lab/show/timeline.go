package show

import (
	"fmt"
	"slices"
	"time"
)

// people is the lane of what people did.
const people = "people"

const (
	actsBottom = 30.0
	barHeight  = 17.0
	rowHeight  = 21.0
	laneGap    = 9.0
	// perLetter is about the width of a letter in a bar.
	perLetter = 6.3
)

// timeline is the drawing of the whole play.
type timeline struct {
	Height, Bottom coord
	X              []tick
	Acts           []actBand
	Lanes          []lane
}

type actBand struct {
	X, Width, Middle coord
	Height           coord
	Number           int
	Odd              bool
	Tip              string
}

type lane struct {
	Name              string
	Y, Height, NameY  coord
	Marks             []mark
	Bars              []bar
	Moves             []line
	MovesTop, MovesTo coord
}

type mark struct {
	X, Y       coord
	Sign       string
	Class, Tip string
}

type bar struct {
	X, Y, Width, TextX, TextY coord
	Class, Text, Tip, Link    string
}

// signs are what people did, as a sign that reads without its colour.
var signs = map[Kind]struct{ sign, class string }{
	Push: {"↑", "push"}, Open: {"○", "open"}, Approve: {"✓", "approve"}, Merge: {"◆", "merge"}, Other: {"▲", "other"},
}

func newTimeline(s Show, v versions, whole span) timeline {
	t := timeline{X: whole.ticks(s.Began)}
	at := actsBottom + 8
	for _, name := range lanesOf(s) {
		l := lane{Name: name, Y: coord(at)}
		var height float64
		if name == people {
			l.Marks, height = marksOf(s, whole, at)
		} else {
			l.Bars, height = barsOf(s, name, whole, at)
			l.MovesTop = coord(at - 3)
			for _, m := range s.Moves {
				if m.Environment == name {
					l.Moves = append(l.Moves, line{coord(whole.x(m.Time)), v.class(v.of(m.To)), moved(s, m)})
				}
			}
		}
		l.Height, l.NameY, l.MovesTo = coord(height), coord(at+height/2+4), coord(at+height)
		at += height + laneGap
		t.Lanes = append(t.Lanes, l)
	}
	t.Bottom, t.Height = coord(at), coord(at+20)
	for i, a := range s.Acts {
		if a.Began.IsZero() {
			continue // it was never played
		}
		end := a.Ended
		if end.Before(a.Began) {
			end = s.Ended
		}
		x, to := whole.x(a.Began), whole.x(end)
		t.Acts = append(t.Acts, actBand{X: coord(x), Width: coord(to - x), Middle: coord((x + to) / 2), Height: t.Bottom - 6, Number: i + 1, Odd: i%2 == 1, Tip: plain(a.Title)})
	}
	return t
}

// lanesOf are people, the runners that belong to no environment, and the environments.
func lanesOf(s Show) []string {
	lanes := []string{people}
	for _, r := range s.Runs {
		if !slices.Contains(lanes, r.Lane) && !slices.Contains(s.Environments, r.Lane) {
			lanes = append(lanes, r.Lane)
		}
	}
	return append(lanes, s.Environments...)
}

// marksOf puts signs that would cover each other into rows.
func marksOf(s Show, whole span, at float64) (marks []mark, height float64) {
	var ends []float64
	for _, e := range s.Events {
		x := whole.x(e.Time)
		row := freeRow(&ends, x-6, x+7)
		as, known := signs[e.Kind]
		if !known {
			as = signs[Other]
		}
		tip := since(e.Time.Sub(s.Began)) + " " + plain(e.Text)
		marks = append(marks, mark{X: coord(x), Y: coord(at + float64(row)*16 + 12), Sign: as.sign, Class: as.class, Tip: tip})
	}
	return marks, max(1, float64(len(ends)))*16 + 2
}

// barsOf puts runs of one time into rows.
func barsOf(s Show, name string, whole span, at float64) (bars []bar, height float64) {
	var ends []float64
	for _, r := range s.Runs {
		if r.Lane != name {
			continue
		}
		end := r.Ended
		if end.IsZero() {
			end = s.Ended
		}
		x := whole.x(r.Began)
		wide := max(3, whole.x(end)-x)
		row := freeRow(&ends, x, x+wide+1)
		y := at + float64(row)*rowHeight + 1
		b := bar{X: coord(x), Y: coord(y), Width: coord(wide), TextX: coord(x + 4), TextY: coord(y + 12.5), Class: ended(r), Link: r.Log, Tip: told(s, r)}
		for _, text := range []string{sign(r) + " " + plain(r.Name), sign(r)} {
			if float64(len([]rune(text)))*perLetter+6 <= wide {
				b.Text = text
				break
			}
		}
		bars = append(bars, b)
	}
	return bars, max(1, float64(len(ends))) * rowHeight
}

// freeRow is the first row in which nothing stands where something begins, and takes it.
func freeRow(ends *[]float64, from, to float64) int {
	for i, end := range *ends {
		if end <= from {
			(*ends)[i] = to
			return i
		}
	}
	*ends = append(*ends, to)
	return len(*ends) - 1
}

// ended is how a run ended, and whether it should have.
func ended(r Run) string {
	switch {
	case r.Ended.IsZero():
		return "open"
	case r.Succeeded:
		return "good"
	case r.Expected:
		return "stopped"
	}
	return "bad"
}

func sign(r Run) string {
	return map[string]string{"open": "…", "good": "✓", "stopped": "■", "bad": "✕"}[ended(r)]
}

// told is a run in words.
func told(s Show, r Run) string {
	how := map[string]string{"open": "never ended", "good": "succeeded", "stopped": "failed, as it had to", "bad": "failed"}[ended(r)]
	text := fmt.Sprintf("run %d, %s, from %s: %s", r.ID, plain(r.Name), since(r.Began.Sub(s.Began)), how)
	if !r.Ended.IsZero() {
		text += fmt.Sprintf(" after %.1f s", r.Ended.Sub(r.Began).Round(100*time.Millisecond).Seconds())
	}
	return text
}
