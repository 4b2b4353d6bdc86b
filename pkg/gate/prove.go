package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/github"
)

// workflows say what fills each gate, for the advice in a refusal.
var workflows = map[string]string{
	evidence.Unit:  "the workflow with the unit-test action",
	evidence.Build: "the workflow with the build action",
	evidence.Test:  "the deployment to test",
	evidence.Stage: "the deployment to stage",
	evidence.Prod:  "the canary in prod",
}

// Prove makes sure that the image, "repository@sha256:…", has passed every required gate with this commit and tree, and gives
// the whole chain for people to read. Every gap is in the error, each an [evidence.Refusal].
func (g Gate) Prove(ctx context.Context, image string, ch change.Change) ([]evidence.Link, error) {
	if len(g.Require) == 0 {
		return nil, nil
	}
	if g.Key == nil {
		g.Log.Warningf("%s", evidence.Unsigned())
	}
	records, err := evidence.Read(ctx, image, g.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the evidence of %q: %w", image, err)
	}
	records, proven, err := g.withUnit(ctx, image, ch, records)
	if err != nil {
		return nil, err
	}
	asked := slices.DeleteFunc(slices.Clone(g.Require), func(gate string) bool { return proven && gate == evidence.Unit })
	refusals, err := g.refusals(ctx, image, ch, records, asked...)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, refusal := range refusals {
		problems = append(problems, refusal)
	}
	_, digest, _ := strings.Cut(image, "@")
	return evidence.Chain(records, digest), errors.Join(problems...)
}

// Stands says whether this gate's own statement about the image stands already, so that it need not be passed again.
func (g Gate) Stands(ctx context.Context, image string, ch change.Change) (bool, error) {
	if !g.known() {
		return true, nil
	}
	records, err := evidence.Read(ctx, image, g.Key)
	if err != nil {
		return false, fmt.Errorf("reading the evidence of %q: %w", image, err)
	}
	refusals, err := g.refusals(ctx, image, ch, records, g.Name)
	return err == nil && len(refusals) == 0, err
}

// refusals are the gaps in what the records say of the gates. An image is that of a tree, whichever commit it was first built
// for, so a build need not name this commit; everything else has to be about it.
func (g Gate) refusals(ctx context.Context, image string, ch change.Change, records []evidence.Record, gates ...string) ([]evidence.Refusal, error) {
	asked, err := g.requirement(ctx, image, ch, gates...)
	if err != nil {
		return nil, err
	}
	built, rest := asked, asked
	built.Gates, built.Commit = []string{evidence.Build}, ""
	rest.Gates = slices.DeleteFunc(slices.Clone(gates), func(gate string) bool { return gate == evidence.Build })
	found := evidence.Require(records, rest)
	if len(rest.Gates) < len(gates) {
		for _, refusal := range evidence.Require(records, built) {
			if !slices.Contains(found, refusal) {
				found = append(found, refusal)
			}
		}
	}
	return found, nil
}

// requirement is what the statements of the gates must say of a change. A gate that failed last, as the commit's statuses
// tell, has failed whatever was deleted from the registry since.
func (g Gate) requirement(ctx context.Context, image string, ch change.Change, gates ...string) (evidence.Requirement, error) {
	_, digest, _ := strings.Cut(image, "@")
	r := evidence.Requirement{
		Gates: gates, Digest: digest, Commit: ch.Head, Tree: ch.Tree, Repository: ch.Repository, Workflows: workflows,
	}
	// This gate's own status is about the run that asks.
	others := slices.DeleteFunc(slices.Clone(gates), func(gate string) bool { return gate == g.Name })
	if len(others) == 0 {
		return r, nil
	}
	written, err := g.GitHub.History(ctx, ch.Head, "")
	if err != nil {
		return r, err
	}
	for _, gate := range others {
		if last, ok := newest(written, statusOf(gate)); ok && last.State == github.Failure {
			r.Known = append(r.Known, evidence.Seen{Gate: gate, Result: evidence.Failed, Time: last.At, Run: last.URL})
		}
	}
	return r, nil
}

// statusOf is the name of a gate's commit status.
func statusOf(gate string) string {
	if gate == evidence.Unit {
		return "promote/unit-test"
	}
	return "promote/" + gate
}

// newest gives the last word that an app has said in a context. A person's status proves nothing and takes nothing back.
func newest(written []github.Written, name string) (github.Written, bool) {
	for _, w := range written {
		if w.ByBot && strings.EqualFold(w.Context, name) {
			return w, true
		}
	}
	return github.Written{}, false
}
