package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// contender is one way to bring a version out step by step, in a namespace of its own.
type contender struct {
	name string
	at   *namespace
	// service is the Service that the clients use.
	service string
	// works is the process that does it.
	works *process
	// roll begins to bring a version out; it returns when that is under way. fails is one of half and never.
	roll func(ctx context.Context, version, fails string) error
	// judges says whether the candidate takes its part of the traffic and is being looked at.
	judges func(ctx context.Context) (bool, error)
	// settled says whether nothing is under way any more, beyond what the pods show; nil is that they show all.
	settled func(ctx context.Context) (bool, error)
	// restart starts the process again after its death; nil where nobody does.
	restart func() error
}

// base is the version that serves in all rounds.
const base = "base"

// contenders sets all up for a scenario, each with its baseline.
func (w *world) contenders(ctx context.Context, s scenario) ([]*contender, error) {
	var all []*contender
	for _, newContender := range []func(context.Context, time.Duration) (*contender, error){w.newPromote, w.newArgo, w.newFlagger} {
		c, err := newContender(ctx, s.graceful)
		if err != nil {
			return nil, err
		}
		progress("%s: bringing up %s's baseline …", s.Name, c.name)
		if err := c.roll(ctx, base, never); err != nil {
			return nil, c.tell(err)
		}
		if err := c.rest(ctx); err != nil {
			return nil, c.tell(err)
		}
		all = append(all, c)
	}
	return all, nil
}

// rest waits until the baseline alone is there, whole, and nothing is under way.
func (c *contender) rest(ctx context.Context) error {
	if c.settled != nil {
		if err := await(ctx, patience, c.name+" has settled", c.settled); err != nil {
			return err
		}
	}
	return c.at.whole(ctx, base)
}

// url is where clients reach the service.
func (c *contender) url(ctx context.Context) (string, error) {
	service, err := c.at.w.kube.CoreV1().Services(c.at.name).Get(ctx, c.service, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return "http://" + service.Spec.ClusterIP, nil
}

// tell adds to an error what the process said last.
func (c *contender) tell(err error) error {
	if c.works == nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return fmt.Errorf("%s: %w\nits output ends with:\n%s", c.name, err, c.works.tail())
}
