package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stop is an error that more waiting would not mend.
type stop struct{ error }

// await asks until there is no error, the time is up, or the context ends; the error is the last answer.
func await(ctx context.Context, limit time.Duration, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		var final stop
		if err == nil || errors.As(err, &final) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (waited %s at most)", err, limit)
		case <-tick.C:
		}
	}
}
