package main

import (
	"context"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
)

// earlier finds the release that a person wants back: with the inputs `digest` and `allow-rollback`, one of the history that ran
// that very image. It gives nil when none is asked for, or the digest has never served here: then it goes with the checkout's
// manifests, as any other.
func earlier(ctx context.Context, a *gha.Action, in inputs) (*release.Earlier, error) {
	if in.Digest == "" || !in.AllowRollback || in.preview {
		return nil, nil
	}
	cl, err := job.Connect(ctx, a, in.Inputs)
	if err != nil {
		return nil, err
	}
	back, err := release.FindEarlier(ctx, cl, in.Service, in.Digest)
	if back != nil && err == nil {
		a.Noticef("Going back to release %s of %s: commit %s with the manifests, values and secret versions that it had. Its tests are not run again; it passed them before it served.",
			back.Record.ID, back.Record.Time.Format(time.DateTime), change.Short(back.Record.Commit))
	}
	return back, err
}

// of makes the run one about the earlier release. Nobody is asked to approve it again: it served here, and its evidence is read
// as ever.
func (in inputs) of(ch change.Change, back *release.Earlier) (inputs, change.Change) {
	if back == nil {
		return in, ch
	}
	in.Approvals = 0
	old := back.Change
	old.Repository, old.Event, old.PullRequest = ch.Repository, ch.Event, 0
	return in, old
}
