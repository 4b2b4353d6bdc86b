package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// fakeDocker is `docker buildx`: it writes a real OCI layout with a layer made of the build context's files and the labels
// it is told, so that what goes in decides the digest. The Dockerfile's first line can give it an order.
func fakeDocker() { exitWith(buildx(os.Args[1:])) }

// fakeBuildctl is there so that a script can tell which builder was taken.
func fakeBuildctl() {
	fmt.Println("buildctl v0.0.0 (fake)")
	if !slices.Contains(os.Args, "--version") {
		exitWith(fmt.Errorf("error: buildctl was asked to build"))
	}
}

func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func buildx(args []string) error {
	if strings.Join(args, " ") == "buildx version" {
		fmt.Println("github.com/docker/buildx v0.0.0 (fake)")
		return nil
	}
	options := map[string][]string{}
	for _, arg := range args {
		if key, value, found := strings.Cut(arg, "="); found {
			options[key] = append(options[key], value)
		}
	}
	dockerfile, err := os.ReadFile(options["--file"][0])
	if err != nil {
		return err
	}
	fmt.Println("building")
	fmt.Println("args:", strings.Join(args, " "))
	fmt.Println("::warning::from a Dockerfile")
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "INPUT_") || strings.HasPrefix(name, "ACTIONS_") || name == "GITHUB_OUTPUT" || name == "GITHUB_ENV" {
			return fmt.Errorf("the builder sees %s", variable)
		}
	}
	for _, secret := range options["--secret"] {
		pairs, err := csv.NewReader(strings.NewReader(secret)).Read()
		if err != nil {
			return err
		}
		value, err := os.ReadFile(strings.TrimPrefix(pairs[1], "src="))
		if err != nil {
			return err
		}
		fmt.Printf("%s has %d characters and is %s\n", pairs[0], len(value), value)
	}
	switch order, _, _ := strings.Cut(string(dockerfile), "\n"); order {
	case "# fail":
		fmt.Println("------\n > [1/1] RUN false:\n0.1 it is broken\n------\nERROR: failed to build: failed to solve: exit code: 1")
		os.Exit(1)
	case "# driver":
		return fmt.Errorf("ERROR: failed to build: OCI exporter is not supported for the docker driver")
	case "# hang":
		interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		if err := os.WriteFile(filepath.Join(os.Getenv("GITHUB_WORKSPACE"), "..", "pid"), fmt.Append(nil, os.Getppid(), "\n"), 0o600); err != nil {
			return err
		}
		<-interrupted.Done()
		return fmt.Errorf("interrupted")
	case "# random":
		options["--label"] = append(options["--label"], fmt.Sprintf("pid=%d", os.Getpid()))
	}
	img, err := imageOf(args[len(args)-1], options["--label"], append(options["--build-arg"], options["--target"]...))
	if err != nil {
		return err
	}
	output, err := csv.NewReader(strings.NewReader(options["--output"][0])).Read()
	if err != nil {
		return err
	}
	path, err := layout.Write(strings.TrimPrefix(output[1], "dest="), empty.Index)
	if err != nil {
		return err
	}
	return path.AppendImage(img)
}

func imageOf(dir string, labelled, args []string) (v1.Image, error) {
	text := strings.Join(args, "\n")
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(path, "/.git/") {
			return err
		}
		data, err := os.ReadFile(path)
		text += path + string(data)
		return err
	})
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for _, label := range labelled {
		key, value, _ := strings.Cut(label, "=")
		labels[key] = value
	}
	var layer bytes.Buffer
	files := tar.NewWriter(&layer)
	if err := files.WriteHeader(&tar.Header{Name: "app", Mode: 0o644, Size: int64(len(text))}); err != nil {
		return nil, err
	}
	if _, err := files.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer.Bytes(), types.OCIUncompressedLayer))
	if err != nil {
		return nil, err
	}
	return mutate.Config(img, v1.Config{Labels: labels})
}
