package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/org/promote/pkg/regular"
)

// programFolder is where an image has the Go program.
const programFolder = "app"

// goBuilder makes an image of a Go main package without a Dockerfile: it is cross-compiled here and becomes one layer.
type goBuilder struct{}

func (goBuilder) find(ctx context.Context, env []string) (tool, error) {
	found, err := locate(ctx, [][]string{{"go"}}, "version", env)
	if err != nil {
		return tool{}, fmt.Errorf("%w; it needs Go (actions/setup-go sets it up)", err)
	}
	return found, nil
}

func (goBuilder) build(ctx context.Context, with tool, req BuildRequest, log io.Writer) error {
	name, err := programName(req.Context)
	if err != nil {
		return err
	}
	extra, err := req.placed()
	if err != nil {
		return err
	}
	inImage := path.Join(programFolder, name)
	entrypoint := req.Entrypoint
	if entrypoint == nil {
		entrypoint = []string{"/" + inImage}
	}
	compiled, err := os.MkdirTemp("", "promote-go-")
	if err != nil {
		return fmt.Errorf("making a folder for the program: %w", err)
	}
	defer func() { _ = os.RemoveAll(compiled) }()
	return assemble(ctx, req, log, func(want v1.Platform) (part, error) {
		out := filepath.Join(compiled, strings.ReplaceAll(want.String(), "/", "-"))
		if err := compile(ctx, with, req, want, out, log); err != nil {
			return part{}, err
		}
		program := placement{name: inImage, source: out, mode: modeRun}
		return part{placed: append([]placement{program}, extra...), entrypoint: entrypoint}, nil
	})
}

// compile builds the program for one platform. The same source gives the same bytes in every folder and on every machine
// with the same Go: no cgo, no paths, no version control, no flags of the machine's own.
//
// It is `go run` with a program that copies instead of running, because Go keeps what `go run` links in its cache (since
// 1.24), and not what `go build` links: an unchanged program costs a third.
func compile(ctx context.Context, with tool, req BuildRequest, want v1.Platform, out string, log io.Writer) error {
	fmt.Fprintf(log, "compiling %s for %s\n", req.Context, want.String())
	args := []string{"run", "-C", req.Context, "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-exec=cp", ".", out}
	// An exec.Cmd without an environment has this process's own.
	// The machine's own settings come last: they stand where there are any.
	own := (&exec.Cmd{Env: req.Env}).Environ()
	environ := slices.Concat(unhurried, own, goEnviron(want))
	if err := execute(ctx, append(with.command, args...), environ, log); err != nil {
		return err
	}
	return os.Chmod(out, modeRun)
}

// unhurried lets the compiler and the linker, which live for less than a second, collect no garbage before they have a GiB of
// it: that takes a tenth off the time of a build.
var unhurried = []string{"GOGC=off", "GOMEMLIMIT=1GiB"}

// goEnviron says what is compiled for, and takes back what the machine's own settings would change in the program. GOFLAGS
// is set to a flag that is given anyway, since an empty one would mean that of the machine's `go env` file.
func goEnviron(want v1.Platform) []string {
	level := map[string]string{"amd64": "GOAMD64=v1", "arm": "GOARM=7", "arm64": "GOARM64=v8.0"}[want.Architecture]
	switch variant := want.Variant; {
	case variant == "":
	case want.Architecture == "amd64":
		level = "GOAMD64=" + variant
	case want.Architecture == "arm":
		level = "GOARM=" + strings.TrimPrefix(variant, "v")
	}
	environ := []string{"CGO_ENABLED=0", "GOOS=" + want.OS, "GOARCH=" + want.Architecture, "GOFLAGS=-trimpath", "GOEXPERIMENT="}
	if level != "" {
		environ = append(environ, level)
	}
	return environ
}

// programName is the name that Go gives the program of the main package in a folder: the last part of its import path that
// is not a version. It comes from go.mod and not from the folder's own name, which is the runner's affair.
func programName(dir string) (string, error) {
	if !isGoMain(dir) {
		return "", fmt.Errorf("opening Go package %q: it is not a main package", dir)
	}
	for root := dir; ; root = filepath.Dir(root) {
		data, err := regular.Read(filepath.Join(root, "go.mod"), 4<<20)
		if errors.Is(err, os.ErrNotExist) {
			if filepath.Dir(root) == root {
				return "", fmt.Errorf("opening Go package %q: there is no go.mod in it or above it", dir)
			}
			continue
		}
		if err != nil {
			return "", fmt.Errorf("opening Go package %q: %w", dir, err)
		}
		below, err := filepath.Rel(root, dir)
		if err != nil {
			return "", fmt.Errorf("opening Go package %q: %w", dir, err)
		}
		full := path.Join(modfile.ModulePath(data), filepath.ToSlash(below))
		if prefix, _, ok := module.SplitPathVersion(full); ok && prefix != "" {
			full = prefix
		}
		if name := path.Base(full); name != "." && name != "/" {
			return name, nil
		}
		return "", fmt.Errorf("opening Go package %q: its go.mod names no module", dir)
	}
}
