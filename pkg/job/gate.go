package job

import (
	"context"

	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
)

// Gate is the gate of that name, with what the inputs require of it.
func (v *Inputs) Gate(ctx context.Context, a *gha.Action, gh *github.Client, name string) (gate.Gate, error) {
	key, err := gate.OpenKey(ctx, v.EvidenceKey, v.AWSRegion, a.Mask)
	return gate.Gate{
		Name: name, GitHub: gh, Key: key, Require: v.Require, Approvals: v.Approvals, AllowRollback: v.AllowRollback,
		Wait: v.Timeout, Redact: a.Redact, Log: a,
	}, err
}
