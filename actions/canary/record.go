package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
)

// maxKept bounds the evidence in the state, in bytes: etcd takes 1 MiB of an object. A check needs some 500.
const maxKept = 64 << 10

// record is a rollout in the service's state.
type record struct {
	rollout.State
	// Plan and Kept are there when it is held, for the run that goes on with it.
	Plan *rollout.Plan `json:"plan,omitempty"`
	Kept metrics.Kept  `json:"kept,omitempty"`
}

// recorder keeps the rollout in the service's state. What a run that dies leaves is undone by the next one until the
// rollout is promoted, also while the Service already selects the candidate alone: it has not passed its last step then.
func recorder(cl *cluster.Cluster, c *release.Candidate, plan rollout.Plan, judge *metrics.Judge, log rollout.Log, redact func(string) string) func(context.Context, rollout.State) error {
	return func(ctx context.Context, s rollout.State) error {
		r := record{State: s}
		c.State.Phase = release.PhaseDiscard
		switch s.Phase {
		case rollout.Promoted:
			c.State.Phase = release.PhaseSwitching
		case rollout.Held:
			c.State.Phase = release.PhaseHeld
			r.Plan, r.Kept = &plan, keepable(judge.Keep(), log)
		}
		// Whoever may read ConfigMaps need not be one who may read Secrets.
		raw, err := json.Marshal(withoutSecrets(r, redact))
		if err != nil {
			return fmt.Errorf("recording the rollout: %w", err)
		}
		c.State.Rollout = raw
		return cl.SaveState(ctx, c.State)
	}
}

// keepable is the evidence if the state has room for it.
func keepable(k metrics.Kept, log rollout.Log) metrics.Kept {
	raw, err := json.Marshal(k)
	if err == nil && len(raw) <= maxKept {
		return k
	}
	log.Infof("the evidence of %d checks takes %d bytes, and the state has room for %d: a run that resumes begins afresh", len(k), len(raw), maxKept)
	return nil
}

// readRecord reads a rollout that is held.
func readRecord(raw json.RawMessage) (record, error) {
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("reading the record of the rollout that is held: %w; `mode: abort` undoes it", err)
	}
	if r.Phase != rollout.Held || r.Plan == nil || len(r.Plan.Steps) == 0 {
		return r, errors.New("reading the record of the rollout that is held: it has no plan, as that of an older version; `mode: abort` undoes it")
	}
	return r, nil
}
