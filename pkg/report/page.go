package report

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// page is what the template shows. All its texts are plain.
type page struct {
	// Kind is how it ended, Icon the same as a sign.
	Kind, Icon, Headline, Name string
	Why                        string
	Causes                     []cause
	// RunURL is an http or https address, or "".
	Facts    []fact
	RunURL   string
	Timeline *figure
	Charts   []figure
	Steps    []stepRow
	Moves    []moveRow
	Checks   []Check
	Samples  sampleTable
	// Left names what the page has no room for.
	Left []string
}

type fact struct{ Name, Text string }

// cause is a check that did not pass.
type cause struct{ Check, Reason, Threshold, Query string }

func newPage(r Run, d detail) page {
	p := page{Name: d.plain(r.Service) + " in " + d.plain(r.Environment), Why: d.plain(r.Result.State.Reason), RunURL: webAddress(r.URL)}
	p.Kind, p.Icon, p.Headline = verdictLine(r, d)
	p.Facts = facts(r, d)
	for _, c := range firstOf(r.Result.State.Cause, d.checks, "checks that did not pass", &p.Left) {
		if c.Outcome != verdict.Pass {
			p.Causes = append(p.Causes, cause{d.plain(c.Check), d.plain(c.Reason), d.plain(c.Threshold), d.plain(c.Query)})
		}
	}
	checks := firstOf(allChecks(r), d.checks, "checks", &p.Left)
	if len(r.Result.Samples)+len(r.Result.Moves) > 0 {
		f := newFrame(r, d)
		timeline := drawTimeline(f, r.Result, checks)
		p.Timeline, p.Charts = &timeline, drawChecks(f, checks, r.Result.Samples)
	}
	p.Steps = stepRows(firstOf(r.Result.Plan.Steps, d.rows, "steps", &p.Left), r.Result, checks, d)
	p.Moves = moveRows(firstOf(r.Result.Moves, d.rows, "moves", &p.Left), r.Result.Started, d)
	p.Samples = newSampleTable(r.Result, checks, d)
	for _, c := range checks {
		asked := Check{Name: d.plain(c.Name)}
		for _, q := range c.Queries {
			asked.Queries = append(asked.Queries, Query{d.plain(q.Name), d.plain(q.Text)})
		}
		p.Checks = append(p.Checks, asked)
	}
	return p
}

// firstOf takes what there is room for, and notes what is left out.
func firstOf[T any](all []T, n int, what string, left *[]string) []T {
	if len(all) <= n {
		return all
	}
	*left = append(*left, fmt.Sprintf("%d of %d %s", len(all)-n, len(all), what))
	return all[:n]
}

// verdictLine is what a person wants to know first.
func verdictLine(r Run, d detail) (kind, icon, text string) {
	release, baseline := d.plain(r.Release), d.plain(r.Baseline)
	share := oneDecimal(r.Result.Share) + " %"
	switch r.Result.State.Phase {
	case rollout.Promoted:
		return "promoted", "✓", fmt.Sprintf("promoted, %s serves", release)
	case rollout.RolledBack:
		return "rolled-back", "↩", fmt.Sprintf("rolled back at %s of the pods, %s serves", share, baseline)
	case rollout.Held:
		return "open", "‖", fmt.Sprintf("held at %s of the pods, with %s and %s both up", share, release, baseline)
	case rollout.RollingBack:
		return "open", "!", fmt.Sprintf("the rollback did not succeed, %s may still take traffic", release)
	}
	return "open", "!", fmt.Sprintf("abandoned at %s of the pods, with %s and %s both up", share, release, baseline)
}

func facts(r Run, d detail) []fact {
	res := r.Result
	all := []fact{
		{"Service", d.plain(r.Service)},
		{"Environment", d.plain(r.Environment)},
		{"Commit", strings.TrimSpace(d.plain(r.Commit) + " " + d.plain(r.Title))},
		{"Image", d.plain(r.Image)},
		{"Release (candidate)", d.plain(r.Release)},
		{"Baseline", d.plain(r.Baseline)},
	}
	if !res.Started.IsZero() {
		all = append(all, fact{"Began", res.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
			fact{"Took", res.Ended.Sub(res.Started).Round(100 * time.Millisecond).String()})
	}
	all = append(all, fact{"Largest share of the pods", oneDecimal(res.Share) + " %"})
	if res.TimeToSafe > 0 {
		all = append(all, fact{"Time to safe", res.TimeToSafe.Round(time.Millisecond).String() + " from the decision to roll back until the baseline had all traffic and the candidate's pods were gone"})
	}
	if ask := res.State.Asked; ask != nil {
		all = append(all, fact{"Asked for the promotion", d.plain(ask.Who) + ": " + d.plain(ask.Why)})
	}
	if res.From.Phase != "" {
		all = append(all, fact{"Taken up", fmt.Sprintf("at step %d, where an earlier run had held it", res.From.Step+1)})
	}
	all = append(all, fact{"Looks at the monitor", fmt.Sprint(len(res.Samples))})
	kept := all[:0]
	for _, f := range all {
		if f.Text != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

// webAddress is the address if it is one that a browser may be sent to.
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || len(address) > 2000 {
		return ""
	}
	return u.String()
}
