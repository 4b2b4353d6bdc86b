package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Pushed says what the registry holds after a push.
type Pushed struct {
	Digest string
	Tags   []string // those that were asked for; each was read back and holds Digest
	Size   int64    // bytes of manifests, configs and compressed layers, all platforms
}

// Push uploads the image in an OCI layout once, by its digest, and then puts every tag on that digest and reads it back.
//
// A commit's or a tree's tag that holds another digest is a *[TagTakenError], found before anything is uploaded. A tag that holds this
// digest already is left alone, because registries with immutable tags refuse even that.
func Push(ctx context.Context, layout, repository string, tags []string) (Pushed, error) {
	image, err := open(layout)
	if err != nil {
		return Pushed{}, err
	}
	refs, err := tagsOf(repository, tags)
	if err != nil {
		return Pushed{}, err
	}
	repo, err := repositoryOf(repository)
	if err != nil {
		return Pushed{}, err
	}
	digest := repo.Digest(image.digest.String())
	if _, err := holders(ctx, refs, digest); err != nil {
		return Pushed{}, err
	}
	if err := upload(ctx, digest, image); err != nil {
		return Pushed{}, err
	}
	if err := put(ctx, refs, digest); err != nil {
		return Pushed{}, err
	}
	return Pushed{Digest: image.digest.String(), Tags: tags, Size: image.size}, nil
}

// upload sends what the registry lacks.
func upload(ctx context.Context, digest name.Digest, image content) error {
	err := interruptible(ctx, func() error { return remote.Push(digest, image.Taggable, options(ctx)...) })
	if err != nil {
		return fmt.Errorf("pushing %q: %w", digest.Name(), classify(ctx, digest.Context(), "", err))
	}
	return nil
}

// interruptible returns as soon as the context ends, even while the client library sleeps between two tries, because a
// cancelled run has only seconds left.
func interruptible(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
