package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/lab/show"
	"k8s.io/apimachinery/pkg/util/wait"
)

// byHand is what the story calls the run of production's workflow that a person started, beside the one of the merge.
const byHand = "production by hand"

// whileAtWork does the part's meanwhile once production's canary takes traffic. What it returns is called when the canary has ended: it
// waits for that deed, or gives up if there was no canary.
func (s *scene) whileAtWork(ctx context.Context, p *part) (ended func() error) {
	if p.meanwhile == nil {
		return func() error { return nil }
	}
	watching, giveUp := context.WithCancel(ctx)
	began, done := make(chan struct{}), make(chan error, 1)
	go func() {
		err := wait.PollUntilContextCancel(watching, 100*time.Millisecond, true, func(context.Context) (bool, error) { return s.witness.shared("prod", p), nil })
		if err != nil {
			done <- errors.New("production's canary took no traffic")
			return
		}
		close(began)
		done <- p.meanwhile(ctx)
	}()
	return func() error {
		select {
		case <-began:
		default:
			giveUp()
		}
		defer giveUp()
		return <-done
	}
}

// shared says whether both releases have had traffic in an environment since a part began.
func (w *witness) shared(env string, p *part) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.last(env)
	return last != nil && last.To == bothReleases && last.Time.After(p.began)
}

// promoteByHand starts production's workflow for a rollout that is at work: what is taken back has served before.
func (s *scene) promoteByHand(ctx context.Context, p *part) error {
	s.timeline.person(show.Other, "%s has the canary of #%d promoted: it served here before", reviewer, p.number)
	started, err := s.repo.Dispatch(ctx, "production.yml", "main", map[string]string{"mode": "promote", "reason": "it served here before"}, reviewer)
	if err != nil {
		return err
	}
	results, err := s.happened(ctx, p.merged, started)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.results[byHand] = results["production"]
	return err
}

// promotedByHand checks on GitHub that the merge's own run promoted the release and says who wanted it.
func (s *scene) promotedByHand(p *part) expectation {
	e := expectation{what: p.name() + ": a person's word took its canary to all of the traffic"}
	list, err := s.repo.Statuses(p.head)
	if err != nil {
		e.seen = err.Error()
		return e
	}
	i := slices.IndexFunc(list, func(st github.Status) bool { return st.Context == "promote/prod" }) // the newest is the first
	if i < 0 {
		e.seen = "there is no status promote/prod"
		return e
	}
	e.ok = list[i].State == "success" && strings.Contains(list[i].Description, reviewer+" asked for the promotion")
	e.seen = fmt.Sprintf("promote/prod is %s: %s", list[i].State, list[i].Description)
	return e
}
