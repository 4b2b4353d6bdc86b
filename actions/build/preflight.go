package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/workflow"
)

// dryRun looks at all that a run needs, and tells what is to change. It builds, pushes and tags nothing, and sets no status. problems are those
// of the inputs, refusal is that of the event.
func dryRun(ctx context.Context, a *gha.Action, in inputs, c change.Change, environ []string, problems, refusal error) error {
	a.Mask(in.token)
	env := a.Env()
	var wrong *gha.InputError
	var texts []string
	if errors.As(problems, &wrong) {
		texts = wrong.Problems
	}
	at := func(area string, see func(context.Context) []preflight.Finding) preflight.Look {
		return preflight.Look{Area: area, At: see}
	}
	looks := []preflight.Look{
		at("inputs", func(context.Context) []preflight.Finding { return preflight.Inputs(texts) }),
		at("builder", func(ctx context.Context) []preflight.Finding { return lookAtBuilder(ctx, in, environ) }),
		at("registry", func(ctx context.Context) []preflight.Finding { return lookAtRegistry(ctx, in) }),
		at("checkout", func(ctx context.Context) []preflight.Finding { return lookAtCheckout(ctx, a, in, c, refusal) }),
		at("evidence", func(ctx context.Context) []preflight.Finding { return lookAtKey(ctx, a, in) }),
	}
	gh, err := github.New(github.Config{APIURL: env.APIURL, Token: in.token, Repository: env.Repository, Redact: a.Redact})
	if err != nil {
		looks = append(looks, at("GitHub", func(context.Context) []preflight.Finding { return preflight.Refused("GitHub", "API", err) }))
	} else {
		looks = append(looks, gh.LookAtRights(c.PullRequest, github.ReadContents, github.WriteStatuses),
			gh.LookAtBranch(c.BaseRef, github.Wanted{Approvals: -1, Checks: []string{statusContext}}))
		if len(image.ECRHosts(in.repository)) > 0 || strings.HasPrefix(in.evidenceKey, "awskms:") {
			looks = append(looks, gh.LookAtSubject(func(ctx context.Context) (github.Identity, error) {
				issuer, subject, err := a.Identity(ctx, github.Audience)
				return github.Identity{Issuer: issuer, Subject: subject}, err
			}))
		}
	}
	seen := preflight.Run(ctx, append(looks, workflow.Look(in.workspace, workflow.Root(env.ActionPath)))...)
	for _, line := range seen.Lines() {
		a.Infof("%s", line)
	}
	return errors.Join(seen.Err(), a.Summary(seen.Markdown()))
}

// lookAtBuilder says what the image would be made of, and with what.
func lookAtBuilder(ctx context.Context, in inputs, environ []string) []preflight.Finding {
	if in.material == "" {
		return nil // the inputs' own problem
	}
	findings := []preflight.Finding{{Subject: "material", State: preflight.Good, Told: fmt.Sprintf("%s (%s)", in.material, in.because)}}
	req := in.request()
	req.Env, _ = command.Inherit(environ, nil, "")
	told, err := image.Chosen(ctx, req)
	if err != nil {
		return append(findings, preflight.Refused("builder", in.builder, err)...)
	}
	findings = append(findings, preflight.Finding{Subject: in.builder, State: preflight.Good, Told: told})
	agnostic := preflight.Finding{Subject: "environment-agnostic", State: preflight.Good, Told: "what ties the image to one environment would keep it from being pushed"}
	switch in.agnostic {
	case agnosticWarn:
		agnostic.State, agnostic.Told = preflight.Noted, "what ties the image to one environment would only be warned of"
	case agnosticOff:
		agnostic.State, agnostic.Told = preflight.Noted, "nobody would look for what ties the image to one environment"
	}
	return append(findings, agnostic)
}

