//go:build lab

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/lab/fault"
)

// TestDeployRidesOutFaults lets every request that the action sends fail at its first try, to whatever server, in each of the
// ways in which servers fail for a while.
func TestDeployRidesOutFaults(t *testing.T) {
	t.Parallel()
	first := func(f fault.Fault) func(int, fault.Request) fault.Fault {
		return func(_ int, r fault.Request) fault.Fault {
			if r.Same%2 == 0 {
				return fault.Fault{}
			}
			return f
		}
	}
	f := newFaulty(t)
	for _, tc := range []struct {
		name string
		plan func(int, fault.Request) fault.Fault
	}{
		// GitHub's client waits for a while each time, so the quick suite has fewer of these.
		{"too many requests", func(n int, r fault.Request) fault.Fault {
			if n%killEvery(t, 12) > 0 {
				return fault.Fault{}
			}
			return first(fault.Fault{Status: http.StatusTooManyRequests})(n, r)
		}},
		{"an internal error", first(fault.Fault{Status: http.StatusInternalServerError})},
		{"a connection that breaks", first(fault.Fault{Reset: true})},
		{"a write that another writer was faster than", func(n int, r fault.Request) fault.Fault {
			if !strings.HasPrefix(r.URL.Path, "/api") || r.Method == http.MethodGet || r.Method == http.MethodPost {
				return fault.Fault{}
			}
			return first(fault.Fault{Status: http.StatusConflict})(n, r)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := f.inTest(t)
			commit := f.next()
			if res := f.try(commit, func(func()) func(int, fault.Request) fault.Fault { return tc.plan }); res.code != 0 {
				t.Errorf("exit code %d\n%s", res.code, res.output)
			}
			if err := f.converged(f.try(commit, nil)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDeployOutlivesAServerThatHangs holds one request back for half a minute.
func TestDeployOutlivesAServerThatHangs(t *testing.T) {
	t.Parallel()
	every, places := killEvery(t, 40), 2
	for place := range places {
		t.Run(fmt.Sprintf("place %d", place+1), func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t)
			hung := 0
			for n := every * (place + 1); ; n += every * places {
				commit, met := f.next(), false
				res := f.try(commit, func(func()) func(int, fault.Request) fault.Fault {
					return func(number int, _ fault.Request) fault.Fault {
						if number != n {
							return fault.Fault{}
						}
						met = true
						return fault.Fault{Stall: 30 * time.Second}
					}
				})
				if !met {
					break
				}
				hung++
				what := f.last
				if err := f.converged(res); err != nil {
					t.Errorf("request %d, %s, hung: %v", n, what, err)
				}
			}
			if hung == 0 {
				t.Errorf("no run had %d requests", every*(place+1))
			}
		})
	}
}

// TestDeployStopsInOrderWithoutItsToken takes the credentials away at one request after the other: they have expired.
func TestDeployStopsInOrderWithoutItsToken(t *testing.T) {
	t.Parallel()
	every := killEvery(t, 40)
	f := newFaulty(t)
	expired := 0
	for n := every; ; n += every {
		commit, met := f.next(), false
		res := f.try(commit, func(func()) func(int, fault.Request) fault.Fault {
			return func(number int, r fault.Request) fault.Fault {
				if number < n || !strings.HasPrefix(r.URL.Path, "/api") {
					return fault.Fault{}
				}
				met = true
				return fault.Fault{Status: http.StatusUnauthorized}
			}
		})
		if !met {
			break
		}
		expired++
		if res.code != 1 || len(annotations(res.output)) == 0 {
			t.Errorf("without a token from request %d the exit code is %d:\n%s", n, res.code, res.output)
		}
		f.endLease()
		if err := f.converged(f.try(commit, nil)); err != nil {
			t.Errorf("without a token from request %d, %s: %v", n, f.last, err)
		}
	}
	if expired == 0 {
		t.Errorf("no run had %d requests", every)
	}
}

// inTest is the same for a subtest.
func (f *faulty) inTest(t *testing.T) *faulty {
	f.deployed = f.deployed.in(t)
	return f
}
