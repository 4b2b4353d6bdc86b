package cluster

import (
	"net/http"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func leaseOf(holder string, renewed time.Time) *coordinationv1.Lease {
	seconds, at := int32(15), metav1.NewMicroTime(renewed)
	return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &at}}
}

func TestALockLapsesByTheClockOfWhoLooks(t *testing.T) {
	start := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	// The holder's clock is a year behind; only that it changes counts.
	year := start.AddDate(-1, 0, 0)
	o := &LockObserver{}
	for _, look := range []struct {
		at    int
		lease *coordinationv1.Lease
		want  LockState
	}{
		{0, leaseOf("run#1", year), LockHeld},
		{15, leaseOf("run#1", year), LockHeld},
		{16, leaseOf("run#1", year), LockLapsed},
		{17, leaseOf("run#1", year.Add(time.Second)), LockHeld}, // it was alive all the same
		{32, leaseOf("run#1", year.Add(time.Second)), LockHeld},
		{33, leaseOf("run#1", year.Add(time.Second)), LockLapsed},
		{34, leaseOf("other#2", year.Add(time.Second)), LockHeld},
		{99, leaseOf("", year), LockFree},
	} {
		if got, _ := o.judge(look.lease, at(look.at)); got != look.want {
			t.Errorf("after %d s: %s, want %s", look.at, got, look.want)
		}
	}
}

// TestAnOutageMakesNoLockLapse holds that the time in which nobody could renew is nobody's fault: a holder that comes back must not
// find its lock taken because somebody else came back a moment sooner.
func TestAnOutageMakesNoLockLapse(t *testing.T) {
	away := false
	server, _ := answers(t, func(w http.ResponseWriter, _ *http.Request) {
		if away {
			respond(http.StatusForbidden)(w, nil)
			return
		}
		body(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"promote-checkout"},"spec":{"holderIdentity":"run#1","leaseDurationSeconds":15}}`)(w, nil)
	})
	o := clusterOn(t, server.URL, Config{Outage: -1}).ObserveLock("checkout")
	if state, holder, err := o.Look(t.Context()); err != nil || state != LockHeld || holder != "run" {
		t.Fatalf("got %s by %q, %v", state, holder, err)
	}
	o.seen.since = o.seen.since.Add(-time.Minute)
	away = true
	if _, _, err := o.Look(t.Context()); err == nil {
		t.Fatal("the outage was not seen")
	}
	away = false
	if state, _, err := o.Look(t.Context()); err != nil || state != LockHeld {
		t.Errorf("after the outage it is %s, %v", state, err)
	}
}

func TestAWatchdogsNameFitsIntoALabel(t *testing.T) {
	for _, service := range []string{"a", "checkout", strings.Repeat("long-name.", 9)} {
		name := watchdogName(service)
		if made := name + "abcde-fghij"; len(made) > 63 || strings.Contains(made, "--") || strings.Contains(made, ".-") {
			t.Errorf("%q gives the pod %q of %d characters", service, made, len(made))
		}
	}
}
