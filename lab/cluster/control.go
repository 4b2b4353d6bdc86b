package cluster

import (
	"context"
	"fmt"
	"syscall"
)

// Stop stops one component and waits until it is gone. SIGKILL gives it no time to say goodbye, as a crash would. A component
// that does not run is no error.
func (l *Lab) Stop(ctx context.Context, name string, sig syscall.Signal) error {
	c, err := l.find(name)
	if err != nil {
		return err
	}
	p, ok := l.recorded(name)
	if !ok {
		return nil
	}
	grace := c.grace
	if grace == 0 {
		grace = defaultGrace
	}
	if err := p.kill(ctx, sig, grace); err != nil {
		return fmt.Errorf("stopping %s: %w", name, err)
	}
	return nil
}

// Start starts one component of a lab that was up, and waits until it is ready. One that runs is left alone.
func (l *Lab) Start(ctx context.Context, name string) error {
	c, err := l.find(name)
	if err != nil {
		return err
	}
	if !exists(l.path("pki", "ca.crt")) {
		return fmt.Errorf("starting %s: no lab is up: run `make lab-up`", name)
	}
	_, err = l.start(ctx, c)
	return err
}
