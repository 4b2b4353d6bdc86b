package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// setUp is how many services are prepared at once, and bring their first release up.
const setUp = 20

// measured is what a part gave.
type measured struct {
	part
	outcomes []outcome
	// took is from the start of the first canary to the end of the last one.
	took  time.Duration
	tally *tally
	// server is what the API server answered meanwhile, to everybody.
	server served
}

// measure brings the first releases up, and then runs all canaries at once.
func (w *world) measure(ctx context.Context, p part) (measured, error) {
	say("measuring %s: %d × %d pods …", p.name, p.canaries, p.pods)
	services, err := each(ctx, setUp, make([]struct{}, p.canaries), func(ctx context.Context, _ struct{}) (*service, error) { return newService(ctx, w, p) })
	if err != nil {
		return measured{}, err
	}
	defer func() {
		for _, s := range services {
			_ = s.hub.gh.Close()
		}
	}()
	began := time.Now()
	_, err = each(ctx, setUp, services, func(ctx context.Context, s *service) (outcome, error) {
		o, err := s.promote(ctx, "first")
		w.monitor.serves(s.namespace, o.release)
		if err == nil {
			s.next, err = s.hub.merged(ctx, "next")
		}
		return o, err
	})
	if err != nil {
		return measured{}, err
	}
	say("%d first releases serve after %s", p.canaries, time.Since(began).Round(time.Second))
	if err := w.settle(ctx); err != nil {
		return measured{}, err
	}
	m := measured{part: p}
	before, err := w.served(ctx)
	if err != nil {
		return m, err
	}
	began, m.tally = time.Now(), w.front.count()
	m.outcomes, err = each(ctx, p.canaries, services, func(ctx context.Context, s *service) (outcome, error) { return s.canary(ctx, s.next) })
	m.took = time.Since(began)
	w.front.count()
	if err != nil {
		return m, err
	}
	after, err := w.served(ctx)
	m.server = after.minus(before)
	return m, err
}

// promote merges a change and runs the action for it, which has to succeed.
func (s *service) promote(ctx context.Context, branch string) (outcome, error) {
	event, err := s.hub.merged(ctx, branch)
	if err != nil {
		return outcome{}, err
	}
	o, err := s.canary(ctx, event)
	if err == nil && o.result != promoted {
		err = fmt.Errorf("bringing the first release of Namespace/%s up: it ended with %q:\n%s", s.namespace, o.result, o.output)
	}
	return o, err
}

// promoted is how each canary has to end.
const promoted = "promoted"

// complaint says how many canaries did not end promoted, and how the first few of them ended.
func (m measured) complaint() error {
	var bad []string
	for _, o := range m.outcomes {
		if o.result != promoted {
			bad = append(bad, fmt.Sprintf("ended with %q after %s:\n%s", o.result, o.took.Round(time.Second), lastLines(o.output)))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d canaries were not promoted; the first of them %s", len(bad), len(m.outcomes), strings.Join(bad[:min(3, len(bad))], "\nanother "))
}

// lastLines are those that say how a run ended; all of them come with -trace.
func lastLines(output string) string {
	const shown = 12
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-shown):], "\n")
}

// settle waits until nothing simulated comes or goes, so that no earlier work is measured.
func (w *world) settle(ctx context.Context) error {
	return await(ctx, clearTime, "no simulated pod comes or goes", func(ctx context.Context) (bool, error) {
		unsettled, err := w.unsettled(ctx)
		return err == nil && unsettled == 0, err
	})
}

// each does something for all, so many at once, and gives the results in their order; the first error ends it.
func each[A, B any](ctx context.Context, atOnce int, all []A, do func(context.Context, A) (B, error)) ([]B, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results, slots := make([]B, len(all)), make(chan struct{}, atOnce)
	var working sync.WaitGroup
	for i, a := range all {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		working.Go(func() {
			defer func() { <-slots }()
			var err error
			if results[i], err = do(ctx, a); err != nil {
				cancel(err)
			}
		})
	}
	working.Wait()
	if ctx.Err() != nil {
		return results, context.Cause(ctx)
	}
	return results, nil
}