// lookAtRegistry asks for leave to push, reads what is there, and compares the settings with what promote needs. Leave is asked for by an
// upload that is begun and taken back: no byte of it is sent, no tag and no manifest is touched.
func lookAtRegistry(ctx context.Context, in inputs) []preflight.Finding {
	if image.ParseRepository(in.repository) != nil {
		return nil // the inputs' own problem
	}
	var findings []preflight.Finding
	warnings, settings := image.PreflightECR(ctx, in.repository, moving(in)...)
	for _, warning := range warnings {
		f := preflight.Refused("registry", "settings", errors.New(warning))[0]
		f.State = preflight.Noted
		findings = append(findings, f)
	}
	var missing *image.NoRepositoryError
	if errors.As(settings, &missing) {
		return append(findings, preflight.Refused("registry", in.repository, advise(settings))...)
	}
	findings = append(findings, preflight.Refused("registry", "settings", settings)...)
	if err := image.Preflight(ctx, in.repository); err != nil {
		return append(findings, unsure("push", err)...)
	}
	findings = append(findings, preflight.Finding{Subject: "push", State: preflight.Good, Told: "the registry gives leave to push to " + in.repository})
	marked, err := held(ctx, in.repository, in.marker)
	if err != nil {
		return append(findings, unsure("pull", err)...)
	}
	f := preflight.Finding{Subject: "pull", State: preflight.Good, Told: fmt.Sprintf("the marker %q holds no image yet", in.marker)}
	if marked.Digest != "" {
		f.Told = fmt.Sprintf("the marker %q holds %s", in.marker, marked.Digest)
	}
	findings = append(findings, f)
	if in.base != "" {
		if _, err := image.Inspect(ctx, in.base); err != nil {
			return append(findings, unsure("base", err)...)
		}
		findings = append(findings, preflight.Finding{Subject: "base", State: preflight.Good, Told: in.base + " can be read"})
	}
	return findings
}

// unsure makes findings of what a registry answered: one that gives no answer says nothing about what is to change.
func unsure(subject string, err error) []preflight.Finding {
	findings := preflight.Refused("registry", subject, advise(err))
	for i := range findings {
		if passing(err) {
			findings[i].State = preflight.Unknown
		}
	}
	return findings
}

// lookAtCheckout says whether what lies here is the commit, and whether its tree has an image already.
func lookAtCheckout(ctx context.Context, a *gha.Action, in inputs, c change.Change, refusal error) []preflight.Finding {
	if refusal != nil {
		return preflight.Refused("checkout", "event", refusal)
	}
	if in.material == "" {
		return nil // the inputs' own problem
	}
	src, err := theSource(ctx, in, c)
	if err != nil {
		return preflight.Refused("checkout", "commit", err)
	}
	findings := []preflight.Finding{{Subject: "commit", State: preflight.Good, Told: fmt.Sprintf("%s is checked out (tree %s)", change.Short(c.Head), change.Short(src.tree))}}
	if image.ParseRepository(in.repository) != nil {
		return findings
	}
	have, err := look(ctx, a, in, c, src, theRecipe(in, src).fingerprint())
	if err != nil {
		return append(findings, unsure("earlier image", err)...)
	}
	f := preflight.Finding{Subject: "earlier image", State: preflight.Noted, Told: "there is none of this tree and these inputs, so a run would build it"}
	if have.image.Digest != "" {
		f.Told = fmt.Sprintf("%s was built of this tree with these inputs, so a run would only tag it", have.image.Digest)
	}
	return append(findings, f)
}

// lookAtKey opens the key that signs evidence, and signs nothing.
func lookAtKey(ctx context.Context, a *gha.Action, in inputs) []preflight.Finding {
	key, err := gate.OpenKey(ctx, in.evidenceKey, in.awsRegion, a.Mask)
	switch {
	case err != nil:
		return preflight.Refused("evidence", "key", err)
	case key == nil:
		f := preflight.Refused("evidence", "key", errors.New(evidence.Unsigned()))[0]
		f.State = preflight.Noted
		return []preflight.Finding{f}
	}
	return []preflight.Finding{{Subject: "key", State: preflight.Good, Told: "it can be opened, and is one that signs"}}
}
