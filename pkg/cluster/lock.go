package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// lockDuration is how long a lock that nobody renews still holds.
	lockDuration = 15 * time.Second
	// lockRenewal leaves four tries before the lock is open to others.
	lockRenewal = 3 * time.Second
	// lockTrust is how long after a renewal the lock is held for sure, without asking: less than its duration, so that no other
	// run can have begun to take it over.
	lockTrust = lockDuration - lockRenewal
	// lockPoll is how often a waiting run looks.
	lockPoll = time.Second
)

// LockOptions say how to wait for a lock that another run holds.
type LockOptions struct {
	// Wait bounds the waiting; 0 takes the lock at once or fails.
	Wait time.Duration
	// URL is the run's page, for those who wait for it.
	URL string
	// Order is the run's place among all runs: of two, the one with the larger number was started for the later event. 0 says
	// that it is not known; such a run gives way to nobody, and nobody to it.
	Order int64
	// Line is what the run belongs to, such as one pull request: only runs of one line supersede one another.
	Line string
	// Supersede gives up with a [SupersededError] as soon as a later run of the same line holds the lock, has held it, or
	// waits too.
	Supersede bool
	// Seen is who has watched the lock before; nil begins to watch now.
	Seen *LockObserver
	// Waiting is called when waiting begins, when the holder or its phase changes, and at least every 30 s; nil is allowed.
	Waiting func(Holder)
}

// LockedError says that another run holds the lock.
type LockedError struct {
	Subject string
	Holder  string
	URL     string
	Waited  time.Duration
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("locking %s: run %s holds it, after waiting %s: let it end, or cancel it and run again", e.Subject, named(e.Holder, e.URL), e.Waited.Round(time.Second))
}

// Lock is a held lock: one run at a time works on one service in one namespace. It is renewed in the background until
// Release, also when the context it was taken with ends, because cleaning up needs it.
type Lock struct {
	cluster  *Cluster
	service  string
	identity string
	token    int32
	opts     LockOptions
	// phase is what the run is doing; it goes with the next renewal.
	phase atomic.Pointer[string]

	ctx    context.Context
	cancel context.CancelCauseFunc
	stop   chan struct{}
	done   chan struct{}
	lost   atomic.Pointer[error]
	asked  chan string
	wished chan Wish

	mu      sync.Mutex
	lease   *coordinationv1.Lease
	renewed time.Time
	// heard and heardWish are the requests that were passed on.
	heard, heardWish string
}

// Context ends with the context that the lock was taken with, and when the lock is lost, with ErrLockLost as its cause.
func (l *Lock) Context() context.Context { return l.ctx }

// Token grows with every change of the holder; the holder with the larger one is the later.
func (l *Lock) Token() int64 { return int64(l.token) }

// Lock takes the service's lock. Every write through c is then guarded by it; one Cluster holds one lock at a time.
func (c *Cluster) Lock(ctx context.Context, service, holder string, opts LockOptions) (*Lock, error) {
	if held := c.lock.Load(); held != nil {
		return nil, fmt.Errorf("locking %s: this process already holds %s", service, held.lease.Name)
	}
	if service == "" || holder == "" {
		return nil, errors.New("locking: the service and the holder must be named")
	}
	// Two processes of one run must not take themselves for each other.
	l := &Lock{cluster: c, service: service, opts: opts, identity: holder + "#" + strings.ToLower(rand.Text()[:8]), stop: make(chan struct{}), done: make(chan struct{}), asked: make(chan string, 1), wished: make(chan Wish, 1)}
	previous, err := l.acquire(ctx, stateName(service))
	if err != nil {
		return nil, err
	}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	c.lock.Store(l)
	go l.keep(context.WithoutCancel(ctx))
	if previous != "" {
		if err := c.stamp(ctx, service, l.token); err != nil {
			// Not given back: who takes a lock that was given back has no reason to stamp, and this stamp is not complete.
			l.abandon()
			return nil, fmt.Errorf("taking the lock over from run %s: %w", display(previous), err)
		}
	}
	return l, nil
}

