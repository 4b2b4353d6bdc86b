package show

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/evidence"
)

// drawn draws a show in a folder of its own.
func drawn(t *testing.T, s Show) string {
	t.Helper()
	path, err := s.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// recorded is a stretch of a real play, whose canary was rolled back.
func recorded(t *testing.T) Show {
	t.Helper()
	s, err := read("testdata/rolled-back")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// part is what of the page has the id, to the end of the element.
func part(t *testing.T, page, element, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "<"+element+` id="`+id+`">`)
	inner, _, closed := strings.Cut(rest, "</"+element+">")
	if !found || !closed {
		t.Fatalf("the page has no %s %q", element, id)
	}
	return inner
}

// text is a page without its tags.
func text(page string) string {
	return html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " "))
}

func TestThePageOfARecordedPlay(t *testing.T) {
	s := recorded(t)
	page := drawn(t, s)
	t.Run("is well-formed and takes nothing from elsewhere", func(t *testing.T) {
		wellFormed(t, page)
		for _, forbidden := range []string{"<script", "<img", "<link", "src=", `href="http`, "url(", "ZgotmplZ", "NaN"} {
			if strings.Contains(page, forbidden) {
				t.Errorf("the page contains %q", forbidden)
			}
		}
	})
	t.Run("has a chart and a lane for every environment", func(t *testing.T) {
		for _, env := range s.Environments {
			chart := part(t, page, "figure", "traffic-"+env)
			if !strings.Contains(chart, `<path class="area v`) || !strings.Contains(chart, thousands(len(s.Clients[env]))+" requests") {
				t.Errorf("the chart of %s has no areas, or not its number of requests", env)
			}
			if !strings.Contains(page, `<g class="lane"><text class="name" x="4" y="`) || !strings.Contains(page, `">`+env+"</text>") {
				t.Errorf("there is no lane of %s", env)
			}
		}
	})
	t.Run("has every failed request", func(t *testing.T) {
		var want []string
		for _, env := range s.Environments {
			for _, r := range s.Clients[env] {
				if r.Failed() {
					want = append(want, tenths(s, r))
				}
			}
		}
		table := part(t, page, "table", "failures")
		if got := strings.Count(table, "<tr><td"); got != len(want) || len(want) == 0 {
			t.Errorf("the table has %d rows, %d requests failed", got, len(want))
		}
		for _, at := range want {
			if !strings.Contains(table, `<td class="r">`+at+"</td>") {
				t.Errorf("the request that failed at %s is not there", at)
			}
		}
		if !strings.Contains(part(t, page, "figure", "traffic-prod"), `<path class="area failed"`) {
			t.Error("the chart of prod does not show them")
		}
	})
	t.Run("has every run, with a link to its log", func(t *testing.T) {
		for _, r := range s.Runs {
			if !strings.Contains(page, `<a href="`+r.Log+`">`) || !strings.Contains(text(page), "run ") {
				t.Errorf("run %d is not there", r.ID)
			}
		}
		if got := strings.Count(page, `<rect class="bar `); got != len(s.Runs) || got == 0 {
			t.Errorf("there are %d bars for %d runs", got, len(s.Runs))
		}
	})
	t.Run("has everything that people did, and every move of traffic", func(t *testing.T) {
		if got := strings.Count(page, `<text class="mark `); got != len(s.Events) || got == 0 {
			t.Errorf("there are %d marks for %d events", got, len(s.Events))
		}
		for _, m := range s.Moves {
			if !strings.Contains(page, html.EscapeString(moved(s, m))) {
				t.Errorf("%s is not there", moved(s, m))
			}
		}
	})
	t.Run("has the chain of evidence, the canaries and the expectations", func(t *testing.T) {
		proof := text(part(t, page, "table", "evidence"))
		for _, l := range s.Evidence.Chain {
			if !strings.Contains(proof, l.Gate) || !strings.Contains(proof, l.Commit[:7]) {
				t.Errorf("gate %s is not there", l.Gate)
			}
		}
		if len(s.Evidence.Chain) == 0 || !strings.Contains(page, s.Evidence.Digest) {
			t.Error("the digest is not there")
		}
		for _, c := range s.Canaries {
			if !strings.Contains(page, `<a href="`+c.Report+`">`) {
				t.Errorf("the report of run %d is not linked", c.Run)
			}
		}
		expectations := part(t, page, "table", "expectations")
		if strings.Count(expectations, "<tr>") != len(s.Expectations) || len(s.Expectations) == 0 {
			t.Errorf("%d expectations became %s", len(s.Expectations), expectations)
		}
	})
	t.Run("says what was rolled back and how many requests failed", func(t *testing.T) {
		head, _, _ := strings.Cut(page, "</header>")
		for _, want := range []string{"1 rolled back in production", "<dt>failed</dt><dd>" + thousands(failuresIn(s)) + "</dd>"} {
			if !strings.Contains(head, want) {
				t.Errorf("the headline lacks %q", want)
			}
		}
	})
}

func failuresIn(s Show) int {
	n := 0
	for _, records := range s.Clients {
		n += failuresOf(records)
	}
	return n
}

func TestThePageIsDrawnAgain(t *testing.T) {
	s := recorded(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/rolled-back")); err != nil {
		t.Fatal(err)
	}
	if _, err := Redraw(dir); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(dir, pageName))
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != drawn(t, s) {
		t.Error("what was drawn again is another page")
	}
	if _, err := Redraw(t.TempDir()); err == nil || !strings.Contains(err.Error(), "make demo") {
		t.Errorf("a folder without a show gave %v", err)
	}
}

