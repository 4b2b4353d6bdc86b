package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// heartbeat is how often a waiting run says for whom; with the polling and a slow answer it stays below 30 s.
	heartbeat = 20 * time.Second
	// beat is how often a waiting run shows the others that it still waits.
	beat = 5 * time.Second
	// leaveTime bounds the goodbye of a run that was cancelled while it waited.
	leaveTime = 2 * time.Second
)

// Holder is who holds a lock, as far as its lease tells.
type Holder struct {
	// Run is the run's name, URL its page and Phase what it was doing at its last renewal; the latter two may be empty.
	Run, URL, Phase string
	// Since is when it took the lock, by its own clock.
	Since time.Time
	// Waited is how long we have waited so far.
	Waited time.Duration
}

// String is a line for the log.
func (h Holder) String() string {
	text := "run " + named(h.Run, h.URL)
	if !h.Since.IsZero() {
		text += " since " + h.Since.UTC().Format("15:04:05") + " UTC"
	}
	if h.Phase != "" {
		text += fmt.Sprintf(", in phase %q", h.Phase)
	}
	return text
}

func named(run, url string) string {
	if url == "" {
		return run
	}
	return run + " (" + url + ")"
}

// SupersededError says that a run that waited gave way to a later one.
type SupersededError struct {
	Subject string
	// By and URL are the later run.
	By, URL string
}

func (e *SupersededError) Error() string {
	return fmt.Sprintf("waiting for %s: run %s is newer and takes this one's place; nothing was changed", e.Subject, named(e.By, e.URL))
}

// waiter is a waiting run's entry on the lease.
type waiter struct {
	Order int64  `json:"order"`
	Run   string `json:"run"`
	URL   string `json:"url,omitempty"`
	// Beat changes while the run waits; one whose runner died stays as it is.
	Beat int64 `json:"beat"`
}

// queue is one run's waiting.
type queue struct {
	lock    *Lock
	name    string
	started time.Time
	told    Holder
	toldAt  time.Time
	// mine is what was written for this run last, and when.
	mine   waiter
	mineAt time.Time
	// first is the later run's entry when it was first seen; nil before the first look.
	first *waiter
}

// superseded says whether a later run of the same line has taken this one's place: it holds the lock or has held it, or it
// waits and shows that it is alive.
func (q *queue) superseded(lease *coordinationv1.Lease) error {
	o := q.lock.opts
	if !o.Supersede || o.Order == 0 {
		return nil
	}
	c := q.lock.cluster
	order, _ := strconv.ParseInt(lease.Annotations[annotationOrder], 10, 64)
	if order > o.Order && lease.Annotations[annotationLine] == o.Line {
		return &SupersededError{Subject: c.subject("Lease", q.name), By: lease.Annotations[AnnotationRun], URL: lease.Annotations[annotationURL]}
	}
	next := placesOn(lease)[o.Line]
	if q.first == nil {
		q.first = &next
	}
	if next.Order > o.Order && next != *q.first {
		return &SupersededError{Subject: c.subject("Lease", q.name), By: next.Run, URL: next.URL}
	}
	return nil
}

// wait tells for whom, shows the others that this run waits, and sleeps until the next look.
func (q *queue) wait(ctx context.Context, lease *coordinationv1.Lease) error {
	c, o, waited := q.lock.cluster, q.lock.opts, time.Since(q.started)
	h := holderIn(lease)
	if waited >= o.Wait {
		return &LockedError{Subject: c.subject("Lease", q.name), Holder: h.Run, URL: h.URL, Waited: waited}
	}
	if o.Waiting != nil && (h != q.told || time.Since(q.toldAt) >= heartbeat) {
		q.told, q.toldAt = h, time.Now()
		h.Waited = waited
		o.Waiting(h)
	}
	if o.Order > 0 && time.Since(q.mineAt) >= beat {
		q.show(ctx, lease)
	}
	if err := sleep(ctx, lockPoll); err != nil {
		return fmt.Errorf("waiting for %s, held by %s: %w", c.subject("Lease", q.name), h, err)
	}
	return nil
}

// show writes this run's entry, unless a later one of its line is there. Its failure costs nothing but that older runs wait on.
func (q *queue) show(ctx context.Context, lease *coordinationv1.Lease) {
	o, places := q.lock.opts, placesOn(lease)
	if there := places[o.Line]; there.Order > o.Order {
		return
	}
	q.mine = waiter{Order: o.Order, Run: display(q.lock.identity), URL: o.URL, Beat: q.mine.Beat + 1}
	q.mineAt = time.Now()
	places[o.Line] = q.mine
	q.write(ctx, lease, places)
}

// leave takes this run's entry away, for a run that gives up.
func (q *queue) leave(ctx context.Context) {
	if q.mineAt.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	c := q.lock.cluster
	lease, err := c.Client.Leases(c.Namespace).Get(ctx, q.name, metav1.GetOptions{})
	if err != nil {
		return
	}
	places := placesOn(lease)
	if places[q.lock.opts.Line] == q.mine {
		delete(places, q.lock.opts.Line)
		q.write(ctx, lease, places)
	}
}

// write holds only for the lease as it was read; the holder's renewals win.
func (q *queue) write(ctx context.Context, lease *coordinationv1.Lease, places map[string]waiter) {
	lease = lease.DeepCopy()
	setPlaces(lease, places)
	c := q.lock.cluster
	_, _ = c.Client.Leases(c.Namespace).Update(ctx, lease, metav1.UpdateOptions{FieldManager: managerOf(q.lock.service)})
}

// introduce writes on the lease who holds it now, and takes the run and those before it off the queue.
func (l *Lock) introduce(lease *coordinationv1.Lease) {
	places := placesOn(lease)
	if p, waits := places[l.opts.Line]; waits && p.Order <= l.opts.Order {
		delete(places, l.opts.Line)
	}
	setPlaces(lease, places)
	delete(lease.Annotations, annotationPhase)
	delete(lease.Annotations, annotationAsk)
	delete(lease.Annotations, annotationPromote)
	for key, value := range map[string]string{
		AnnotationRun: display(l.identity), annotationURL: l.opts.URL, annotationOrder: strconv.FormatInt(l.opts.Order, 10), annotationLine: l.opts.Line,
	} {
		lease.Annotations[key] = value
	}
}

// doing notes what the run is doing, for those who wait. A run without a lock has nobody to tell.
func (l *Lock) doing(phase string) {
	if l != nil {
		l.phase.Store(&phase)
	}
}

func holderIn(lease *coordinationv1.Lease) Holder {
	a := lease.Annotations
	h := Holder{Run: display(holderOf(lease)), URL: a[annotationURL], Phase: a[annotationPhase]}
	if lease.Spec.AcquireTime != nil {
		h.Since = lease.Spec.AcquireTime.Time
	}
	return h
}

// placesOn reads who waits, by line. What cannot be read is nobody.
func placesOn(lease *coordinationv1.Lease) map[string]waiter {
	places := map[string]waiter{}
	if err := json.NewDecoder(strings.NewReader(lease.Annotations[annotationQueue])).Decode(&places); err != nil || places == nil {
		return map[string]waiter{}
	}
	return places
}

func setPlaces(lease *coordinationv1.Lease, places map[string]waiter) {
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	delete(lease.Annotations, annotationQueue)
	if data, err := json.Marshal(places); err == nil && len(places) > 0 {
		lease.Annotations[annotationQueue] = string(data)
	}
}
