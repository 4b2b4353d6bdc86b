package metrics

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/verdict"
)

const threeChecks = `
- {name: errors, type: ratio, bad: 'bad{r="$release"}[$window]', total: 'total{r="$release"}[$window]', max: 0.05, compare: true}
- {name: plain, type: ratio, bad: 'bad{r="$release"}[$window]', total: 'total{r="$release"}[$window]', max: 0.05}
- {name: latency, type: value, query: 'p95{r="$release"}', max: 200, failures: 2, of: 3}
`

// looks are what a run of two steps sees; the second is without a baseline.
type looked struct {
	w       Window
	results []verdict.Result
}

// live lets a judge look at a run and gives what it said, as a file has it.
func live(t *testing.T) (Basis, []looked) {
	t.Helper()
	m := &monitor{}
	counts := func(bad, total, badBefore, totalBefore, latency float64, err error) {
		m.answers = []reply{
			{"bad{ new-1", bad, err}, {"total{ new-1", total, nil}, {"bad{ old-1", badBefore, nil}, {"total{ old-1", totalBefore, nil}, {"p95{", latency, nil},
		}
	}
	j := NewJudge(m, mustParse(t, threeChecks), subject, Rules{MinRequests: 50, Alpha: 0.01, Warmup: 5 * time.Second})
	counts(0, 0, 3, 1000, 100, nil)
	if err := j.Prove(t.Context(), start); err != nil {
		t.Fatal(err)
	}
	var all []looked
	for step := range 2 {
		since := start.Add(time.Duration(step) * time.Minute)
		for i := range 12 {
			var err error
			if i == 4 {
				err = errors.New("connection refused")
			}
			n := float64(i + 1)
			counts(float64(step)*n*n/8, 9*n, n/3, 90*n, 150+float64(i%3)*30, err)
			w := Window{Since: since, Now: since.Add(time.Duration(i+1) * time.Second), Full: step == 1}
			all = append(all, looked{w, j.Observe(t.Context(), w)})
		}
	}
	raw, err := json.Marshal(j.Basis())
	if err != nil {
		t.Fatal(err)
	}
	var b Basis
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		raw, err := json.Marshal(all[i].results)
		if err != nil {
			t.Fatal(err)
		}
		all[i].results = nil
		if err := json.Unmarshal(raw, &all[i].results); err != nil {
			t.Fatal(err)
		}
	}
	return b, all
}

func TestNumbersOfARunGetTheSameVerdictsAgain(t *testing.T) {
	b, all := live(t)
	again, without := b.Rejudge(b.Checks)
	if len(without) > 0 {
		t.Fatal(without)
	}
	seen := map[verdict.Outcome]bool{}
	for i, l := range all {
		if diff := cmp.Diff(l.results, again.Observe(l.w, l.results)); diff != "" {
			t.Errorf("look %d:\n%s", i, diff)
		}
		for _, r := range l.results {
			seen[r.Outcome] = true
		}
	}
	if !seen[verdict.Pass] || !seen[verdict.Fail] || !seen[verdict.NotEnough] || !seen[verdict.NoData] {
		t.Errorf("the run shows only %v", seen)
	}
}

func TestNumbersOfARunAreJudgedByOtherRules(t *testing.T) {
	b, all := live(t)
	for _, c := range []struct{ checks, want string }{
		{`[{name: plain, type: ratio, bad: 'x $release $window', total: 'x $release $window', max: 0.9}]`, "plain: pass"},
		{`[{name: plain, type: ratio, bad: 'x $release $window', total: 'x $release $window', max: 0.9, min-requests: 500}]`, "500 requests are needed, 392 more"},
		{`[{name: errors, type: ratio, bad: 'x $release $window', total: 'x $release $window'}]`, "worse than the baseline's record"},
		{`[{name: latency, type: value, query: 'x $release', max: 205}]`, "210 is outside of max 205"},
		{`[{name: latency, type: value, query: 'x $release', min: 1}]`, "latency: pass"},
	} {
		again, without := b.Rejudge(mustParse(t, c.checks))
		if len(without) > 0 {
			t.Fatal(without)
		}
		last := ""
		for _, l := range all {
			last = again.Observe(l.w, l.results)[0].String()
		}
		if !strings.Contains(last, c.want) {
			t.Errorf("%s: got %q, want %q", c.checks, last, c.want)
		}
	}
}

func TestChecksTheRunHasNoNumbersForAreNamed(t *testing.T) {
	b, all := live(t)
	again, without := b.Rejudge(mustParse(t, `
- {name: other, type: value, query: 'x $release', max: 1}
- {name: latency, type: ratio, bad: 'x $release $window', total: 'x $release $window', max: 0.5}
- {name: plain, type: ratio, bad: 'x $release $window', total: 'x $release $window'}
- {name: errors, type: ratio, bad: 'x $release $window', total: 'x $release $window', max: 0.5}
`))
	text := errors.Join(without...).Error()
	for _, want := range []string{`check "other": the run has no check of this name`, `check "latency": the run's check of this name is a value`, `check "plain": it compares`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
	if got := again.Observe(all[0].w, all[0].results); len(got) != 1 || got[0].Check != "errors" {
		t.Errorf("got %v", got)
	}
}
