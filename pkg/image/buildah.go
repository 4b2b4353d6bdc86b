package image

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// buildah builds a Dockerfile without a daemon and without root. It writes into its own store and then copies the image from
// there to the OCI layout; pushing stays ours.
type buildah struct{}

func (buildah) find(ctx context.Context, env []string) (tool, error) {
	found, err := locate(ctx, [][]string{{"buildah"}}, "--version", env)
	if err != nil {
		return tool{}, fmt.Errorf("%w; it needs buildah", err)
	}
	return found, nil
}

// tidyTime bounds the removal of the image from buildah's store, which is done even when the build was cancelled.
const tidyTime = 2 * time.Second

func (buildah) build(ctx context.Context, with tool, req BuildRequest, log io.Writer) error {
	image := "localhost/promote-build:" + strings.ToLower(rand.Text()) // two builds may share one store
	command := func(args ...string) []string { return append(slices.Clone(with.command), args...) }
	several := len(req.Platforms) > 1
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
		defer cancel()
		// The store is a cache of buildah's own: what stays in it does no harm.
		remove := command("rmi", image)
		if several {
			remove = command("manifest", "rm", image)
		}
		_ = execute(tidy, remove, req.Env, io.Discard)
	}()
	if err := execute(ctx, command(buildahArgs(req, image)...), req.Env, log); err != nil {
		return err
	}
	out := command("push", image, "oci:"+req.Out)
	if several {
		out = command("manifest", "push", "--all", image, "oci:"+req.Out)
	}
	return execute(ctx, out, withoutLogin(req.Env), log)
}

// withoutLogin is the environment for a push to a folder, which needs no login: buildah refuses one if DOCKER_CONFIG names a
// folder without a login.
func withoutLogin(env []string) []string {
	all := (&exec.Cmd{Env: env}).Environ() // an exec.Cmd without an environment has this process's own
	return slices.DeleteFunc(all, func(entry string) bool { return strings.HasPrefix(entry, "DOCKER_CONFIG=") })
}

// buildahArgs are the arguments after "buildah" that build the request into buildah's store. Without root there is no
// container runtime, hence chroot. Times are the commit's, and buildah's own version stays out of the labels.
func buildahArgs(r BuildRequest, image string) []string {
	args := []string{
		"build", "--format=oci", "--isolation=chroot", "--identity-label=false",
		"--timestamp=" + strconv.FormatInt(r.Epoch.Unix(), 10),
		"--file=" + r.Dockerfile,
	}
	if len(r.Platforms) > 1 {
		args = append(args, "--manifest="+image)
	} else {
		args = append(args, "--tag="+image)
	}
	if r.Cache == "" {
		args = append(args, "--layers=false")
	} else {
		// buildah makes the tags by itself, one for each step.
		repository, _ := cutTag(r.Cache)
		args = append(args, "--layers", "--cache-from="+repository, "--cache-to="+repository)
		if parsed, err := name.NewRepository(repository); err == nil && parsed.Scheme() == "http" {
			args = append(args, "--tls-verify=false")
		}
	}
	for _, arg := range buildArgs(r) {
		args = append(args, "--build-arg="+arg)
	}
	for _, label := range r.Labels {
		args = append(args, "--label="+label)
	}
	for _, id := range slices.Sorted(maps.Keys(r.Secrets)) {
		args = append(args, "--secret="+fields("id="+id, "src="+r.Secrets[id]))
	}
	if r.Target != "" {
		args = append(args, "--target="+r.Target)
	}
	if len(r.Platforms) > 0 {
		args = append(args, "--platform="+strings.Join(r.Platforms, ","))
	}
	return append(args, r.Context)
}
