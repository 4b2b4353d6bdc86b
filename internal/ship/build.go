package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// program is one that was built and packed.
type program struct {
	// name is <action>_<os>_<arch>; its file has .gz behind it.
	name string
	// plain and packed are SHA-256, in hex.
	plain, packed string
}

func checkPlatforms(chosen []string) error {
	var errs []error
	for _, p := range chosen {
		if !slices.Contains(platforms, p) {
			errs = append(errs, fmt.Errorf("reading -platforms: there is no %q; there are %s", p, strings.Join(platforms, ", ")))
		}
	}
	return errors.Join(errs...)
}

// commitTime is that of the commit that is checked out. What a release holds has no other time in it.
func commitTime(ctx context.Context) (time.Time, error) {
	out, err := git(ctx, "log", "-1", "--format=%ct")
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("asking git for the time of the commit: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// pack builds all programs and packs each.
func (r release) pack(ctx context.Context, platforms []string, out io.Writer) ([]program, error) {
	place, err := os.MkdirTemp("", "ship")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(place) }()
	var all []program
	for _, action := range actions {
		for _, platform := range platforms {
			began := time.Now()
			path := filepath.Join(place, action)
			if err := build(ctx, ".", action, platform, path); err != nil {
				return nil, err
			}
			p, size, err := pack(path, action+"_"+platform, r.to)
			if err != nil {
				return nil, err
			}
			all = append(all, p)
			fmt.Fprintf(out, "%-24s %5.1f MB, packed %5.1f MB, %s\n", p.name, float64(size[0])/1e6, float64(size[1])/1e6, time.Since(began).Round(time.Second))
		}
	}
	return all, nil
}

// build builds a program from the tree in dir, as install.sh does. What the machine's own settings for Go say is not heard, nor
// where the tree lies and what git knows of it: the same source gives the same bytes.
func build(ctx context.Context, dir, action, platform, to string) error {
	system, machine, _ := strings.Cut(platform, "_")
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", to, "./actions/"+action)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+machine, "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GO111MODULE=")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s for %s: %w\n%s", action, platform, err, said)
	}
	return nil
}

// pack puts a program into a folder under its name, and gives both sizes.
func pack(path, name, dir string) (p program, size [2]int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return program{}, size, err
	}
	var packed bytes.Buffer
	// Without a name and a time in its head, which would differ.
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return program{}, size, err
	}
	_, errWrite := w.Write(data)
	if err := errors.Join(errWrite, w.Close()); err != nil {
		return program{}, size, fmt.Errorf("packing %s: %w", name, err)
	}
	p = program{name: name, plain: fmt.Sprintf("%x", sha256.Sum256(data)), packed: fmt.Sprintf("%x", sha256.Sum256(packed.Bytes()))}
	return p, [2]int{len(data), packed.Len()}, os.WriteFile(filepath.Join(dir, name+".gz"), packed.Bytes(), 0o644)
}
