package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Status prints one line for each part of the lab. Its error says that the lab is not up as a whole.
func (l *Lab) Status(ctx context.Context) error {
	if !exists(l.path("pki", "ca.crt")) {
		return fmt.Errorf("no lab is up in %s: run `make lab-up`", l.dir)
	}
	var down []string
	for _, c := range l.components() {
		p, ok := l.recorded(c.name)
		if !ok || !p.alive() {
			l.say(c.name, "not running")
			down = append(down, c.name)
			continue
		}
		if err := c.ready(ctx); err != nil {
			l.say(c.name, "runs as process %d, but does not serve: %v", p.Pid, err)
			down = append(down, c.name)
			continue
		}
		l.say(c.name, "serves, process %d", p.Pid)
	}
	if err := l.statusOfBeacon(ctx); err != nil {
		l.say("beacon", "%v", err)
		down = append(down, "beacon")
	} else {
		l.say("beacon", "answers through its load balancer")
	}
	if len(down) > 0 {
		return fmt.Errorf("not up: %v: run `make lab-up`, which starts what is missing", down)
	}
	return nil
}

func (l *Lab) statusOfBeacon(ctx context.Context) error {
	client, err := l.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return errors.Join(askNode(ctx, client), askBeacon(ctx, client))
}
