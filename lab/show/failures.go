package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/org/promote/lab/load"
)

// most bounds the table of failed requests; the clients' logs have all of them.
const most = 3000

// failure is a request that failed.
type failure struct{ At, Environment, Class, Version, Request, Status, Cause, Connection string }

// failures are the requests that failed anywhere, in the order of their times, and how many more there is no room for.
func failures(s Show, v versions) (rows []failure, left int) {
	type failed struct {
		env string
		load.Record
	}
	var all []failed
	for _, env := range s.Environments {
		for _, r := range s.Clients[env] {
			if r.Failed() {
				all = append(all, failed{env, r})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b failed) int { return a.Time.Compare(b.Time) })
	if left = len(all) - most; left > 0 {
		all = all[:most]
	}
	for _, f := range all {
		row := failure{
			At: tenths(s, f.Record), Environment: f.env, Class: v.class(f.Version), Version: v.text(f.Version), Request: plain(f.Request),
			Status: "none", Cause: cause(f.Record), Connection: "new",
		}
		if f.Status != 0 {
			row.Status = fmt.Sprint(f.Status)
		}
		if f.KeepAlive {
			row.Connection = "kept"
		}
		rows = append(rows, row)
	}
	return rows, max(0, left)
}

// tenths is when a request was sent, since the beginning.
func tenths(s Show, r load.Record) string {
	at := r.Time.Sub(s.Began)
	return fmt.Sprintf("%s.%d", since(at), at.Milliseconds()/100%10)
}

// reason is what one kind of failure came to.
type reason struct {
	Environment, Class, Version, Cause, Fate string
	Count                                    int
}

// reasons counts the failures by environment, version and cause, the most first.
func reasons(s Show, v versions) []reason {
	counts := map[reason]int{}
	for _, env := range s.Environments {
		for _, r := range s.Clients[env] {
			if r.Failed() {
				one := reason{Environment: env, Class: v.class(r.Version), Version: v.text(r.Version), Cause: cause(r)}
				if a, ok := v.act(r.Version); ok {
					one.Fate = plain(a.Change) + ": " + string(a.Outcome)
				}
				counts[one]++
			}
		}
	}
	var all []reason
	for one, n := range counts {
		one.Count = n
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b reason) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Environment+a.Version+a.Cause, b.Environment+b.Version+b.Cause))
	})
	return all
}

// elsewhere counts the failures that no change answered which production took back.
func elsewhere(s Show, v versions) int {
	n := 0
	for _, records := range s.Clients {
		for _, r := range records {
			if a, _ := v.act(r.Version); r.Failed() && a.Outcome != RolledBack {
				n++
			}
		}
	}
	return n
}
