package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Resolve gives the digest a tag holds now; a *[NotFoundError] if the tag or the repository does not exist.
func Resolve(ctx context.Context, repository, tag string) (digest string, err error) {
	repo, err := repositoryOf(repository)
	if err != nil {
		return "", err
	}
	if err := CheckTag(tag); err != nil {
		return "", err
	}
	return resolve(ctx, repo.Tag(tag))
}

// resolve reads the manifest itself, not only its headers: the client computes the digest from the bytes that came, so a
// registry or a proxy cannot answer with a digest it does not have.
func resolve(ctx context.Context, ref name.Reference) (string, error) {
	got, err := remote.Get(ref, options(ctx)...)
	if err != nil {
		return "", classify(ctx, ref.Context(), ref.Identifier(), err)
	}
	return got.Digest.String(), nil
}

// Exists says with nil that the registry has the image "repository@sha256:…", and with a *[NotFoundError] that it has not.
func Exists(ctx context.Context, reference string) error {
	ref, err := referenceOf(reference)
	if err != nil {
		return err
	}
	_, err = resolve(ctx, ref)
	return err
}

// Info is what an image in a registry says about itself.
type Info struct {
	Digest string
	// Labels are those that the images of all platforms agree on.
	Labels map[string]string
	// Size is the number of bytes in the registry: manifests, configs and compressed layers of all platforms.
	Size int64
}

// Inspect reads manifests and configs, no layers, of "repository@sha256:…".
func Inspect(ctx context.Context, reference string) (Info, error) {
	ref, err := referenceOf(reference)
	if err != nil {
		return Info{}, err
	}
	got, err := remote.Get(ref, options(ctx)...)
	if err != nil {
		return Info{}, classify(ctx, ref.Context(), ref.Identifier(), err)
	}
	var info Info
	if got.MediaType.IsIndex() {
		var index v1.ImageIndex
		if index, err = got.ImageIndex(); err == nil {
			info, err = describeIndex(index)
		}
	} else {
		var img v1.Image
		if img, err = got.Image(); err == nil {
			info, err = describeImage(img)
		}
	}
	if err != nil {
		return Info{}, classify(ctx, ref.Context(), ref.Identifier(), err)
	}
	info.Digest = got.Digest.String()
	return info, nil
}

// describeImage gives labels and size of one platform's image.
func describeImage(img v1.Image) (Info, error) {
	manifest, err := img.Manifest()
	if err != nil {
		return Info{}, fmt.Errorf("reading the image's manifest: %w", err)
	}
	config, err := configOf(img)
	if err != nil {
		return Info{}, fmt.Errorf("reading the image's config: %w", err)
	}
	size, err := img.Size()
	if err != nil {
		return Info{}, fmt.Errorf("reading the image's manifest: %w", err)
	}
	size += manifest.Config.Size
	for _, layer := range manifest.Layers {
		size += layer.Size
	}
	return Info{Labels: config.Config.Labels, Size: size}, nil
}

// describeIndex gives the labels that all platforms share and the size of all.
func describeIndex(index v1.ImageIndex) (Info, error) {
	size, err := index.Size()
	if err != nil {
		return Info{}, fmt.Errorf("reading the image's index: %w", err)
	}
	children, err := partial.Manifests(index)
	if err != nil {
		return Info{}, fmt.Errorf("reading the image's index: %w", err)
	}
	all := Info{Size: size}
	for _, child := range children {
		img, ok := child.(v1.Image)
		if !ok {
			continue // not a platform's image: nothing that runs
		}
		one, err := describeImage(img)
		if err != nil {
			return Info{}, err
		}
		all.Size += one.Size
		all.Labels = shared(all.Labels, one.Labels)
	}
	return all, nil
}

// shared keeps what both maps say alike; nil stands for "nothing seen yet".
func shared(a, b map[string]string) map[string]string {
	both := map[string]string{}
	for key, value := range b {
		if kept, ok := a[key]; a == nil || (ok && kept == value) {
			both[key] = value
		}
	}
	return both
}
