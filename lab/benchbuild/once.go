package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/org/promote/pkg/image"
)

// onceVerb makes this program one build with builder go, in a process of its own as the other contenders are.
const onceVerb = "once"

// epoch is the time in the images; any will do.
var epoch = time.Unix(1_700_000_000, 0)

// buildOnce builds FOLDER on BASE, pushes it to REPOSITORY with a tag that is read back, and prints the digest.
func buildOnce(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("reading arguments: want %s FOLDER BASE REPOSITORY", onceVerb)
	}
	dir, err := os.MkdirTemp("", "benchbuild-once-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built, err := image.Build(ctx, image.BuildRequest{
		Context: args[0], Builder: "go", Base: args[1], Platforms: []string{"linux/amd64"}, Epoch: epoch, Out: filepath.Join(dir, "image"),
	}, io.Discard)
	if err != nil {
		return err
	}
	pushed, err := image.Push(ctx, built.Layout, args[2], []string{"test"})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, pushed.Digest)
	return err
}
