package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// nobody is the user that an image without a base runs as: a number, because the kubelet can prove that a number is not
// root. An image on a base keeps the base's user.
const nobody = "65532:65532"

// part is what one platform's image is made of besides its base.
type part struct {
	placed     []placement
	entrypoint []string // nil leaves the base's
}

// assemble writes an OCI layout with one layer on the request's base, for every platform it names. of gives the layer's
// contents for a platform.
func assemble(ctx context.Context, req BuildRequest, log io.Writer, of func(v1.Platform) (part, error)) error {
	below, err := findBase(ctx, req.Base, log)
	if err != nil {
		return err
	}
	blobs := blobsOf(req.Out)
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return fmt.Errorf("making the folder for the image: %w", err)
	}
	path, err := layout.Write(req.Out, empty.Index)
	if err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	var images []mutate.IndexAddendum
	for _, want := range platformsOf(req) {
		p, err := of(want)
		if err != nil {
			return err
		}
		img, err := req.imageOf(ctx, below, want, p)
		if err != nil {
			return err
		}
		images = append(images, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &want}})
	}
	if len(images) == 1 {
		err = path.AppendImage(images[0].Add.(v1.Image))
	} else {
		index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
		err = path.AppendIndex(mutate.AppendManifests(index, images...))
	}
	if err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	return nil
}

// imageOf puts one layer on the base of one platform.
func (r BuildRequest) imageOf(ctx context.Context, below base, want v1.Platform, p part) (v1.Image, error) {
	img, err := below.of(ctx, want)
	if err != nil {
		return nil, err
	}
	mediaType := types.OCILayer
	if kind, err := img.MediaType(); err == nil && kind == types.DockerManifestSchema2 {
		mediaType = types.DockerLayer
	}
	blobs := blobsOf(r.Out)
	top, err := writeLayer(ctx, blobs, p.placed, r.Epoch, mediaType)
	if err != nil {
		return nil, err
	}
	// Under its digest it is part of the layout already.
	named := filepath.Join(blobs, top.digest.Hex)
	if err := errors.Join(os.Chmod(top.file, modePlain), os.Rename(top.file, named)); err != nil {
		return nil, fmt.Errorf("writing a layer: %w", err)
	}
	top.file = named
	old, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the config of base image %q: %w", r.Base, err)
	}
	made := v1.History{Created: v1.Time{Time: r.Epoch.UTC()}, CreatedBy: "promote: one layer of " + r.layerOf(), Comment: "dev.promote"}
	img, err = mutate.Append(img, mutate.Addendum{Layer: top, History: made, MediaType: mediaType})
	if err != nil {
		return nil, fmt.Errorf("adding the layer: %w", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("adding the layer: %w", err)
	}
	img, err = mutate.ConfigFile(img, r.configure(config.DeepCopy(), old, want, p))
	if err != nil {
		return nil, fmt.Errorf("writing the image's config: %w", err)
	}
	if r.Base == "" {
		return img, nil
	}
	return mutate.Annotations(img, map[string]string{
		"org.opencontainers.image.base.name": r.Base, "org.opencontainers.image.base.digest": below.digest,
	}).(v1.Image), nil
}

// configure writes what the request says into the image's config.
func (r BuildRequest) configure(config, old *v1.ConfigFile, want v1.Platform, p part) *v1.ConfigFile {
	config.Created = v1.Time{Time: r.Epoch.UTC().Truncate(time.Second)}
	config.OS, config.Architecture, config.Variant = want.OS, want.Architecture, want.Variant
	if config.Variant == "" {
		config.Variant = old.Variant
	}
	if r.Base == "" {
		config.Config.User = nobody
	}
	if p.entrypoint != nil {
		config.Config.Entrypoint = p.entrypoint
		config.Config.Cmd = nil // the base's are arguments for the base's own program
	}
	labels := map[string]string{}
	for key, value := range old.Config.Labels {
		labels[key] = value
	}
	for _, label := range r.Labels {
		key, value, _ := strings.Cut(label, "=")
		labels[key] = value
	}
	config.Config.Labels = labels
	return config
}

// layerOf says what the layer holds, for the image's history.
func (r BuildRequest) layerOf() string {
	of, _ := r.Material()
	return of.String()
}

// platformsOf are the request's platforms, or this machine's with Linux as the system.
func platformsOf(r BuildRequest) []v1.Platform {
	if len(r.Platforms) == 0 {
		return []v1.Platform{{OS: "linux", Architecture: runtime.GOARCH}}
	}
	var all []v1.Platform
	for _, text := range r.Platforms {
		parts := append(strings.SplitN(text, "/", 3), "")
		p := v1.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
		if !slices.ContainsFunc(all, func(other v1.Platform) bool { return other.Equals(p) }) {
			all = append(all, p)
		}
	}
	return all
}
