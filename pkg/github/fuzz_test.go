package github

import (
	"slices"
	"testing"

	"github.com/org/promote/pkg/hostile"
)

// FuzzBoard reads a comment of any text, and writes a row of it: what is written reads back as it was.
func FuzzBoard(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text)
		}
	}
	f.Add(boardMarker + `[{"environment":"test","commit":"1"},{}]` + markerEnd)
	f.Fuzz(func(t *testing.T, text string) {
		rows, _ := parseBoard(text)
		_ = renderBoard(rows)
		row := BoardRow{Environment: text, Commit: text, Digest: text, Result: text, Tests: text, Approvers: []string{text}, Share: text, URL: text, RunURL: text}.bounded()
		back, marked := parseBoard(renderBoard(withRow(rows, row)))
		// What is no UTF-8 is replaced on the way.
		again, _ := parseBoard(renderBoard(back))
		if !marked || !slices.EqualFunc(back, again, BoardRow.same) || len(back) == 0 {
			t.Errorf("%d rows became %d", len(back), len(again))
		}
		if page := renderBoard(back); len(page) > 2*boardCap && len(back) > 1 {
			t.Errorf("the comment has %d bytes", len(page))
		}
	})
}
