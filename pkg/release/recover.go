package release

import (
	"context"
	"fmt"

	"github.com/org/promote/pkg/cluster"
)

// remedy is what an unfinished rollout needs.
type remedy string

const (
	remedyNone     remedy = "nothing"
	remedyRemove   remedy = "remove the candidate"
	remedyRollback remedy = "move traffic back to the baseline and remove the candidate"
	remedyVerify   remedy = "look whether the candidate holds, then complete the promotion or take it back"
	remedyComplete remedy = "remove the old release"
)

// share is how many of the shared Services exist, and how many of them select one of the two releases alone. The others
// select both.
type share struct{ exist, candidate, baseline int }

// diagnoseLeftover decides from the recorded state and from what the Services really select, which is the only thing that
// clients feel.
func diagnoseLeftover(s *cluster.State, live share) remedy {
	switch {
	case s.Candidate == nil:
		return remedyNone
	case s.Serving != nil && s.Serving.ID == s.Candidate.ID:
		// The promotion was recorded; only the old release was left to remove.
		return remedyComplete
	case live.exist > 0 && live.candidate == live.exist && s.Phase != PhaseDiscard && s.Phase != PhaseHeld:
		return remedyVerify
	case s.Serving != nil && live.exist > 0 && (live.baseline < live.exist || s.Entrance != nil):
		// Weights may lead to the candidate's own Services, whatever the shared ones select.
		return remedyRollback
	default:
		return remedyRemove
	}
}

// recover finishes or undoes what an earlier run left. It runs under the lock, before anything else.
func (c *Candidate) recover(ctx context.Context) error {
	if c.State.Candidate == nil {
		return c.closeLeft(ctx)
	}
	// The leftover is handled by the very steps of a run that was not interrupted.
	left := &Candidate{
		deps: c.deps, req: c.req, out: c.out, State: c.State, Lock: c.Lock, Release: *c.State.Candidate, Baseline: c.State.Serving,
		Services: joined(c.State.Candidate, c.State.Serving, c.State.Previous),
	}
	// Nobody knows any more what it changed in place.
	left.touched = true
	// How many pods a canary began with is the other run's affair.
	left.req.Replicas = nil
	live, err := left.live(ctx)
	if err != nil {
		return err
	}
	what := diagnoseLeftover(c.State, live)
	c.deps.Log.Infof("run %s ended in phase %q with release %s: %s", left.Release.Run, c.State.Phase, left.Release.ID, what)
	switch what {
	case remedyComplete:
		if left.Baseline.ID == left.Release.ID {
			left.Baseline = c.State.Previous
		}
		return left.Finish(ctx)
	case remedyVerify:
		return left.verify(ctx)
	case remedyRollback:
		return left.undo(ctx, "the run ended before it was decided")
	case remedyRemove:
		return left.Discard(ctx, "the run ended before it was decided")
	}
	return nil
}

// verify completes a promotion whose traffic was moved and then left alone: nobody has seen whether the candidate holds.
func (c *Candidate) verify(ctx context.Context) error {
	err := c.wait(ctx)
	if err == nil {
		err = c.settle(ctx)
	}
	switch {
	case err == nil:
		return c.Finish(ctx)
	case ctx.Err() != nil || c.Baseline == nil && !Judged(err):
		return err
	}
	c.deps.Log.Warningf("release %s, which an earlier run left with all the traffic, does not hold: %v", c.Release.ID, err)
	return c.undo(ctx, err.Error())
}

// undo takes the traffic from the candidate and removes it.
func (c *Candidate) undo(ctx context.Context, why string) error {
	if err := c.Rollback(ctx); err != nil {
		return fmt.Errorf("release %s may still serve: %w", c.Release.ID, err)
	}
	return c.Discard(ctx, why)
}

// live reads what the shared Services select.
func (c *Candidate) live(ctx context.Context) (share, error) {
	var all share
	for _, s := range c.Services {
		selector, err := c.deps.Cluster.Selector(ctx, s.Name)
		if cluster.IsNotFound(err) {
			continue
		}
		if err != nil {
			return all, err
		}
		all.exist++
		switch release := selector[cluster.LabelRelease]; {
		case release == c.Release.ID:
			all.candidate++
		case c.Baseline != nil && release == c.Baseline.ID:
			all.baseline++
		}
	}
	return all, nil
}

// joined are the shared Services of several releases, each once. The first that names one says what it selects.
func joined(releases ...*cluster.Release) []cluster.SharedService {
	var all []cluster.SharedService
	seen := map[string]bool{}
	for _, r := range releases {
		if r == nil {
			continue
		}
		for _, s := range r.Services {
			if !seen[s.Name] {
				seen[s.Name] = true
				all = append(all, s)
			}
		}
	}
	return all
}
