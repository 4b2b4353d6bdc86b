package cluster

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LockState is how a service's lock looks to who does not want it.
type LockState string

// The states of a lock.
const (
	// LockFree: nobody holds it; who held it last has given it back.
	LockFree LockState = "free"
	// LockHeld: somebody holds it, as far as is known.
	LockHeld LockState = "held"
	// LockLapsed: who holds it has not renewed it for its whole duration.
	LockLapsed LockState = "lapsed"
)

// LockTime is how long a lock that nobody renews still holds.
const LockTime = lockDuration

// LockObserver watches a service's lock without taking it.
type LockObserver struct {
	cluster *Cluster
	service string
	seen    observation
}

// ObserveLock begins to watch. Nothing is known before the first look.
func (c *Cluster) ObserveLock(service string) *LockObserver {
	return &LockObserver{cluster: c, service: service}
}

// Look reads the lock and says how it looks, and who holds it. A lock counts as lapsed only after looks for its whole duration
// that were all answered: while the API server is away nobody can renew, so the time of an error counts for nothing.
func (o *LockObserver) Look(ctx context.Context) (LockState, string, error) {
	lease, err := o.cluster.Client.Leases(o.cluster.Namespace).Get(ctx, stateName(o.service), metav1.GetOptions{})
	switch {
	case IsNotFound(err):
		return LockFree, "", nil
	case err != nil:
		o.seen = observation{}
		return LockHeld, "", o.cluster.failed("reading "+o.cluster.subject("Lease", stateName(o.service)), err)
	}
	state, holder := o.judge(lease, time.Now())
	return state, holder, nil
}

func (o *LockObserver) judge(lease *coordinationv1.Lease, now time.Time) (LockState, string) {
	o.seen.look(lease, now)
	holder := display(holderOf(lease))
	switch {
	case holder == "":
		return LockFree, ""
	case free(lease, o.seen, now):
		return LockLapsed, holder
	}
	return LockHeld, holder
}
