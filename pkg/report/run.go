package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/org/promote/pkg/rollout"
)

// Run is a rollout as [HTML] shows it.
type Run struct {
	Service, Environment string
	// Commit and Title are of the change, Image is repository@digest, Release and Baseline are ids, URL is the run's page.
	Commit, Title, Image, Release, Baseline, URL string
	// Checks are what was asked, in their order.
	Checks []Check
	Result rollout.Result
}

// Check is a check as it was asked.
type Check struct {
	Name string
	// Min and Max are bounds: of the share of bad requests (Max alone, 0.01 is one in a hundred), or of the value.
	Min, Max *float64
	// Queries are by the name that the check gives them: bad, total, query.
	Queries []Query
}

// Query is what the monitor was asked, before a release and a time were filled in.
type Query struct{ Name, Text string }

// maxPage bounds the page in bytes: GitHub's viewer of artifacts, mail and chat take files of this size.
const maxPage = 2_000_000

// detail is how much of a run a page shows.
type detail struct {
	// text bounds a text in characters, points a line in a chart, rows every table, checks the charts.
	text, points, rows, checks int
}

// details are tried in turn until the page is small enough.
var details = []detail{{2000, 300, 1500, 20}, {400, 150, 400, 10}, {100, 60, 60, 5}}

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// HTML gives one self-contained page: no scripts, nothing from elsewhere, light and dark, and readable without colours and
// on paper. Texts are shown as they are, whatever they hold; what is too long or too much is thinned, and the page says so.
func HTML(r Run) ([]byte, error) {
	var b bytes.Buffer
	for _, d := range details {
		b.Reset()
		if err := pageTemplate.Execute(&b, newPage(r, d)); err != nil {
			return nil, fmt.Errorf("drawing the report: %w", err)
		}
		if b.Len() <= maxPage {
			break
		}
	}
	return b.Bytes(), nil
}

// Plain gives text that shows as one line in a terminal or a page: no escape sequences, nothing that turns the direction of writing.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unseen(r) {
			return '\uFFFD'
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// plain gives at most d.text characters of a text, as one line.
func (d detail) plain(s string) string {
	// A character has up to four bytes; what is beyond is not even looked at.
	if limit := 4*d.text + 4; len(s) > limit {
		s = s[:limit]
	}
	runes := []rune(Plain(s))
	if len(runes) > d.text {
		return string(runes[:d.text]) + "…"
	}
	return string(runes)
}
