// Package preflight looks at everything a run needs before there is a run, and tells all that is wrong at once.
//
// It refuses to call good what could not be seen: a look that fails, panics or outlives its time gives a finding that is [Unknown].
// Looks change nothing; that is their promise, and each has a test for it.
//
//	seen := preflight.Run(ctx, preflight.Look{Area: "registry", At: func(ctx context.Context) []preflight.Finding { … }})
//	err := seen.Err() // every wrong one with its fix
package preflight

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// lookTime bounds a look. The slowest asks one server a dozen questions, each of which is tried again a few times.
	lookTime = time.Minute
	// grace is what a look has to come back in when its time is up. It is short, since a cancelled run is killed after seconds.
	grace = time.Second
	// atOnce is how many looks run at the same time. They wait for different servers; none should see a burst.
	atOnce = 8
)

// Look looks at one area. At gives a finding for each thing that it looked at, and none where there is nothing to look at. It gets a
// context that ends with its time, and changes nothing.
type Look struct {
	Area string
	At   func(context.Context) []Finding
}

// Run looks everywhere at once. The findings come in the order of the looks.
func Run(ctx context.Context, looks ...Look) Report {
	found := make([][]Finding, len(looks))
	free := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, look := range looks {
		all.Go(func() {
			select {
			case free <- struct{}{}:
				defer func() { <-free }()
				found[i] = look.bounded(ctx)
			case <-ctx.Done():
				found[i] = look.unseen(ended(ctx))
			}
		})
	}
	all.Wait()
	var seen Report
	for _, findings := range found {
		seen.Findings = append(seen.Findings, findings...)
	}
	return seen
}

// bounded looks for as long as a look may take. One that does not heed its context is left behind; what it finds later is not read.
func (l Look) bounded(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeoutCause(ctx, lookTime, fmt.Errorf("no answer within %s", lookTime))
	defer cancel()
	found := make(chan []Finding, 1)
	go func() { found <- l.safe(ctx) }()
	select {
	case findings := <-found:
		return findings
	case <-ctx.Done():
	}
	// One that heeds it comes back at once, with what it saw until then.
	select {
	case findings := <-found:
		return findings
	case <-time.After(grace):
		return l.unseen(ended(ctx))
	}
}

// safe looks; a panic of one look must not take what the others see.
func (l Look) safe(ctx context.Context) (findings []Finding) {
	defer func() {
		if trouble := recover(); trouble != nil {
			findings = l.unseen(fmt.Sprintf("looking broke off, which is a bug of promote: %v", trouble))
		}
	}()
	findings = l.At(ctx)
	for i := range findings {
		if findings[i].Area == "" {
			findings[i].Area = l.Area
		}
	}
	return findings
}

// unseen is what stands for a look that gave nothing.
func (l Look) unseen(why string) []Finding {
	return []Finding{{Area: l.Area, Subject: "everything", State: Unknown, Told: why}}
}

// ended says why a context did.
func ended(ctx context.Context) string { return context.Cause(ctx).Error() }
