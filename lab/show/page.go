package show

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/evidence"
)

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// gates are the columns of the table of changes.
var gates = []string{"unit-test", "build", "test", "stage", "prod"}

// page is what the template shows. All its texts are plain.
type page struct {
	Service, Headline, When, Took string
	Well                          bool
	Problems                      []string
	Requests, Failed, Elsewhere   string
	Reasons                       []reason
	Timeline                      timeline
	Gates                         []string
	Acts                          []actRow
	Events                        []eventRow
	Charts                        []chart
	Failures                      []failure
	FailuresLeft                  int
	Proof                         *proof
	Canaries                      []canary
	Expectations                  []Expectation
	Met                           int
	Colours                       int
}

type actRow struct {
	Number                                        int
	Title, Change, Commit, Class, Outcome, Status string
	Results                                       []result
	Requests, Failed                              string
}

// result is how a gate ended. Class says whether that is good, by Sign it reads without colours.
type result struct{ Class, Sign, Text string }

type eventRow struct{ At, Sign, Class, Kind, Text string }

type proof struct {
	Number int
	Digest string
	Links  []link
	Passed int
}

type link struct {
	Gate, Environment, When, Commit, Who, Tests, Signer, Release string
	Result                                                       result
}

type canary struct {
	Title, Class, Sign, Phase, Facts, Reason, Report string
	Chart                                            chart
}

func newPage(s Show) page {
	v := newVersions(s)
	whole := span{s.Began, s.Ended}
	p := page{
		Service: plain(s.Service), Headline: headline(s.Acts), When: s.Began.UTC().Format("2006-01-02 15:04:05 UTC"), Took: since(s.Ended.Sub(s.Began)),
		Well: len(s.Problems) == 0, Colours: colours, Reasons: reasons(s, v), Elsewhere: thousands(elsewhere(s, v)), Timeline: newTimeline(s, v, whole), Gates: gates,
		Acts: actRows(s, v), Canaries: canaries(s, v), Proof: newProof(s),
	}
	requests, failed := 0, 0
	for _, env := range s.Environments {
		requests, failed = requests+len(s.Clients[env]), failed+failuresOf(s.Clients[env])
		p.Charts = append(p.Charts, newChart(s, v, env, "traffic-"+env, env, whole))
	}
	p.Requests, p.Failed = thousands(requests), thousands(failed)
	p.Failures, p.FailuresLeft = failures(s, v)
	for _, problem := range s.Problems {
		p.Problems = append(p.Problems, plain(problem))
	}
	for _, e := range s.Events {
		as := signs[e.Kind]
		p.Events = append(p.Events, eventRow{since(e.Time.Sub(s.Began)), as.sign, as.class, string(e.Kind), plain(e.Text)})
	}
	for _, e := range s.Expectations {
		p.Expectations = append(p.Expectations, Expectation{plain(e.What), e.OK, plain(e.Seen)})
		if e.OK {
			p.Met++
		}
	}
	return p
}

// headline counts where the changes got to.
func headline(acts []Act) string {
	counts := map[Outcome]int{}
	for _, a := range acts {
		counts[a.Outcome]++
	}
	var parts []string
	for _, o := range []Outcome{Promoted, RolledBack, Refused, Stopped, Closed, TakenBack, Broken} {
		if n := counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	if len(parts) == 0 {
		return "nothing was played"
	}
	return strings.Join(parts, ", ")
}

func failuresOf(records []load.Record) int {
	n := 0
	for _, r := range records {
		if r.Failed() {
			n++
		}
	}
	return n
}

func actRows(s Show, v versions) []actRow {
	var rows []actRow
	for i, a := range s.Acts {
		row := actRow{Number: i + 1, Title: plain(a.Title), Commit: plain(short(a.Commit)), Class: v.class(a.Commit), Outcome: string(a.Outcome)}
		row.Status = map[Outcome]string{Promoted: "good", Broken: "bad"}[a.Outcome]
		if a.Number > 0 {
			row.Change = fmt.Sprintf("#%d %s", a.Number, plain(a.Change))
		}
		if a.Outcome == "" {
			row.Outcome = "not played"
		}
		for _, gate := range gates {
			row.Results = append(row.Results, resultOf(a.Statuses[gate]))
		}
		requests, failed := 0, 0
		for _, records := range s.Clients {
			within := load.Between(records, a.Began, a.Ended)
			requests, failed = requests+len(within), failed+failuresOf(within)
		}
		row.Requests, row.Failed = thousands(requests), thousands(failed)
		rows = append(rows, row)
	}
	return rows
}

// resultOf is a status of GitHub's, or a result of the evidence.
func resultOf(state string) result {
	switch state {
	case "":
		return result{"none", "", "–"}
	case "success", evidence.Passed:
		return result{"good", "✓", plain(state)}
	case "pending":
		return result{"open", "…", plain(state)}
	}
	return result{"bad", "✕", plain(state)}
}

func newProof(s Show) *proof {
	if len(s.Evidence.Chain) == 0 {
		return nil
	}
	p := &proof{Number: s.Evidence.Number, Digest: plain(s.Evidence.Digest)}
	for _, l := range s.Evidence.Chain {
		one := link{
			Gate: plain(l.Gate), Environment: plain(l.Environment), Commit: plain(short(l.Commit)), Who: plain(strings.Join(l.Approvers, ", ")),
			Signer: plain(l.Signer[:min(12, len(l.Signer))]), Release: plain(l.Release), Result: resultOf(l.Result),
		}
		if !l.Time.IsZero() {
			one.When = l.Time.UTC().Format("15:04:05 UTC")
		}
		if l.Tests != nil {
			one.Tests = fmt.Sprintf("%d, %d failed", l.Tests.Total, l.Tests.Failed)
		}
		if l.Result == evidence.Passed {
			p.Passed++
		}
		p.Links = append(p.Links, one)
	}
	return p
}

// canaries are drawn second by second: on the whole play's drawing one is a few pixels wide.
func canaries(s Show, v versions) []canary {
	var all []canary
	for i, c := range s.Canaries {
		one := canary{Phase: plain(c.Phase), Reason: plain(c.Reason), Report: c.Report, Class: "open", Sign: "!"}
		switch c.Phase {
		case "promoted":
			one.Class, one.Sign = "good", "✓"
		case "rolled-back":
			one.Class, one.Sign = "bad", "↩"
		}
		one.Title = fmt.Sprintf("%s in %s", plain(c.Release), plain(c.Environment))
		if a, ok := v.act(v.of(c.Release)); ok {
			one.Title = fmt.Sprintf("#%d %s, %s", a.Number, plain(a.Change), one.Title)
		}
		if c.Baseline != "" {
			one.Title += " against " + plain(c.Baseline)
		}
		one.Facts = fmt.Sprintf("run %d, at most %.3g %% of the pods", c.Run, c.Share)
		if c.TimeToSafe > 0 {
			one.Facts += ", safe again " + c.TimeToSafe.Round(10*time.Millisecond).String() + " after the decision"
		}
		for _, r := range s.Runs {
			if r.ID == c.Run {
				end := r.Ended
				if end.IsZero() {
					end = s.Ended
				}
				one.Chart = newChart(s, v, c.Environment, fmt.Sprintf("canary-%d", i), "requests per second while it ran", span{r.Began, end})
			}
		}
		all = append(all, one)
	}
	return all
}
