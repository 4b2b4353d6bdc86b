// Package gate decides whether an image may go into an environment, and writes down what became of it there. It is the one
// place where what people say (GitHub: approvals, a head that may have moved, history) and what was proven (the evidence
// beside the image) come together.
//
//   - [Gate.May] asks GitHub whether the change may go on now. It is asked at the start, and again right before traffic moves.
//   - [Gate.Prove] reads the evidence: every gate that is required must have been passed by this digest, commit and tree.
//   - [Gate.Follows] refuses a change that is older than what serves.
//   - [Gate.Record] writes the statement of this gate itself.
//
// It refuses to take silence for a yes: what can't be asked is an error. A gate whose unit tests are still running waits for
// them, bounded.
//
//	g := gate.Gate{Name: "stage", GitHub: gh, Key: key, Require: []string{"unit", "build", "test"}, Approvals: 1, Log: log}
//	approvals, err := g.May(ctx, ch)
//	chain, err := g.Prove(ctx, image, ch)
//	…
//	err = g.Record(ctx, image, ch, gate.Outcome{Passed: true, …})
package gate

import (
	"context"
	"slices"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/github"
)

// Gate is one place that a change has to pass.
type Gate struct {
	// Name is one of [evidence.Gates]. Any other (an environment that is no gate, such as a preview) passes nothing on: no
	// statement is written.
	Name   string
	GitHub *github.Client
	// Key signs and verifies; nil is the unsigned mode.
	Key *evidence.Key
	// Require are the gates that must have been passed.
	Require []string
	// Approvals are how many people must have approved this very head.
	Approvals int
	// AllowRollback lets a change go in the place of a newer one.
	AllowRollback bool
	// Wait bounds the wait for unit tests that are still running; 0 does not wait.
	Wait time.Duration
	// DryRun reads alone: [Gate.Prove] takes unit tests that their commit status proves for proven without writing the statement, and
	// waits for none.
	DryRun bool
	// Redact takes secret values out of the verdict, which everybody who may pull the image can read; nil leaves it as it is.
	Redact func(string) string
	Log    Log

	// poll is how often GitHub is asked about them; unitPoll when 0.
	poll time.Duration
}

// Log is where progress goes.
type Log interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
}

// May asks GitHub whether the change may go on now, and gives who approved it.
func (g Gate) May(ctx context.Context, ch change.Change) (approvers []string, err error) {
	found, err := g.GitHub.MayGo(ctx, ch, g.Approvals)
	return found.By, err
}

// Follows refuses a change that is older than the release that serves.
func (g Gate) Follows(ctx context.Context, ch change.Change, serving change.Point) error {
	return g.GitHub.CheckOrder(ctx, ch.Point(), serving, g.AllowRollback)
}

// known says whether this gate is one that leaves a statement.
func (g Gate) known() bool { return Known(g.Name) }

// Known says whether a name is that of a gate that leaves a statement beside the image.
func Known(name string) bool { return slices.Contains(evidence.Gates(), name) }
