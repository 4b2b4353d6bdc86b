package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// seedRecipe is part of the cached images' key: raise it when the way they are made changes.
const seedRecipe = "1"

// seedPause puts the lab's own image into the registry; no pod starts without it.
func (l *Lab) seedPause(ctx context.Context) error {
	target, err := filepath.EvalSymlinks(l.bin("pause"))
	if err != nil {
		return err
	}
	key := "pause-" + filepath.Base(filepath.Dir(target))
	return l.seed(ctx, key, []string{pauseImage()}, func() (v1.Image, error) { return pauseFrom(target) })
}

// seedGo puts the base image of the example's build into the registry, where the builder looks for docker.io's.
func (l *Lab) seedGo(ctx context.Context) error {
	goroot, version, err := l.goVersion(ctx)
	if err != nil {
		return err
	}
	minor := strings.Join(strings.SplitN(version, ".", 3)[:2], ".")
	repository := registry() + "/library/golang:"
	tags := []string{repository + minor, repository + version, repository + "latest"}
	return l.seed(ctx, "golang-"+version, tags, func() (v1.Image, error) { return golangFrom(goroot, version) })
}

// goVersion asks the Go command where it is installed and which one it is.
func (l *Lab) goVersion(ctx context.Context) (root, version string, err error) {
	program, err := l.goProgram(ctx)
	if err != nil {
		return "", "", err
	}
	cmd := exec.CommandContext(ctx, program, "env", "GOROOT", "GOVERSION")
	cmd.Dir = l.source
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("asking Go for its version: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 2 || !strings.HasPrefix(fields[1], "go1.") {
		return "", "", fmt.Errorf("asking Go for its version: it says %q", out)
	}
	return fields[0], strings.TrimPrefix(fields[1], "go"), nil
}

// seed tags an image in the registry, and makes it first when the cache does not have it.
func (l *Lab) seed(ctx context.Context, key string, tags []string, make func() (v1.Image, error)) error {
	image, err := l.cachedImage(key+"-"+seedRecipe, make)
	if err != nil {
		return fmt.Errorf("making image %q: %w", key, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	for _, tag := range tags {
		ref, err := name.NewTag(tag)
		if err != nil {
			return err
		}
		if head, err := remote.Head(ref, remote.WithContext(ctx)); err == nil && head.Digest == digest {
			continue
		} else if err != nil && !notFound(err) {
			return fmt.Errorf("looking for %s: %w", tag, err)
		}
		if err := remote.Write(ref, image, remote.WithContext(ctx)); err != nil {
			return fmt.Errorf("pushing %s: %w", tag, err)
		}
	}
	return nil
}

func notFound(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}

// cachedImage is the image from the cache, as an OCI layout.
func (l *Lab) cachedImage(key string, make func() (v1.Image, error)) (v1.Image, error) {
	dir := filepath.Join(l.cache, "images", key)
	if !exists(dir) {
		done := l.begin("image "+key, "making once, then cached")
		image, err := make()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return nil, err
		}
		part := fmt.Sprintf("%s.%d", dir, os.Getpid())
		defer func() { _ = os.RemoveAll(part) }()
		if _, err := layout.Write(part, mutate.AppendManifests(emptyIndex, mutate.IndexAddendum{Add: image})); err != nil {
			return nil, err
		}
		if err := os.Rename(part, dir); err != nil && !exists(dir) {
			return nil, err
		}
		done()
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("reading %q: it holds %d images, not one: remove it", dir, len(manifest.Manifests))
	}
	return index.Image(manifest.Manifests[0].Digest)
}
