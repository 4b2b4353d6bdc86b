package main

import (
	"context"
	"fmt"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
)

// thawed refuses to begin while the environment is frozen, and says so on the commit. A rollout that has begun is not stopped: to
// undo it would be a change too.
func thawed(ctx context.Context, a *gha.Action, gh *github.Client, in inputs, ch change.Change) error {
	frozen := in.freeze.At(time.Now())
	if frozen == nil {
		return nil
	}
	status := github.Status{Context: "promote/" + in.Environment, State: github.Failure, Description: frozen.String(), URL: a.Env().RunURL}
	if err := gh.SetStatus(ctx, ch.Head, status); err != nil {
		a.Warningf("%v", err)
	}
	fix := "run this workflow again when it is over, or let the next merge bring both"
	if frozen.Until.IsZero() {
		fix = "take the window out of the input `freeze`, and run this workflow again"
	}
	return &change.Refusal{Subject: fmt.Sprintf("a rollout to %s", in.Environment), Reason: "it is " + frozen.String(), Fix: fix}
}
