package report

import (
	"fmt"
	"time"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

const (
	laneHeight = 24.0
	// columns is how finely a lane shows verdicts; a column is some two pixels wide.
	columns = 400
)

// drawTimeline draws the candidate's share of the pods, the moves that gave it, and what the checks said.
func drawTimeline(f frame, r rollout.Result, checks []Check) figure {
	fig := figure{
		Name: "timeline", Title: "What happened: shares, moves and verdicts", Top: 22, Bottom: 192, X: f.clock.ticks(), Steps: f.steps,
		About:  "Over time: the candidate's share of the pods in percent, as asked and as achieved; below it the moves, and what each check said.",
		Legend: []key{{"candidate", "share of the pods achieved"}, {"asked", "share asked for"}},
	}
	y := newScale(float64(fig.Top), float64(fig.Bottom), 0, 100)
	fig.Y = y.ticks(" %")
	fig.Lines = append(asked(f, r, y), shape{"candidate", shareLine(f, r, y)})
	if measured := measuredPieces(r.Samples); len(measured) > 0 {
		fig.Legend = append(fig.Legend, key{"measured", "share of the step's requests measured"})
		fig.Lines = append(fig.Lines, f.paths("measured", measured, line, y)...)
	}
	at := float64(fig.Bottom) + 10
	add := func(text string, bars []bar) {
		fig.Lanes = append(fig.Lanes, lane{Y: coord(at), TextY: coord(at + 15), Text: text, Bars: bars})
		at += laneHeight
	}
	for _, kind := range []struct {
		of   rollout.Kind
		text string
	}{{rollout.Scale, "scale"}, {rollout.Admit, "admit"}, {rollout.Promote, "promote"}, {rollout.Return, "roll back"}} {
		if bars := movesOf(f, r.Moves, kind.of); len(bars) > 0 {
			add(kind.text, bars)
		}
	}
	for _, c := range checks {
		if bars := verdictsOf(f, c, r.Samples); len(bars) > 0 {
			add(detail{text: 14}.plain(c.Name), bars)
		}
	}
	fig.Height = coord(at + 26)
	return fig
}

// shareLine steps through the shares that the moves gave, each from the moment at which the move was over.
func shareLine(f frame, r rollout.Result, y scale) string {
	b, c, admitted, full, last := 0, 0, r.From.Admitted, r.From.Full, 0.0
	if at := r.From.Step; (admitted || full) && at >= 0 && at < len(r.Plan.Steps) {
		// An earlier run brought it there.
		b, c, last = r.Plan.Steps[at].Baseline, r.Plan.Steps[at].Candidate, r.Plan.Steps[at].Achieved
	}
	path := fmt.Sprintf("M%s %s", coord(f.clock.left), coord(y.y(last)))
	for _, m := range r.Moves {
		if m.Problem != "" {
			continue
		}
		switch m.Action.Kind {
		case rollout.Scale:
			b, c = m.Action.Baseline, m.Action.Candidate
		case rollout.Admit:
			admitted = true
		case rollout.Promote:
			full = true
		case rollout.Return:
			admitted, full = false, false
		}
		now := 0.0
		switch {
		case full:
			now = 100
		case admitted && b+c > 0:
			now = 100 * float64(c) / float64(b+c)
		}
		if now != last {
			last = now
			path += fmt.Sprintf("H%sV%s", coord(f.clock.x(m.At.Add(m.Took))), coord(y.y(now)))
		}
	}
	return path + "H" + coord(f.clock.right+10).String()
}

// asked is the share that each step asked for, while it was watched.
func asked(f frame, r rollout.Result, y scale) []shape {
	var all []shape
	for i := 0; i < len(r.Samples) && len(all) < f.d.rows; {
		first, last := r.Samples[i], r.Samples[i]
		for ; i < len(r.Samples) && r.Samples[i].Step == first.Step; i++ {
			last = r.Samples[i]
		}
		from := first.At
		if !first.Since.IsZero() {
			from = first.Since
		}
		all = append(all, shape{"asked", fmt.Sprintf("M%s %sH%s", coord(f.clock.x(from)), coord(y.y(first.Asked)), coord(f.clock.x(last.At)+2))})
	}
	return all
}

// measuredPieces is the share of the requests of each step that the candidate answered.
func measuredPieces(samples []rollout.Sample) [][]point {
	var pieces [][]point
	var since time.Time
	open := false
	for _, s := range samples {
		share, ok := s.Measured()
		if !ok || !s.Since.Equal(since) {
			open = false
		}
		since = s.Since
		if ok {
			open = extend(&pieces, open, point{at: s.At, y: share})
		}
	}
	return pieces
}

// movesOf is a lane of one kind of move. What a move was and how long it took stands beside it where there is room.
func movesOf(f frame, moves []rollout.Move, kind rollout.Kind) []bar {
	var bars []bar
	for _, m := range moves {
		if m.Action.Kind != kind {
			continue
		}
		x := f.clock.x(m.At)
		one := bar{X: coord(x), Width: coord(max(3, f.clock.x(m.At.Add(m.Took))-x)), Class: "move", Text: moveText(m)}
		if m.Problem != "" {
			one.Class = "move-failed"
		}
		one.Tip = one.Text
		bars = append(bars, one)
	}
	bars = spread(bars, f.d.points/2)
	for i := range bars {
		next := plotRight
		if i+1 < len(bars) {
			next = float64(bars[i+1].X)
		}
		place(&bars[i], next, i == 0)
	}
	return bars
}

// place finds room for a bar's text: behind it, or before the first one of a lane, or none.
func place(b *bar, next float64, first bool) {
	width := 6.6*float64(len([]rune(b.Text))) + 8
	end := float64(b.X + b.Width)
	switch {
	case end+width <= next:
		b.TextX = coord(end + 5)
	case first && float64(b.X)-width >= plotLeft:
		b.TextX, b.TextBefore = b.X-5, true
	default:
		b.Text = ""
	}
}

// moveText says what was done and how long it took.
func moveText(m rollout.Move) string {
	text := short(m.Took)
	if m.Action.Kind == rollout.Scale {
		text = fmt.Sprintf("%d + %d pods, %s", m.Action.Baseline, m.Action.Candidate, text)
	}
	if m.Problem != "" {
		text = "✕ " + text
	}
	return text
}

// severity orders verdicts: in a column that holds several the worst is shown.
var severity = map[verdict.Outcome]int{verdict.Pass: 1, verdict.NotEnough: 2, verdict.NoData: 3, verdict.Broken: 4, verdict.Fail: 5}

// verdictsOf is a lane of what a check said.
func verdictsOf(f frame, c Check, samples []rollout.Sample) []bar {
	var worst [columns + 1]verdict.Outcome
	first := -1
	for _, s := range samples {
		r, ok := resultOf(s, c.Name)
		if !ok {
			continue
		}
		at := int((f.clock.x(s.At) - plotLeft) / (timeRight - plotLeft) * columns)
		if first < 0 {
			first = at
		}
		if severity[r.Outcome] > severity[worst[at]] {
			worst[at] = r.Outcome
		}
	}
	if first < 0 {
		return nil
	}
	last := int((f.clock.x(samples[len(samples)-1].At) - plotLeft) / (timeRight - plotLeft) * columns)
	var bars []bar
	now := worst[first]
	const width = (timeRight - plotLeft) / columns
	for from, i := first, first+1; i <= last+1; i++ {
		if i <= last && (worst[i] == "" || worst[i] == now) {
			continue
		}
		bars = append(bars, verdictBar(now, plotLeft+width*float64(from), width*float64(i-from)))
		if i <= last {
			from, now = i, worst[i]
		}
	}
	return bars
}

// signs are how verdicts read without colour where there is no room for words.
var signs = map[verdict.Outcome]string{verdict.Pass: "✓", verdict.NotEnough: "…", verdict.NoData: "?", verdict.Broken: "?", verdict.Fail: "✕"}

func verdictBar(o verdict.Outcome, x, width float64) bar {
	b := bar{X: coord(x), Width: coord(width), Class: outcomeClass(o), Tip: outcomeName(o), Text: outcomeName(o), TextX: coord(x + 4)}
	switch {
	case o == verdict.Fail:
		// A failure is the last verdict, so what is behind it is free.
		b.Width, b.Text = coord(max(width, 5)), "✕ fail"
		b.TextX = b.X + b.Width + 4
	case width < 64 && width >= 14:
		b.Text = signs[o]
	case width < 14:
		b.Text = ""
	}
	return b
}

// outcomeClass is how a verdict is drawn. Outcomes come from a file too, so an unknown one is no class of its own.
func outcomeClass(o verdict.Outcome) string {
	if severity[o] == 0 {
		return "no-data"
	}
	return string(o)
}
