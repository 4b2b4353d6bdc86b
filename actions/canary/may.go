package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gate"
)

// askPause lies between two questions that GitHub gave no answer to; each of them has been tried several times by then.
const askPause = 5 * time.Second

// stillMay asks before each move of traffic whether the change may go on: an approval can be taken back while a step is
// watched. A refusal stands. No answer is no yes, but it says nothing against a release that serves well either: GitHub is
// asked again, with the traffic as it is, for as long as a step may lack evidence.
func stillMay(ctx context.Context, ask func(context.Context) error, log gate.Log, limit, pause time.Duration) error {
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := ask(asking)
		var refusal *change.Refusal
		if err == nil || errors.As(err, &refusal) {
			return err
		}
		log.Warningf("asking GitHub whether the change may still go on, and again in %s: %v", pause, err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-asking.Done():
			timer.Stop()
			return fmt.Errorf("asking GitHub whether the change may still go on: no answer within %s (input `step-limit`): %w", limit, err)
		}
	}
}
