// Package testimage puts one small image into the lab's registry: an HTTP server that misbehaves as its flags say. Tests of
// what happens to pods need pods that fail in a certain way, and no image from elsewhere is at hand.
//
// It builds with the Go toolchain and pushes with go-containerregistry; it refuses nothing and keeps no state.
//
//	image, err := testimage.Push(ctx, w.Registry) // 127.0.0.1:5000/promote-test/server@sha256:…
package testimage

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Repository is where the image lies in the registry.
const Repository = "promote-test/server"

// source is the server's package.
const source = "github.com/org/promote/lab/testimage/server"

// Push builds the server and pushes it; the result is repository@digest. The current directory must be in the lab's module.
func Push(ctx context.Context, registry string) (string, error) {
	dir, err := os.MkdirTemp("", "testimage")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "server")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", source, err, out)
	}
	image, err := pack(binary)
	if err != nil {
		return "", fmt.Errorf("packing %s: %w", source, err)
	}
	repository, err := name.NewRepository(registry+"/"+Repository, name.Insecure)
	if err != nil {
		return "", err
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	at := repository.Digest(digest.String())
	if err := remote.Write(at, image, remote.WithContext(ctx)); err != nil {
		return "", fmt.Errorf("pushing %q: %w", at, err)
	}
	return at.String(), nil
}

// pack makes an image with one file, the same bytes each time.
func pack(binary string) (v1.Image, error) {
	data, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: "server", Mode: 0o755, Size: int64(len(data)), ModTime: time.Unix(0, 0)}); err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = []string{"/server"}
	return mutate.ConfigFile(image, config)
}
