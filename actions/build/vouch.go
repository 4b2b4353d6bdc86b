package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/provenance"
	"github.com/org/promote/pkg/sbom"
)

// vouch says beside the image what it is made of, how it was built, and that the build is one of this commit. The image's own
// digest is what it was.
func vouch(ctx context.Context, a *gha.Action, in inputs, c change.Change, g gate.Gate, made result) error {
	if g.Key == nil && !made.reused {
		a.Warningf("%s", evidence.Unsigned())
	}
	for _, b := range made.bills {
		if _, err := evidence.Attest(ctx, image.Reference(in.repository, b.digest), sbom.PredicateType, b.predicate, g.Key); err != nil {
			return fmt.Errorf("attaching the bill of materials: %w", err)
		}
	}
	if !made.reused {
		predicate, err := provenance.Predicate(origin(in, c, a.Env(), made))
		if err != nil {
			return err
		}
		if _, err := evidence.Attest(ctx, made.reference, provenance.PredicateType, predicate, g.Key); err != nil {
			return fmt.Errorf("attaching the provenance: %w", err)
		}
	}
	c.Tree = made.src.tree
	how := "built with " + made.builder
	if made.reused {
		// What was said when it was built holds for every commit of the tree.
		if stands, err := g.Stands(ctx, made.reference, c); err != nil || stands {
			return err
		}
		how = "reused: this tree had the image from the same inputs"
	}
	return g.Record(ctx, made.reference, c, gate.Outcome{Passed: true, Run: runPage(a.Env(), c), RunID: a.Env().Run(), Verdict: how})
}

// origin is what the provenance tells.
func origin(in inputs, c change.Change, env gha.Env, made result) provenance.Build {
	dockerfile, _ := filepath.Rel(in.workspace, in.dockerfile)
	if in.material != image.FromDockerfile {
		dockerfile = ""
	}
	return provenance.Build{
		Repository: env.ServerURL + "/" + c.Repository, Commit: c.Head, Ref: c.HeadRef,
		Context: cmp.Or(made.src.prefix, "."), Dockerfile: filepath.ToSlash(dockerfile), Target: in.target, Platforms: in.platforms,
		Arguments: slices.Sorted(maps.Keys(in.args)), Secrets: slices.Sorted(maps.Keys(in.secrets)),
		Builder: made.builder, Epoch: made.src.time, Recipe: made.fingerprint,
		Server: env.ServerURL, Workflow: cmp.Or(env.WorkflowRef, c.Repository+"@"+c.Head), WorkflowCommit: env.WorkflowSHA, Runner: env.RunnerKind,
		Version: gha.Version(), RunURL: runPage(env, c), Started: made.began, Finished: time.Now(),
	}
}

// runPage is the run's page, or, outside of a run, the commit's.
func runPage(env gha.Env, c change.Change) string {
	return cmp.Or(env.RunURL, env.ServerURL+"/"+c.Repository+"/commit/"+c.Head)
}
