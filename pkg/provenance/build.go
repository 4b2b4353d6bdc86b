package provenance

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	// PredicateType is how attestations name SLSA provenance; cosign calls it slsaprovenance1.
	PredicateType = "https://slsa.dev/provenance/v1"
	// BuildType is explained in the package's doc. A change that makes old readers wrong raises its version.
	BuildType = "https://github.com/org/promote/actions/build/provenance/v1"
)

// Build is what is to be said of a build.
type Build struct {
	// Repository is its URL without ".git", for instance https://github.com/team/checkout.
	Repository string
	// Commit is the full SHA of the source, Ref the branch or tag that it was built for, "" if there is none.
	Commit, Ref string

	// Context and Dockerfile are paths in the repository; Target is a stage's name.
	Context, Dockerfile, Target string
	Platforms                   []string
	// Arguments and Secrets are names, never values.
	Arguments, Secrets []string

	// Builder made the image: buildx, buildctl, buildah, go or files.
	Builder string
	// Epoch is the time of all time stamps in the image.
	Epoch time.Time
	// Recipe is the fingerprint of everything that decides what the image is; "" if there is none.
	Recipe string
	// Bases are the base images that the build resolved, as far as they are known.
	Bases []Base

	// Server is GitHub's URL, Workflow the workflow's file at its ref: GITHUB_WORKFLOW_REF, for instance
	// team/checkout/.github/workflows/promote.yml@refs/heads/main.
	Server, Workflow string
	// WorkflowCommit is GITHUB_WORKFLOW_SHA: the commit that the workflow's file is of. "" if it is not known.
	WorkflowCommit string
	// Runner is RUNNER_ENVIRONMENT: github-hosted or self-hosted.
	Runner string
	// Version of promote.
	Version string
	// RunURL is the page of this attempt of the run.
	RunURL            string
	Started, Finished time.Time
}

// Base is an image that another was built on.
type Base struct {
	// Repository with its registry, without tag or digest.
	Repository string
	// Digest is sha256:…
	Digest string
}

var (
	commitName = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	digestName = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	// plainName is how arguments and secrets are called. An equals sign would mean that a value came along.
	plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

// check reports everything that is missing or cannot be.
func (b Build) check() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for what, text := range map[string]string{"repository": b.Repository, "run": b.RunURL, "server": b.Server} {
		u, err := url.Parse(text)
		switch {
		case err != nil: // the error quotes the URL, and with it a password
			add("reading the %s of the build: it is no URL", what)
		case u.Scheme == "" || u.Host == "":
			add("reading the %s %q of the build: it is no URL with a host", what, u.Redacted())
		case u.User != nil:
			add("reading the %s %q of the build: it holds a login, which everybody could read", what, u.Redacted())
		}
	}
	if !commitName.MatchString(b.Commit) {
		add("reading commit %q of the build: it is not a full SHA", b.Commit)
	}
	if b.WorkflowCommit != "" && !commitName.MatchString(b.WorkflowCommit) {
		add("reading the workflow's commit %q: it is not a full SHA", b.WorkflowCommit)
	}
	for what, text := range map[string]string{"workflow": b.Workflow, "builder": b.Builder, "version of promote": b.Version} {
		if strings.TrimSpace(text) == "" {
			add("reading the build: it does not say its %s", what)
		}
	}
	for what, names := range map[string][]string{"build argument": b.Arguments, "build secret": b.Secrets} {
		for i, name := range names {
			if !plainName.MatchString(name) {
				add("reading the name of %s %d: it is not letters, digits, dots, dashes and underscores", what, i+1) // it may hold a value
			}
		}
	}
	for _, base := range b.Bases {
		if base.Repository == "" || !digestName.MatchString(base.Digest) {
			add("reading base image %q: it is not a repository with a digest", base.Repository+"@"+base.Digest)
		}
	}
	switch {
	case b.Epoch.IsZero() || b.Started.IsZero() || b.Finished.IsZero():
		add("reading the build's times: the epoch, the start or the end is not set")
	case b.Finished.Before(b.Started):
		add("reading the build's times: it ended at %s, before it began at %s", b.Finished.Format(time.RFC3339), b.Started.Format(time.RFC3339))
	}
	return errors.Join(problems...)
}
