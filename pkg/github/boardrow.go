package github

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/report"
)

const (
	// boardCap keeps the comment below GitHub's 65536 characters, in bytes.
	boardCap = 60000
	// cellCap is the longest text in a row, in characters, and urlCap the longest address; a longer one is left out.
	cellCap, urlCap = 100, 1000
	// approversCap is how many approvers are named.
	approversCap = 10
)

// bounded is the row with nothing in it that could fill the comment.
func (r BoardRow) bounded() BoardRow {
	for _, text := range []*string{&r.Environment, &r.Commit, &r.Digest, &r.Result, &r.Tests, &r.Share} {
		*text = cut(*text, cellCap)
	}
	for _, address := range []*string{&r.URL, &r.RunURL} {
		if len(*address) > urlCap {
			*address = ""
		}
	}
	named := slices.Clone(r.Approvers)
	if more := len(named) - approversCap; more > 0 {
		named = append(named[:approversCap], fmt.Sprintf("and %d more", more))
	}
	for i := range named {
		named[i] = cut(named[i], cellCap)
	}
	r.Approvers = named
	return r
}

// redacted is the row without secrets in its texts, and without the addresses that hold one. What tells rows apart stays.
func (r BoardRow) redacted(redact func(string) string) BoardRow {
	r.Result, r.Tests, r.Share = redact(r.Result), redact(r.Tests), redact(r.Share)
	for _, address := range []*string{&r.URL, &r.RunURL} {
		if redact(*address) != *address {
			*address = ""
		}
	}
	return r
}

// same says whether two rows say the same.
func (r BoardRow) same(other BoardRow) bool { return marshal(r) == marshal(other) }

// about says whether two rows are about one thing.
func (r BoardRow) about(other BoardRow) bool {
	return r.Environment == other.Environment && r.Commit == other.Commit
}

func has(rows []BoardRow, row BoardRow) bool { return slices.ContainsFunc(rows, row.same) }

// withRow replaces the row of the commit and environment or adds one, and takes the oldest off when the board is full.
func withRow(rows []BoardRow, row BoardRow) []BoardRow {
	rows = slices.Clone(rows)
	if i := slices.IndexFunc(rows, row.about); i >= 0 {
		rows[i] = row
	} else {
		rows = append(rows, row)
	}
	for len(renderBoard(rows)) > boardCap {
		oldest := slices.IndexFunc(rows, func(r BoardRow) bool { return !r.about(row) })
		if oldest < 0 {
			break
		}
		rows = slices.Delete(rows, oldest, oldest+1)
	}
	return rows
}

// renderBoard gives the comment's text: a table of the commit that came last, and the earlier ones folded below it.
func renderBoard(rows []BoardRow) string {
	var b strings.Builder
	b.WriteString(boardMarker + marshal(rows) + markerEnd + "\n### Promotion\n\n")
	if len(rows) == 0 {
		return b.String()
	}
	var order []string // commits, newest first
	for _, row := range slices.Backward(rows) {
		if !slices.Contains(order, row.Commit) {
			order = append(order, row.Commit)
		}
	}
	of := func(commits []string) []BoardRow {
		var found []BoardRow
		for _, commit := range commits {
			for _, row := range rows {
				if row.Commit == commit {
					found = append(found, row)
				}
			}
		}
		return found
	}
	b.WriteString(boardTable(of(order[:1])))
	if len(order) > 1 {
		b.WriteString("\n" + report.Details("Earlier commits", boardTable(of(order[1:]))))
	}
	return b.String()
}

// boardTable shows rows; a column in which no row has anything is left out.
func boardTable(rows []BoardRow) string {
	header := []string{"Commit", "Environment", "Result", "Tests", "Image", "Approved by", "Traffic"}
	cells := make([][]string, len(rows))
	filled := make([]bool, len(header))
	for i, row := range rows {
		result, place := report.Status(row.Result).String(), report.Escape(row.Environment)
		if row.RunURL != "" {
			result = report.Link(result, row.RunURL)
		}
		if row.URL != "" {
			place = report.Link(place, row.URL)
		}
		cells[i] = []string{
			report.Inline(change.Short(row.Commit)), place, result, report.Escape(row.Tests), report.Inline(shortDigest(row.Digest)),
			report.Escape(strings.Join(row.Approvers, ", ")), report.Escape(row.Share),
		}
		for j, text := range cells[i] {
			filled[j] = filled[j] || text != ""
		}
	}
	keep := func(all []string) []string {
		var kept []string
		for j, text := range all {
			if filled[j] {
				kept = append(kept, text)
			}
		}
		return kept
	}
	for i := range cells {
		cells[i] = keep(cells[i])
	}
	return report.Table(keep(header), cells)
}

// shortDigest keeps enough of a digest to compare by eye.
func shortDigest(digest string) string {
	const length = len("sha256:") + 12
	if len(digest) > length {
		return digest[:length]
	}
	return digest
}

// marshal encodes what has only strings in it.
func marshal(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}
