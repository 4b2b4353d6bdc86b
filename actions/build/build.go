package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/image"
)

// tellTime bounds what is told to GitHub at the end. It must fit in the 10 s between a cancel and the kill, after the
// builder's own end.
const tellTime = 4 * time.Second

// run is the action: which commit, is it what lies here, build and push or reuse, tell.
func run(ctx context.Context, a *gha.Action, environ []string) error {
	c, err := theChange(a)
	var neutral *change.Neutral
	if errors.As(err, &neutral) {
		return err // a fork's run has no secrets, so its inputs would only look wrong
	}
	in, problems := readInputs(a)
	if in.dryRun {
		return dryRun(ctx, a, in, c, environ, problems, err)
	}
	if err := errors.Join(problems, err); err != nil {
		return err
	}
	a.Mask(in.token)
	env := a.Env()
	gh, err := github.New(github.Config{APIURL: env.APIURL, Token: in.token, Repository: env.Repository, Redact: a.Redact})
	if err != nil {
		return err
	}
	key, err := gate.OpenKey(ctx, in.evidenceKey, in.awsRegion, a.Mask)
	if err != nil {
		return err
	}
	t := tell{action: a, github: gh, change: c}
	t.start(ctx)
	began := time.Now()
	made, err := makeImage(ctx, a, in, c, environ, gh.IsAncestor)
	if err == nil {
		made.began = began
		err = vouch(ctx, a, in, c, gate.Gate{Name: evidence.Build, GitHub: gh, Key: key, Redact: a.Redact, Log: a}, made)
	}
	made.took = time.Since(began)
	// What happened must be told even when the run was cancelled.
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	return errors.Join(advise(err), t.end(told, in, made, err))
}

// result is what the action comes to.
type result struct {
	image.Pushed
	reference string // repository@sha256:…
	builder   string // "" when nothing was built
	reused    bool
	// first is the commit that a reused image was built from.
	first string
	// newer is the commit whose image keeps the marker, "" when this image has it.
	newer string
	began time.Time
	took  time.Duration
	// src and fingerprint are what it was made from, bills what each platform's image is made of.
	src         source
	fingerprint string
	bills       []bill
}

// makeImage gives the commit its one image: the one that the registry has, or a new one. Then comes the marker.
func makeImage(ctx context.Context, a *gha.Action, in inputs, c change.Change, environ []string, isAncestor image.IsAncestor) (result, error) {
	src, err := theSource(ctx, in, c)
	if err != nil {
		return result{}, err
	}
	fingerprint := theRecipe(in, src).fingerprint()
	found, err := look(ctx, a, in, c, src, fingerprint)
	if err != nil {
		return result{}, err
	}
	var made result
	if found.image.Digest != "" {
		made, err = reuse(ctx, a, in, c, found)
	} else {
		made, err = buildNew(ctx, a, in, c, src, fingerprint, found, environ)
	}
	if err != nil {
		return result{}, err
	}
	marked, err := image.Mark(ctx, made.reference, in.marker, c.Head, isAncestor)
	if err != nil && made.reused {
		// Nothing was asked about the registry's settings for an image that is there. One may be why its marker stays.
		_, settings := image.PreflightECR(ctx, in.repository, moving(in)...)
		err = errors.Join(err, settings)
	}
	if err != nil {
		return result{}, err
	}
	if made.newer = marked.By; made.newer == "" {
		made.Tags = append(made.Tags, in.marker)
	} else {
		a.Infof("the marker %q stays on %s, the image of commit %s, which is newer than %s", in.marker, marked.Digest, change.Short(marked.By), change.Short(c.Head))
	}
	made.Tags, made.src, made.fingerprint = forPeople(made.Tags), src, fingerprint
	return made, image.Verify(ctx, made.reference, made.Tags...)
}

// forPeople orders tags: the commit, the marker, and last the tree, which only machines look for.
func forPeople(tags []string) []string {
	rank := func(tag string) int {
		switch {
		case image.IsCommitTag(tag):
			return 0
		case image.IsTreeTag(tag):
			return 2
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(tags), func(a, b string) int { return rank(a) - rank(b) })
}

// buildNew builds, pushes once, and tags.
func buildNew(ctx context.Context, a *gha.Action, in inputs, c change.Change, src source, fingerprint string, found found, environ []string) (result, error) {
	// Asked before the build, because a wrong registry is to be known in seconds.
	if err := checkRegistry(ctx, a, in); err != nil {
		return result{}, err
	}
	scratch, err := os.MkdirTemp("", "promote-build-")
	if err != nil {
		return result{}, fmt.Errorf("making a folder for the image: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	req := in.request()
	req.Labels, req.Epoch = labels(in, c, a.Env(), fingerprint), src.time
	req.Out = filepath.Join(scratch, "image")
	// A builder gets what the workflow's author gave the job: not the inputs, which hold the token and the build secrets, nor what
	// the runner can do in this job's name.
	req.Env, _ = command.Inherit(environ, nil, "")
	// Builders read docker's configuration alone, which has no login to ECR.
	loggedIn, logout, err := image.DockerLogin(ctx, req.Env, ecrHosts(in)...)
	if err != nil {
		return result{}, err
	}
	defer func() {
		if err := logout(); err != nil {
			a.Warningf("removing the builder's logins: %v; delete the folder", err)
		}
	}()
	req.Env = loggedIn
	built, err := build(ctx, a, in, req, scratch)
	if err != nil {
		return result{}, err
	}
	bills, err := examine(ctx, a, in, built.Layout)
	if err != nil {
		return result{}, err
	}
	a.Infof("pushing %s to %s", built.Digest, in.repository)
	pushed, err := image.Push(ctx, built.Layout, in.repository, found.tags)
	var taken *image.TagTakenError
	if errors.As(err, &taken) && image.IsTreeTag(taken.Tag) {
		// Another commit with this tree was built meanwhile. One tree has one image, so this commit gets that one.
		again, err := look(ctx, a, in, c, src, fingerprint)
		if err != nil {
			return result{}, err
		}
		if again.image.Digest != "" {
			return reuse(ctx, a, in, c, again)
		}
		pushed, err = image.Push(ctx, built.Layout, in.repository, again.tags)
		if err != nil {
			return result{}, err
		}
	} else if err != nil {
		return result{}, err
	}
	return result{Pushed: pushed, reference: image.Reference(in.repository, pushed.Digest), builder: built.Builder, bills: bills}, nil
}

// build runs the builder with its output folded in the log, and the secrets in files that only this user can read.
func build(ctx context.Context, a *gha.Action, in inputs, req image.BuildRequest, scratch string) (image.Built, error) {
	req.Secrets = map[string]string{}
	i := 0
	for id, value := range in.secrets {
		i++
		path := filepath.Join(scratch, fmt.Sprintf("secret-%d", i)) // an id is not a safe name of a file
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			return image.Built{}, fmt.Errorf("handing build secret %q to the builder: %w", id, err)
		}
		req.Secrets[id] = path
	}
	end := a.Group("Build " + in.repository)
	defer end()
	log := a.Child()
	defer func() { _ = log.Close() }()
	return image.Build(ctx, req, log)
}
