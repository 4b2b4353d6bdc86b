//go:build lab

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/lab/fault"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"
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
	atRequests(t, 40, 2, 12, func(f *faulty, n int) bool {
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
		if met {
			what := f.last
			if err := f.converged(res); err != nil {
				f.t.Errorf("request %d, %s, hung: %v", n, what, err)
			}
		}
		return met
	})
}

// TestDeployStopsInOrderWithoutItsToken takes the credentials away at one request after the other: they have expired.
func TestDeployStopsInOrderWithoutItsToken(t *testing.T) {
	atRequests(t, 40, 2, 4, func(f *faulty, n int) bool {
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
			return false
		}
		switch {
		case res.code == 0:
			// Nothing was left but to give the lock back and to look for the address: the deployment stands.
			if err := f.converged(res); err != nil || !strings.Contains(res.output, "::warning::") {
				f.t.Errorf("without a token from request %d, %s, the exit code is 0, and %v:\n%s", n, f.last, err, res.output)
			}
		case res.code != 1 || len(annotations(res.output)) == 0:
			f.t.Errorf("without a token from request %d the exit code is %d:\n%s", n, res.code, res.output)
		}
		f.endLease()
		if err := f.converged(f.try(commit, nil)); err != nil {
			f.t.Errorf("without a token from request %d, %s: %v", n, f.last, err)
		}
		return true
	})
}

// TestADeploymentStandsThoughItsLockIsNotGivenBack lets the API server hang at the run's very last write.
func TestADeploymentStandsThoughItsLockIsNotGivenBack(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	res := f.try(f.next(), func(func()) func(int, fault.Request) fault.Fault {
		return func(_ int, r fault.Request) fault.Fault {
			if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/leases/") || f.holder(r) != "" {
				return fault.Fault{}
			}
			return fault.Fault{Stall: 5 * time.Second}
		}
	})
	if err := f.converged(res); err != nil {
		t.Error(err)
	}
	if !strings.Contains(res.output, "::warning::releasing Lease/") {
		t.Errorf("nothing says that the lock was not given back:\n%s", res.output)
	}
}

// holder is who has the lock by a Lease that is written.
func (f *faulty) holder(r fault.Request) string {
	body, err := io.ReadAll(r.Body)
	f.must(err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var lease coordinationv1.Lease
	f.must(json.Unmarshal(body, &lease))
	return ptr.Deref(lease.Spec.HolderIdentity, "")
}

// inTest is the same for a subtest.
func (f *faulty) inTest(t *testing.T) *faulty {
	f.deployed = f.deployed.in(t)
	return f
}
