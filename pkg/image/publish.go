package image

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
)

// Publish makes an image of one program for Linux, alone on nothing, and pushes it to the repository by its digest. The same
// program gives the same digest, so what the registry has already is not sent again. It gives repository@digest. The program
// must need no library: an image of nothing has none.
func Publish(ctx context.Context, repository, program, architecture string) (reference string, err error) {
	if err := alone(program); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "promote-image-")
	if err != nil {
		return "", fmt.Errorf("making a folder for the image: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	req := BuildRequest{Out: folder, Platforms: []string{"linux/" + architecture}, Epoch: time.Unix(0, 0), Context: filepath.Base(program)}
	name := filepath.Base(program)
	err = assemble(ctx, req, io.Discard, func(v1.Platform) (part, error) {
		return part{placed: []placement{{name: name, source: program, mode: modeRun}}, entrypoint: []string{"/" + name}}, nil
	})
	if err != nil {
		return "", err
	}
	made, err := open(folder)
	if err != nil {
		return "", err
	}
	repo, err := repositoryOf(repository)
	if err != nil {
		return "", err
	}
	if err := upload(ctx, repo.Digest(made.digest.String()), made); err != nil {
		return "", err
	}
	return Reference(repository, made.digest.String()), nil
}

// alone makes sure that a program runs where there is nothing else.
func alone(program string) error {
	file, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("reading the program %q, which must be one for Linux: %w", program, err)
	}
	defer func() { _ = file.Close() }()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("the program %q needs libraries: %w", program, errLinked)
		}
	}
	return nil
}

var errLinked = errors.New("build it with CGO_ENABLED=0")
