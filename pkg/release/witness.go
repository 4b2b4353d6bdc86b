package release

import (
	"context"
	"errors"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gate"
)

// Witness writes down what became of one image at its gate.
type Witness struct {
	Gate        gate.Gate
	Change      change.Change
	Image       string // repository@sha256:…
	Environment string
	Approvers   []string
	// Run is the run's page, RunID its id and attempt.
	Run, RunID string
}

// Passed says that the image may go on from here.
func (w Witness) Passed(ctx context.Context, c *Candidate, verdict string) error {
	return w.record(ctx, c, c.Tested, true, verdict)
}

// Failed takes back what an earlier run may have said. c is nil when no candidate is left.
func (w Witness) Failed(ctx context.Context, c *Candidate, verdict string) error {
	return w.record(ctx, c, TestedBy(c, nil), false, verdict)
}

// Again proves a release that serves already when its evidence is not there, or no longer: the same tests, on what serves.
func (w Witness) Again(ctx context.Context, c *Candidate) error {
	stands, err := w.Gate.Stands(ctx, w.Image, w.Change)
	if err != nil || stands {
		return err
	}
	if err := c.Verify(ctx); err != nil {
		if Judged(err) {
			err = errors.Join(err, w.Failed(ctx, c, firstLine(err)))
		}
		return err
	}
	return w.Passed(ctx, c, c.Release.ID+" served already, and passed its tests again")
}

// firstLine is what a statement says of an error; the rest is in the run's log.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (w Witness) record(ctx context.Context, c *Candidate, tested *Tested, passed bool, verdict string) error {
	o := gate.Outcome{
		Passed: passed, Environment: w.Environment, Approvers: w.Approvers, Tests: tested.counts(), Verdict: verdict, Run: w.Run, RunID: w.RunID,
	}
	if c != nil {
		o.Release, o.ManifestHash, o.Secrets = c.Release.ID, c.Release.Hash, c.Release.Secrets
	}
	return w.Gate.Record(ctx, w.Image, w.Change, o)
}
