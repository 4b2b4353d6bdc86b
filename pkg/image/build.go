package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// BuildRequest says what to build and how. Everything in it but Secrets may appear in logs.
type BuildRequest struct {
	// Context is the folder that is sent to the builder; for a Go main package, the package's folder.
	Context string
	// Dockerfile is a path, relative to Context if it is not absolute; empty means "Dockerfile".
	Dockerfile string
	// Builder is one of [Builders], or "auto" or empty for the first that works on this machine: see [BuildRequest.Material].
	Builder string
	// Args are build arguments. They end up in the image's history: nothing secret belongs here.
	Args map[string]string
	// Secrets maps the ids that the Dockerfile mounts to paths of files that hold the values.
	Secrets map[string]string
	// Target is the stage to build; empty means the last.
	Target string
	// Platforms such as linux/arm64; none means the builder's own. More than one makes an index.
	Platforms []string
	// Base is the image below the layer of builders go and files, "registry.example/base:tag" or "…@sha256:…"; empty means
	// scratch, an image with nothing in it.
	Base string
	// Entrypoint is what the container runs, one argument each, for builders go and files; none means the Go program, or what
	// the base has.
	Entrypoint []string
	// Files go into the layer of builders go and files: "source:destination" with an absolute destination, or a folder whose
	// contents become the image's root. Sources are relative to Context.
	Files []string
	// Cache is "repository:tag" in a registry, where builders for a Dockerfile keep what they built; empty means nowhere.
	Cache string
	// Labels are key=value.
	Labels []string
	// Epoch is the time stamp of everything in the image. It is the commit's time, so that a commit gives one digest.
	Epoch time.Time
	// Out is the folder that gets the OCI layout; it is made, and must be empty if it exists.
	Out string
	// Env is the builder's environment as "key=value"; nil means this process's own.
	Env []string
}

// Built is the result of a build.
type Built struct {
	Layout  string // folder of the OCI layout: the request's Out
	Digest  string // of the image, or of the index when several platforms were built
	Builder string // the one that was used
	Size    int64  // bytes of manifests, configs and compressed layers, all platforms
}

// Build builds an image into an OCI layout. What the builder prints goes to log as it comes, with the values of build
// secrets cut out; log may get text that was chosen by the Dockerfile's author.
//
// What is wrong with the request is reported at once and before a builder starts. A build that fails is a *[BuildError].
func Build(ctx context.Context, req BuildRequest, log io.Writer) (Built, error) {
	req, err := req.checked()
	if err != nil {
		return Built{}, err
	}
	secrets, err := readSecrets(req.Secrets)
	if err != nil {
		return Built{}, err
	}
	with, err := choose(ctx, req, log)
	if err != nil {
		return Built{}, err
	}
	if err := os.MkdirAll(req.Out, 0o755); err != nil {
		return Built{}, fmt.Errorf("making the folder for the image: %w", err)
	}
	out := newTail(log, secrets)
	err = with.build(ctx, with.tool, req, out)
	out.flush()
	var ended *commandError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return Built{}, fmt.Errorf("building %q: %w", req.Context, context.Cause(ctx))
	case errors.As(err, &ended):
		return Built{}, &BuildError{Builder: with.name, Failure: out.failure(), Err: err}
	default:
		return Built{}, fmt.Errorf("building with %q: %w", with.name, err)
	}
	image, err := open(req.Out)
	if err != nil {
		return Built{}, fmt.Errorf("taking the image from builder %q: %w", with.name, err)
	}
	return Built{Layout: req.Out, Digest: image.digest.String(), Builder: with.name, Size: image.size}, nil
}
