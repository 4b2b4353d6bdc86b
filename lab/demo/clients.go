package demo

import (
	"context"
	"fmt"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/lab/world"
)

// rates are requests per second that clients send to each environment.
var rates = map[string]float64{"test": 10, "stage": 10, "prod": 50}

// startLoad lets clients in to every environment that serves and has none yet. They stay until the end.
func (s *scene) startLoad(ctx context.Context) error {
	releases, _, err := s.serving(ctx)
	if err != nil {
		return err
	}
	for _, env := range world.Environments {
		if releases[env] == "" {
			continue
		}
		if err := s.letIn(ctx, env); err != nil {
			return err
		}
	}
	return nil
}

// letIn lets clients in to an environment that has none yet.
func (s *scene) letIn(ctx context.Context, env string) error {
	if s.loads[env] != nil {
		return nil
	}
	address, err := s.address(ctx, env)
	if err != nil {
		return err
	}
	// The node learns of a new address a moment after the API server; before that there is nothing to fail.
	if err := answers(ctx, address); err != nil {
		return err
	}
	log, err := s.create("load-" + env + ".jsonl")
	if err != nil {
		return err
	}
	// Half of the clients keep their connections, half come anew each time.
	run, err := load.Start(context.WithoutCancel(ctx), load.Config{URL: address, Rate: rates[env], KeepAlive: 0.5, Scenario: s.service.scenario(), Log: log})
	if err != nil {
		return err
	}
	s.loads[env] = run
	s.timeline.run("clients begin to use %s at %s: %.0f requests/s, half of them on kept connections", env, address, rates[env])
	return nil
}

// stopLoad ends all clients; their logs are complete then.
func (s *scene) stopLoad() error {
	for env, l := range s.loads {
		if _, err := l.Stop(); err != nil {
			return fmt.Errorf("ending the load on %s: %w", env, err)
		}
	}
	return nil
}
