package job

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/secrets"
)

// Prepare resolves the digest, reads the templates and connects; every problem is reported at once. environ is what the commands
// of tests may get of the runner's environment.
func Prepare(ctx context.Context, a *gha.Action, in Inputs, ch change.Change, environ []string) (release.Deps, release.Request, error) {
	digest, problem := in.digest(ctx, ch)
	problems := []error{problem}
	files, err := manifest.Load(in.Manifests)
	if err != nil {
		problems = append(problems, fmt.Errorf("reading the input `manifests`: %w", err))
	}
	values, err := manifest.ParseValues(in.Values, a.Env().Workspace)
	if err != nil {
		problems = append(problems, fmt.Errorf("reading the input `values`: %w", err))
	}
	resolver, err := secrets.NewAWS(ctx, in.AWSRegion)
	if err != nil {
		problems = append(problems, fmt.Errorf("reading the AWS configuration (input `aws-region`): %w", err))
	}
	cl, err := Connect(ctx, a, in)
	if err := errors.Join(append(problems, err)...); err != nil {
		return release.Deps{}, release.Request{}, err
	}
	req := release.Request{
		Service: in.Service, Environment: in.Environment, Namespace: in.Namespace, Image: image.Reference(in.Image, digest),
		Change: ch, Files: manifest.Within(a.Env().Workspace, files), Values: values, Run: a.Env().Run(), RunURL: a.Env().RunURL,
		Timeout: in.Timeout, Settle: in.Drain, Order: a.Env().Order(), Concurrency: in.Concurrency, MaxDeletions: in.MaxDeletions,
	}
	if in.TestCommand != "" {
		req.Test = &release.Test{
			Command: in.TestCommand, Dir: in.TestDirectory, Reset: in.ResetCommand, JUnit: in.TestJUnit, Env: in.TestEnv, Workspace: a.Env().Workspace,
		}
	}
	return release.Deps{Cluster: cl, Secrets: resolver, Log: a, Mask: a.Mask, Environ: environ}, req, nil
}

// digest is the one that was asked for, which must exist, or that of the change's image.
func (v *Inputs) digest(ctx context.Context, ch change.Change) (string, error) {
	if v.Digest != "" {
		if err := image.Exists(ctx, image.Reference(v.Image, v.Digest)); err != nil {
			return "", fmt.Errorf("looking for the image (inputs `image`, `digest`): %w", err)
		}
		return v.Digest, nil
	}
	digest, err := image.Resolve(ctx, v.Image, ch.Head)
	if err != nil {
		return "", fmt.Errorf("finding the image of commit %s (input `image`): %w; the build action makes it on the pull request", change.Short(ch.Head), err)
	}
	return digest, nil
}