// play is a play of a minute that holds a text wherever one comes from outside.
func play(said string) Show {
	began := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	return Show{
		Service: said, Environments: []string{"test", "prod"}, Began: began, Ended: at(60),
		Acts:         []Act{{Title: said, Number: 1, Change: said, Commit: said, Statuses: map[string]string{"test": said}, Outcome: Promoted, Began: at(1), Ended: at(50)}},
		Events:       []Event{{Time: at(2), Kind: Push, Text: said}},
		Runs:         []Run{{ID: 1, Name: said, Lane: "prod", Began: at(3), Ended: at(20), Log: "runs/01/log.txt"}},
		Moves:        []Move{{Environment: "prod", Time: at(10), To: said}},
		Evidence:     Evidence{Number: 1, Digest: said, Chain: []evidence.Link{{Gate: said, Result: said, Release: said, Commit: said, Signer: said, Approvers: []string{said}}}},
		Canaries:     []Canary{{Run: 1, Environment: "prod", Release: said, Baseline: said, Phase: said, Reason: said, Report: "reports/01/report.html"}},
		Expectations: []Expectation{{What: said, Seen: said}},
		Problems:     []string{said},
		Clients: map[string][]load.Record{"prod": {
			{Time: at(5), Request: said, Status: 500, Version: said}, {Time: at(6), Request: said, Error: said}, {Time: at(7), Request: "GET /", Status: 200, Version: said},
		}},
	}
}

func TestTextsFromOutsideAreShownAsTheyAre(t *testing.T) {
	for name, said := range map[string]string{
		"an element":   `<script>alert(1)</script>`,
		"an attribute": `" onload="alert(1)`,
		"an end":       `</title></svg></style><img src=x onerror=alert(1)>`,
		"an entity":    `&lt;b&gt; &amp;`,
	} {
		t.Run(name, func(t *testing.T) {
			page := drawn(t, play(said))
			wellFormed(t, page)
			if strings.Contains(page, said) {
				t.Errorf("%s stands in the page as it is", said)
			}
			if n := strings.Count(html.UnescapeString(page), said); n < 15 {
				t.Errorf("it is shown %d times", n)
			}
		})
	}
	t.Run("but nothing that turns the direction of writing", func(t *testing.T) {
		if page := drawn(t, play("a\u202Eb\x1b[31m")); strings.ContainsAny(page, "\u202E\x1b") {
			t.Error("it came through")
		}
	})
	t.Run("and a link that is none stays harmless", func(t *testing.T) {
		s := play("x")
		s.Runs[0].Log, s.Canaries[0].Report = "javascript:alert(1)", "javascript:alert(1)"
		if page := drawn(t, s); strings.Contains(page, "javascript:") {
			t.Error("the page has it")
		}
	})
}

func TestAPlayThatWentWrongHasAPage(t *testing.T) {
	t.Run("which says why", func(t *testing.T) {
		s := play("x")
		s.Problems = []string{"playing the prologue: build failed"}
		head, _, _ := strings.Cut(drawn(t, s), "</header>")
		if !strings.Contains(head, `class="amiss"`) || !strings.Contains(head, "playing the prologue: build failed") {
			t.Errorf("the page begins with %s", head)
		}
	})
	t.Run("also before anything happened", func(t *testing.T) {
		began := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		page := drawn(t, Show{Service: "checkout", Environments: []string{"test", "stage", "prod"}, Began: began, Ended: began, Acts: []Act{{Title: "Prologue"}}, Problems: []string{"x"}})
		wellFormed(t, page)
		for _, want := range []string{"nothing was played", "no client was let in", "No canary left a report", "not played"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
	})
	t.Run("and a run that failed against its expectation reads other than one that had to", func(t *testing.T) {
		s := play("x")
		s.Runs[0].Expected = false
		if page := drawn(t, s); !strings.Contains(page, `<rect class="bar bad"`) {
			t.Error("it is not drawn as bad")
		}
		s.Runs[0].Expected = true
		if page := drawn(t, s); !strings.Contains(page, `<rect class="bar stopped"`) {
			t.Error("it is not drawn as stopped")
		}
	})
}

func TestTooManyFailuresAreCounted(t *testing.T) {
	s := play("x")
	var records []load.Record
	for i := range most + 7 {
		records = append(records, load.Record{Time: s.Began.Add(time.Duration(i) * time.Millisecond), Status: 503, Version: "x"})
	}
	s.Clients["prod"] = records
	page := drawn(t, s)
	if got := strings.Count(part(t, page, "table", "failures"), "<tr><td"); got != most {
		t.Errorf("the table has %d rows", got)
	}
	if !strings.Contains(page, "7 more are in the clients' logs") {
		t.Error("what was left out is not counted")
	}
}

// wellFormed reads the page as XML, which is stricter than any browser.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	page = regexp.MustCompile(`<(meta|br)([^>]*)>`).ReplaceAllString(page, "<$1$2/>")
	d := xml.NewDecoder(bytes.NewReader([]byte(page)))
	d.Entity = xml.HTMLEntity
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line, _ := d.InputPos()
			t.Fatalf("the page is not well-formed: %v in line %d: %s", err, line, strings.Split(page, "\n")[line-1])
		}
	}
}
