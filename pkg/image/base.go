package image

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// base is what the layer of builders go and files stands on.
type base struct {
	name, digest string // "" for scratch
	found        *remote.Descriptor
}

// findBase asks for the base once, so that all platforms of an image stand on the same one, and says which it is.
func findBase(ctx context.Context, reference string, log io.Writer) (base, error) {
	if reference == "" {
		fmt.Fprintln(log, "base scratch: an image with nothing in it, no shell and no CA certificates")
		return base{}, nil
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		return base{}, fmt.Errorf("parsing base image %q: %s", reference, badName(err))
	}
	found, err := remote.Get(ref, options(ctx)...)
	if err != nil {
		return base{}, fmt.Errorf("reading base image %q: %w", reference, classify(ctx, ref.Context(), ref.Identifier(), err))
	}
	fmt.Fprintf(log, "base %s is %s\n", reference, found.Digest)
	return base{name: reference, digest: found.Digest.String(), found: found}, nil
}

// of gives the base for one platform.
func (b base) of(ctx context.Context, want v1.Platform) (v1.Image, error) {
	if b.found == nil {
		img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
		return mutate.ConfigMediaType(img, types.OCIConfigJSON), nil
	}
	img, err := b.image(want)
	if err != nil {
		var repository name.Repository
		if ref, parsing := name.ParseReference(b.name); parsing == nil {
			repository = ref.Context()
		}
		return nil, fmt.Errorf("reading base image %q for %s: %w", b.name, want.String(), classify(ctx, repository, b.digest, err))
	}
	config, err := configOf(img)
	if err != nil {
		return nil, fmt.Errorf("reading the config of base image %q: %w", b.name, said(err))
	}
	if have := config.Platform(); have == nil || !have.Satisfies(v1.Platform{OS: want.OS, Architecture: want.Architecture}) {
		return nil, fmt.Errorf("reading base image %q: it is for %s and not for %s; choose a base that has the platform", b.name, have, want.String())
	}
	return img, nil
}

func (b base) image(want v1.Platform) (v1.Image, error) {
	if !b.found.MediaType.IsIndex() {
		return b.found.Image()
	}
	index, err := b.found.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, child := range manifest.Manifests {
		if child.Platform != nil && child.Platform.Satisfies(want) {
			return index.Image(child.Digest)
		}
	}
	return nil, errors.New("it has no image for this platform")
}
