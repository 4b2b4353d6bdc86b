package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/tests"
)

// unitPoll is how often GitHub is asked whether the unit tests have ended.
const unitPoll = 5 * time.Second

// withUnit adds the statement of the unit tests where it is required and not there yet. They run before there is an image that
// could carry it, so the first gate that asks for it takes their commit status, which only an app of this repository can have
// set, and binds it to the digest. proven says that a dry run has seen that it would.
func (g Gate) withUnit(ctx context.Context, image string, ch change.Change, records []evidence.Record) (all []evidence.Record, proven bool, err error) {
	if !slices.Contains(g.Require, evidence.Unit) {
		return records, false, nil
	}
	if refusals, err := g.refusals(ctx, image, ch, records, evidence.Unit); err != nil || len(refusals) == 0 {
		return records, false, err
	}
	last, found, err := g.unitTests(ctx, ch.Head)
	if err != nil || !found {
		return records, false, err
	}
	if last.State != github.Success {
		return nil, false, evidence.Refusal{
			Gate: evidence.Unit, Kind: evidence.GateFailed, Run: last.URL, Reason: fmt.Sprintf("the commit status %s is %s: %s", last.Context, last.State, last.Description),
			Fix: workflows[evidence.Unit] + " has to pass for this commit",
		}
	}
	if g.DryRun {
		return records, true, nil
	}
	record, err := evidence.Add(ctx, evidence.Statement{
		Image: image, Gate: evidence.Unit, Result: evidence.Passed, Repository: ch.Repository, Commit: ch.Head, Tree: ch.Tree,
		Tests: unitCounts(last.URL, ch.Tree), Run: last.URL, Verdict: fmt.Sprintf("commit status %s by %s: %s", last.Context, last.By, last.Description), Time: time.Now(),
	}, g.Key)
	if err != nil {
		return nil, false, err
	}
	g.Log.Infof("evidence: gate unit passed (%s)", last.URL)
	return append(slices.Clone(records), record), false, nil
}

// unitCounts are the counts that the unit-test action wrote behind the # of its status' URL; nil where it wrote none, as when
// nothing reported single tests or another action set the status. A status of success means that none failed.
func unitCounts(url, tree string) *evidence.Tests {
	_, m, ok := tests.ReadMark(url)
	if !ok || m.Tree != tree || m.Tests < 0 || m.Skipped > m.Tests {
		return nil
	}
	return &evidence.Tests{Total: m.Tests, Skipped: max(m.Skipped, 0)}
}

// unitTests gives the last word on the commit's unit tests; those that are running are waited for.
func (g Gate) unitTests(ctx context.Context, head string) (last github.Written, found bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, max(g.Wait, time.Second), fmt.Errorf("the unit tests of commit %s did not end within %s", change.Short(head), g.Wait))
	defer cancel()
	for told := false; ; told = true {
		written, err := g.GitHub.History(ctx, head, statusOf(evidence.Unit))
		if err != nil {
			return github.Written{}, false, err
		}
		last, found = newest(written, statusOf(evidence.Unit))
		if !found || last.State != github.Pending || g.Wait == 0 || g.DryRun {
			return last, found, nil
		}
		if !told {
			g.Log.Infof("waiting for the unit tests of commit %s: %s", change.Short(head), last.URL)
		}
		timer := time.NewTimer(cmp.Or(g.poll, unitPoll))
		select {
		case <-ctx.Done():
			timer.Stop()
			return last, false, context.Cause(ctx)
		case <-timer.C:
		}
	}
}
