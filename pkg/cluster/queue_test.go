package cluster

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// waiting is a run that waits for a lease, with the place in the order and the line given.
func waiting(order int64, line string, supersede bool) *queue {
	return &queue{name: "promote-checkout", lock: &Lock{
		cluster: &Cluster{Namespace: "test"}, identity: "run#1", opts: LockOptions{Order: order, Line: line, Supersede: supersede},
	}}
}

func TestSuperseded(t *testing.T) {
	held := func(order int64, line string) *coordinationv1.Lease {
		l := &coordinationv1.Lease{}
		(&Lock{identity: "later#2", opts: LockOptions{Order: order, Line: line, URL: "https://github.example.com/runs/9"}}).introduce(l)
		return l
	}
	queued := func(w waiter, line string) *coordinationv1.Lease {
		l := held(1, "merged")
		setPlaces(l, map[string]waiter{line: w})
		return l
	}
	t.Run("by a later run of its line that holds the lock, or has held it", func(t *testing.T) {
		err := waiting(5, "merged", true).superseded(held(9, "merged"))
		var superseded *SupersededError
		if !errors.As(err, &superseded) || superseded.By != "later" || !strings.Contains(err.Error(), "run later (https://github.example.com/runs/9) is newer") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("by a later run that shows that it waits, but not by what a dead one left", func(t *testing.T) {
		q := waiting(5, "merged", true)
		if err := q.superseded(queued(waiter{Order: 9, Run: "later", Beat: 4}, "merged")); err != nil {
			t.Errorf("at first sight: %v", err)
		}
		if err := q.superseded(queued(waiter{Order: 9, Run: "later", Beat: 4}, "merged")); err != nil {
			t.Errorf("unchanged: %v", err)
		}
		if err := q.superseded(queued(waiter{Order: 9, Run: "later", Beat: 5}, "merged")); err == nil {
			t.Error("a run that waits was not seen")
		}
	})
	for name, c := range map[string]struct {
		q     *queue
		lease *coordinationv1.Lease
	}{
		"not by an earlier run":                      {waiting(5, "merged", true), held(4, "merged")},
		"not by itself, run again":                   {waiting(5, "merged", true), held(5, "merged")},
		"not by another pull request's run":          {waiting(5, "pull request 1", true), held(9, "pull request 2")},
		"not when it said that it waits its turn":    {waiting(5, "merged", false), held(9, "merged")},
		"not when its place in the order is unknown": {waiting(0, "merged", true), held(9, "merged")},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.q.superseded(c.lease); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestObservation(t *testing.T) {
	start := time.Now()
	lease := func(holder string, renewed time.Duration, note string) *coordinationv1.Lease {
		at, token := metav1.NewMicroTime(start.Add(renewed)), int32(3)
		l := &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &at, LeaseTransitions: &token}}
		l.Annotations = map[string]string{annotationQueue: note}
		l.ResourceVersion = note
		return l
	}
	var o observation
	o.look(lease("a", 0, "1"), start)
	o.look(lease("a", 0, "2"), start.Add(10*time.Second))
	if !o.since.Equal(start) {
		t.Error("another run's entry on the lease was taken for a renewal by its holder")
	}
	o.look(lease("a", time.Second, "3"), start.Add(11*time.Second))
	if !o.since.Equal(start.Add(11 * time.Second)) {
		t.Error("a renewal was not seen")
	}
}

func TestHolder(t *testing.T) {
	l := &coordinationv1.Lease{}
	lock := &Lock{identity: "81-1#x", opts: LockOptions{URL: "https://github.example.com/runs/81"}}
	lock.introduce(l)
	at := metav1.NewMicroTime(time.Date(2026, 1, 1, 12, 0, 5, 0, time.UTC))
	l.Spec.HolderIdentity, l.Spec.AcquireTime, l.Annotations[annotationPhase] = &lock.identity, &at, "preparing"
	want := `run 81-1 (https://github.example.com/runs/81) since 12:00:05 UTC, in phase "preparing"`
	if diff := cmp.Diff(want, holderIn(l).String()); diff != "" {
		t.Error(diff)
	}
}

func TestTakingTheLockLeavesTheQueue(t *testing.T) {
	l := &coordinationv1.Lease{}
	setPlaces(l, map[string]waiter{"merged": {Order: 5}, "pull request 7": {Order: 3}})
	(&Lock{identity: "a#1", opts: LockOptions{Order: 5, Line: "merged"}}).introduce(l)
	if diff := cmp.Diff(map[string]waiter{"pull request 7": {Order: 3}}, placesOn(l)); diff != "" {
		t.Error(diff)
	}
}
