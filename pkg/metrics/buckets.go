package metrics

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Monitors that answer in buckets of time have no words for a window in their queries. There a query ends with [$window] when it
// counts: the complete buckets within the window are added up. Without it, it measures: the newest complete bucket is the value.

// windowAtEnd is a window at the end of a query, as [37s].
var windowAtEnd = regexp.MustCompile(`\s*\[(\d{1,9})s\]$`)

// cutWindow takes the window off a query; 0 is none.
func cutWindow(query string) (string, time.Duration) {
	query = strings.TrimSpace(query)
	m := windowAtEnd.FindStringSubmatchIndex(query)
	if m == nil {
		return query, 0
	}
	seconds, _ := strconv.Atoi(query[m[2]:m[3]])
	return query[:m[0]], time.Duration(seconds) * time.Second
}

// bucket is what was counted or measured from start on, for as long as its width.
type bucket struct {
	start time.Time
	value float64
}

// ripeness says when buckets may be believed.
type ripeness struct {
	width time.Duration
	// delay is how long after its end a bucket is still filling: what was measured in it arrives late.
	delay time.Duration
	// fresh is how long ago the newest complete bucket of a measurement may have ended.
	fresh time.Duration
}

// fold makes one number of buckets. With a window those that lie within it count, whole; the oldest, which began before it, and
// those that are still filling are left out.
func (r ripeness) fold(buckets []bucket, window time.Duration, at time.Time) (Sample, error) {
	var sum float64
	var newest bucket
	ripe, inside := 0, 0
	for _, b := range buckets {
		if b.start.Add(r.width + r.delay).After(at) {
			continue
		}
		ripe++
		if newest.start.Before(b.start) {
			newest = b
		}
		if !b.start.Before(at.Add(-window)) {
			inside++
			sum += b.value
		}
	}
	end := newest.start.Add(r.width)
	switch {
	case len(buckets) == 0:
		return Sample{}, &UnusableError{Fault: Empty, Detail: "nothing was counted or measured"}
	case window > 0 && inside == 0, ripe == 0:
		return Sample{}, &UnusableError{Fault: Empty, Detail: fmt.Sprintf("no bucket of %s within the window is complete yet; each is %s after its end", r.width, r.delay)}
	case window > 0:
		s := Sample{Value: sum, At: end}
		return s, s.finite()
	case at.Sub(end) > r.fresh:
		return Sample{}, &UnusableError{Fault: Stale, Detail: fmt.Sprintf("its newest bucket ended at %s, asked was %s", clock(end), clock(at))}
	}
	s := Sample{Value: newest.value, At: end}
	return s, s.finite()
}
