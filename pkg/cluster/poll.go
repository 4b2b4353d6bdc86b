package cluster

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	firstPoll = 50 * time.Millisecond
	lastPoll  = 500 * time.Millisecond
)

// poll asks until nothing is missing, at most for the time given, and then says what was. An error ends it at once: the
// transport has already waited for what passes.
func (c *Cluster) poll(ctx context.Context, limit time.Duration, look func(context.Context) (missing string, err error)) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	missing := ""
	for pause := firstPoll; ; pause = min(pause*3/2, lastPoll) {
		found, err := look(bounded)
		switch {
		case err != nil && bounded.Err() != nil && missing != "":
			return unmet(ctx, limit, missing)
		case err != nil:
			return err
		case found == "":
			return nil
		}
		missing = found
		if sleep(bounded, pause) != nil {
			return unmet(ctx, limit, missing)
		}
	}
}

// unmet tells a wait that ran out of its own time from one that was called off.
func unmet(ctx context.Context, limit time.Duration, missing string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", missing, context.Cause(ctx))
	}
	return fmt.Errorf("%s, after %s: %w", missing, limit, context.DeadlineExceeded)
}

// repeat does a read-and-write until no other writer came in between. The guard here saves a read that leads to nothing; the one
// that fences stands between the read and the write, in may.
func (c *Cluster) repeat(ctx context.Context, do func(context.Context) error) error {
	var err error
	for attempt := range 20 {
		if err := c.guard(ctx); err != nil {
			return err
		}
		if err = do(ctx); !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) {
			return err
		}
		if errSleep := sleep(ctx, backoff(min(attempt, 2))/4); errSleep != nil {
			return errSleep
		}
	}
	return err
}
