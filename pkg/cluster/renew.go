package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// keep renews the lock until it is released or lost.
//
// An API server that is away does not cost the lock by itself: nobody else can take it meanwhile, and a lease that is
// still as we left it is still ours when the server returns. Whether another run reached the server where we did not shows
// in the lease's resourceVersion, at the latest on our next write.
func (l *Lock) keep(ctx context.Context) {
	defer close(l.done)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-l.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	ticker := time.NewTicker(lockRenewal)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := l.renew(ctx); errors.Is(err, ErrLockLost) {
			return
		}
	}
}

// check says that the lock is still held, and asks the API server when it was not renewed for a while: after a pause
// of this process or of its machine another run may have taken over.
func (l *Lock) check(ctx context.Context) error {
	if lost := l.lost.Load(); lost != nil {
		return *lost
	}
	l.mu.Lock()
	// Round(0) drops the monotonic clock, which stands still while a machine is suspended.
	age := max(time.Since(l.renewed), time.Now().Round(0).Sub(l.renewed.Round(0)))
	l.mu.Unlock()
	if age < lockTrust {
		return nil
	}
	err := l.renew(ctx)
	if lost := l.lost.Load(); err != nil && lost != nil {
		// The renewal in the background found out first, and ended the context of this one.
		return *lost
	}
	return err
}

// lose ends the lock's context. Whoever holds the lock now decides.
func (l *Lock) lose(err error) error {
	err = fmt.Errorf("renewing %s: %w: %w", l.cluster.subject("Lease", l.lease.Name), ErrLockLost, err)
	l.lost.CompareAndSwap(nil, &err)
	l.cancel(err)
	return err
}

// renew writes the lease again. The error is ErrLockLost only when the lock is lost; a server that did not answer may be
// asked again.
func (l *Lock) renew(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cluster
	leases := c.Client.Leases(c.Namespace)
	for {
		now := time.Now()
		lease := l.lease.DeepCopy()
		at := metav1.NewMicroTime(now)
		lease.Spec.RenewTime = &at
		if phase := l.phase.Load(); phase != nil {
			metav1.SetMetaDataAnnotation(&lease.ObjectMeta, annotationPhase, *phase)
		}
		written, err := leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: managerOf(l.service)})
		if err == nil {
			l.lease, l.renewed = written, now
			l.hear(written)
			return nil
		}
		if IsNotFound(err) {
			return l.lose(errors.New("it was deleted"))
		}
		if !apierrors.IsConflict(err) {
			return l.overdue(err)
		}
		current, err := leases.Get(ctx, lease.Name, metav1.GetOptions{})
		if err != nil {
			return l.overdue(err)
		}
		if holderOf(current) != l.identity || current.Spec.LeaseTransitions == nil || *current.Spec.LeaseTransitions != l.token {
			return l.lose(fmt.Errorf("run %q holds it", display(holderOf(current))))
		}
		l.lease = current
	}
}

// overdue gives up on a server that was away for several times the lock's duration.
func (l *Lock) overdue(err error) error {
	if away := time.Since(l.renewed); away > 8*lockDuration {
		return l.lose(fmt.Errorf("the API server was away for %s: %w", away.Round(time.Second), err))
	}
	return l.cluster.failed("renewing "+l.cluster.subject("Lease", l.lease.Name), err)
}

// abandon stops holding the lock without giving it back: it frees itself, and who takes it then takes it over.
func (l *Lock) abandon() {
	close(l.stop)
	<-l.done
	l.cluster.lock.CompareAndSwap(l, nil)
	l.cancel(context.Canceled)
}

// Release gives the lock back. A lock that was lost is somebody else's and is left alone.
func (l *Lock) Release(ctx context.Context) error {
	select {
	case <-l.stop:
		return nil
	default:
		close(l.stop)
	}
	<-l.done
	l.cluster.lock.CompareAndSwap(l, nil)
	defer l.cancel(context.Canceled)
	if l.lost.Load() != nil {
		return nil
	}
	leases := l.cluster.Client.Leases(l.cluster.Namespace)
	for {
		lease := l.lease.DeepCopy()
		nobody := ""
		lease.Spec.HolderIdentity = &nobody
		delete(lease.Annotations, annotationPhase)
		_, err := leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: managerOf(l.service)})
		if err == nil || IsNotFound(err) {
			return nil
		}
		if apierrors.IsConflict(err) {
			current, errRead := leases.Get(ctx, lease.Name, metav1.GetOptions{})
			if errRead == nil && holderOf(current) == l.identity {
				l.lease = current
				continue
			}
			if errRead == nil || IsNotFound(errRead) {
				return nil
			}
			err = errRead
		}
		return fmt.Errorf("releasing %s: it frees itself after %s: %w", l.cluster.subject("Lease", lease.Name), lockDuration, err)
	}
}
