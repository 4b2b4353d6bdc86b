package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/hostile"
)

// Whatever a person writes, a query that is read is about a release and has a value, or is refused in words.
func FuzzPodQuery(f *testing.F) {
	for _, seed := range []string{
		`sum(increase(x{release="r1",code=~"5.."}[37s]))`, `sum(a{release="r1"}) - max(b{release="r1",p="/{id}"})`, `rate(x[1m])`, `sum(`, `x{release="r1"}[`, `sum(x{release="a\"}"})`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		release, terms, err := parsePodQuery(query)
		if err != nil {
			wantFault(t, err, WrongKind)
			return
		}
		if release == "" || len(terms) == 0 {
			t.Fatalf("%q is about %q with %d terms", query, release, len(terms))
		}
		for _, term := range terms {
			if term.name == "" || term.window > 0 && term.function != "sum" {
				t.Errorf("%q has the term %+v", query, term)
			}
			// What was read is written down the same way.
			if again, _, err := parsePodQuery(term.String()); err != nil || again != release {
				t.Errorf("%q has the term %s, which reads as %q, %v", query, term, again, err)
			}
		}
	})
}

// A query is sent as it was written, but for its times and the newest event.
func FuzzNRQL(f *testing.F) {
	for _, seed := range []string{"SELECT count(*) FROM T WHERE a='SINCE 3s AGO' SINCE 37s AGO", "FROM T SINCE 1s ago SELECT max(x) UNTIL now", "select `SELECT` from T since 9s ago", "SELECT"} {
		f.Add(seed)
	}
	at := time.UnixMilli(1_000_000_000)
	f.Fuzz(func(t *testing.T, query string) {
		q, err := parseNRQL(query, at)
		if err != nil {
			wantFault(t, err, WrongKind)
			return
		}
		if strings.Count(q.text, newestField)-strings.Count(query, newestField) != 1 {
			t.Errorf("%q became %q", query, q.text)
		}
		if bare := unquoted(query); len(bare) != len(query) {
			t.Errorf("%q has another length without what is quoted: %q", query, bare)
		}
	})
}

// FuzzChecks reads checks of any text: what reads can be asked, and what is wrong is an error.
func FuzzChecks(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text)
		}
	}
	f.Add("- {name: errors, type: ratio, bad: 'a[$window]', total: 'b[$window]', max: 0.01}\n- {name: slow, type: value, query: p99, max: 2, failures: 2, of: 3}")
	f.Add("checks:\n- &a {name: a, type: value, query: up, min: 1}\n- {<<: *a, name: b}")
	f.Fuzz(func(t *testing.T, text string) {
		checks, err := ParseChecks([]byte(text))
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, c := range checks {
			if c.Name == "" || names[c.Name] {
				t.Errorf("the name %q is none, or taken", c.Name)
			}
			names[c.Name] = true
		}
		if len(checks) == 0 {
			t.Error("no checks, and no error")
		}
	})
}

// FuzzCloudWatchQuery reads queries of any text.
func FuzzCloudWatchQuery(f *testing.F) {
	f.Add(`SELECT SUM(Requests) FROM "AWS/ELB"`, true)
	f.Add(`[{"Id":"a","MetricStat":{"Stat":"p99","Period":60,"Metric":{"Namespace":"n","MetricName":"m"}}}]`, false)
	f.Add(`{"Id":"a","Expression":"1","Period":-1}`, true)
	f.Add(`[]`, true)
	f.Fuzz(func(t *testing.T, text string, counts bool) {
		q, err := parseCloudWatch(text, counts)
		if err == nil && q.period < 0 {
			t.Errorf("the period is %s", q.period)
		}
	})
}
