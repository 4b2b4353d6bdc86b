package metrics

import (
	"strings"
	"testing"
	"time"
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