// observation is since when a lease has been as it is, by this machine's own monotonic clock. What the lease says of time was
// written by another machine's clock, and is for people only.
type observation struct {
	renewal string
	since   time.Time
}

// look notes what a lease's holder wrote last. What others write on the lease is no renewal.
func (o *observation) look(lease *coordinationv1.Lease, now time.Time) {
	renewal := holderOf(lease)
	if t := lease.Spec.LeaseTransitions; t != nil {
		renewal += fmt.Sprintf(" %d", *t)
	}
	if t := lease.Spec.RenewTime; t != nil {
		renewal += " " + t.String()
	}
	if renewal != o.renewal || o.since.IsZero() {
		*o = observation{renewal, now}
	}
}

// acquire waits for the lease and takes it. previous is who held it without giving it back, "" if nobody.
func (l *Lock) acquire(ctx context.Context, name string) (previous string, err error) {
	c := l.cluster
	q := queue{lock: l, name: name, started: time.Now()}
	defer func() {
		if err != nil {
			q.leave(ctx)
		}
	}()
	var seen observation
	if l.opts.Seen != nil {
		seen = l.opts.Seen.seen
	}
	for {
		lease, err := c.Client.Leases(c.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil && !IsNotFound(err) {
			return "", c.failed("reading "+c.subject("Lease", name), err)
		}
		if IsNotFound(err) {
			lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}}
		}
		now := time.Now()
		seen.look(lease, now)
		held := holderOf(lease)
		if held == l.identity {
			// An earlier try arrived and only its answer was lost.
			l.adopt(lease, now)
			return previous, nil
		}
		if err := q.superseded(lease); err != nil {
			return "", err
		}
		if free(lease, seen, now) {
			previous = held
			taken, err := l.take(ctx, lease, now)
			if err == nil {
				l.adopt(taken, now)
				return previous, nil
			}
			if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !unanswered(ctx, err) {
				return "", c.failed("taking "+c.subject("Lease", name), err)
			}
			continue
		}
		if err := q.wait(ctx, lease); err != nil {
			return "", err
		}
	}
}

// free decides whether a lease may be taken: nobody holds it, or it was seen without a renewal for its whole duration.
func free(lease *coordinationv1.Lease, seen observation, now time.Time) bool {
	if holderOf(lease) == "" {
		return true
	}
	duration := lockDuration
	if s := lease.Spec.LeaseDurationSeconds; s != nil {
		duration = time.Duration(*s) * time.Second
	}
	return now.Sub(seen.since) > duration
}

// take writes the lease with this run as its holder; the lease's resourceVersion is the precondition.
func (l *Lock) take(ctx context.Context, lease *coordinationv1.Lease, now time.Time) (*coordinationv1.Lease, error) {
	lease = lease.DeepCopy()
	token := int32(1)
	if t := lease.Spec.LeaseTransitions; t != nil {
		token = *t + 1
	}
	seconds, at := int32(lockDuration/time.Second), metav1.NewMicroTime(now)
	lease.Spec = coordinationv1.LeaseSpec{
		HolderIdentity: &l.identity, LeaseDurationSeconds: &seconds, LeaseTransitions: &token, AcquireTime: &at, RenewTime: &at,
	}
	l.introduce(lease)
	leases := l.cluster.Client.Leases(l.cluster.Namespace)
	if lease.ResourceVersion == "" {
		return leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: managerOf(l.service)})
	}
	return leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: managerOf(l.service)})
}

func (l *Lock) adopt(lease *coordinationv1.Lease, at time.Time) {
	l.lease, l.renewed = lease, at
	if lease.Spec.LeaseTransitions != nil {
		l.token = *lease.Spec.LeaseTransitions
	}
}

func holderOf(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// display is the holder as its run named itself.
func display(identity string) string {
	holder, _, _ := strings.Cut(identity, "#")
	return holder
}

// sleep waits for d or for the context's end.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
