package report

import (
	"fmt"
	"math"
	"time"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// stepRow is a step of the plan and the last look at it.
type stepRow struct {
	Number                              int
	Asked, Achieved, Measured           string
	Baseline, Candidate, Watched, Reach string
	Verdicts                            []verdictCell
}

// verdictCell is what a check said.
type verdictCell struct{ Check, Class, Sign, Outcome, Reason string }

func stepRows(steps []rollout.Step, r rollout.Result, checks []Check, d detail) []stepRow {
	first, last := map[int]rollout.Sample{}, map[int]rollout.Sample{}
	for _, s := range r.Samples {
		if _, ok := first[s.Step]; !ok {
			first[s.Step] = s
		}
		last[s.Step] = s
	}
	var rows []stepRow
	for i, s := range steps {
		row := stepRow{Number: i + 1, Asked: number(s.Asked) + " %", Achieved: oneDecimal(s.Achieved) + " %", Baseline: fmt.Sprint(s.Baseline), Candidate: fmt.Sprint(s.Candidate)}
		for j, m := range s.Merged {
			if j == 10 {
				row.Asked += ", …"
				break
			}
			row.Asked += fmt.Sprintf(", %s %% (the same pods)", number(m))
		}
		if s.Warm > 0 {
			row.Baseline += fmt.Sprintf(" (%d kept warm)", s.Warm)
		}
		l, ok := last[i]
		if !ok {
			row.Reach = "not reached"
			rows = append(rows, row)
			continue
		}
		row.Watched = l.At.Sub(first[i].At).Round(time.Second).String()
		if share, ok := l.Measured(); ok {
			row.Measured = oneDecimal(share) + " %"
		}
		row.Reach = d.plain(l.Problem)
		row.Verdicts = cells(l, checks, d)
		rows = append(rows, row)
	}
	return rows
}

func cells(s rollout.Sample, checks []Check, d detail) []verdictCell {
	var all []verdictCell
	for _, c := range checks {
		if r, ok := resultOf(s, c.Name); ok {
			all = append(all, verdictCell{d.plain(c.Name), outcomeClass(r.Outcome), signs[r.Outcome], d.plain(outcomeName(r.Outcome)), d.plain(r.Reason)})
		}
	}
	return all
}

// moveRow is a move and how it went.
type moveRow struct{ At, What, Took, Problem string }

func moveRows(moves []rollout.Move, start time.Time, d detail) []moveRow {
	var rows []moveRow
	for _, m := range moves {
		row := moveRow{At: offset(m.At, start), Took: m.Took.Round(time.Millisecond).String(), Problem: d.plain(m.Problem)}
		switch m.Action.Kind {
		case rollout.Scale:
			row.What = fmt.Sprintf("scale to %d baseline and %d candidate pods", m.Action.Baseline, m.Action.Candidate)
		case rollout.Admit:
			row.What = "admit: both releases take traffic"
		case rollout.Promote:
			row.What = "promote: the candidate alone takes traffic"
		case rollout.Return:
			row.What = "roll back: the baseline alone takes traffic"
		default:
			row.What = d.plain(string(m.Action.Kind))
		}
		rows = append(rows, row)
	}
	return rows
}

// sampleTable is every look, or those of them that tell most.
type sampleTable struct {
	Checks []string
	Rows   []sampleRow
	All    int
}

type sampleRow struct {
	At, Step, Problem string
	Cells             []sampleCell
}

type sampleCell struct{ Class, Text string }

func newSampleTable(r rollout.Result, checks []Check, d detail) sampleTable {
	t := sampleTable{All: len(r.Samples)}
	for _, c := range checks {
		t.Checks = append(t.Checks, d.plain(c.Name))
	}
	// A row has a cell for each check, so many checks leave room for fewer rows.
	for _, s := range telling(r.Samples, max(20, d.rows*4/(3+len(checks)))) {
		row := sampleRow{At: offset(s.At, r.Started), Step: fmt.Sprint(s.Step + 1), Problem: detail{text: min(200, d.text)}.plain(s.Problem)}
		for _, c := range checks {
			cell := sampleCell{}
			if res, ok := resultOf(s, c.Name); ok {
				cell = sampleCell{outcomeClass(res.Outcome), numbersOf(res, d)}
			}
			row.Cells = append(row.Cells, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// numbersOf is a verdict with its numbers, in few characters.
func numbersOf(r verdict.Result, d detail) string {
	text := signs[r.Outcome] + " " + d.plain(outcomeName(r.Outcome))
	switch {
	case r.Candidate != nil:
		text += fmt.Sprintf(": %s/%s", count(r.Candidate.Bad), count(r.Candidate.Total))
		if r.Baseline != nil {
			text += fmt.Sprintf(", baseline %s/%s", count(r.Baseline.Bad), count(r.Baseline.Total))
		}
	case r.Value != nil:
		text += ": " + number(*r.Value)
	default:
		text += ": " + detail{text: min(120, d.text)}.plain(r.Reason)
	}
	return text
}

// telling takes at most about n samples: those at which a verdict or a step changed first, and of the others evenly.
func telling(samples []rollout.Sample, n int) []rollout.Sample {
	if len(samples) <= n {
		return samples
	}
	var turns []int
	for i := range samples {
		if i == 0 || i == len(samples)-1 || changed(samples[i-1], samples[i]) {
			turns = append(turns, i)
		}
	}
	take := map[int]bool{}
	for _, i := range spread(turns, n/2) {
		take[i] = true
	}
	every := make([]int, len(samples))
	for i := range every {
		every[i] = i
	}
	for _, i := range spread(every, n/2) {
		take[i] = true
	}
	kept := make([]rollout.Sample, 0, len(take))
	for i, s := range samples {
		if take[i] {
			kept = append(kept, s)
		}
	}
	return kept
}

func changed(a, b rollout.Sample) bool {
	if a.Step != b.Step || a.Problem != b.Problem || len(a.Results) != len(b.Results) {
		return true
	}
	for i := range a.Results {
		if a.Results[i].Outcome != b.Results[i].Outcome {
			return true
		}
	}
	return false
}

// offset is a moment as time since the start.
func offset(at, start time.Time) string {
	return fmt.Sprintf("%.1f s", at.Sub(start).Seconds())
}

func oneDecimal(v float64) string { return number(math.Round(v*10) / 10) }
