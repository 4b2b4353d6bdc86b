package image

import (
	"fmt"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/org/promote/pkg/contents"
)

// Contents gives the image in an OCI layout as values that can be read: one for each platform. Layers are read from disk when
// they are opened.
func Contents(dir string) ([]contents.Image, error) {
	images, err := contentsOf(dir)
	if err != nil {
		return nil, fmt.Errorf("reading OCI layout %q: %w", dir, err)
	}
	return images, nil
}

func contentsOf(dir string) ([]contents.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	return imagesIn(index)
}

// statement is the platform under which BuildKit puts its attestations beside the images of an index. They have no files.
const statement = "unknown/unknown"

// imagesIn gives the images of all platforms, of nested indexes too.
func imagesIn(index v1.ImageIndex) ([]contents.Image, error) {
	children, err := partial.Manifests(index)
	if err != nil {
		return nil, err
	}
	var all []contents.Image
	for _, child := range children {
		switch child := child.(type) {
		case v1.ImageIndex:
			images, err := imagesIn(child)
			if err != nil {
				return nil, err
			}
			all = append(all, images...)
		case v1.Image:
			image, err := valuesOf(child)
			if err != nil {
				return nil, err
			}
			if image.Platform == statement {
				continue
			}
			all = append(all, image)
		}
	}
	return all, nil
}

// valuesOf turns one platform's image into values.
func valuesOf(img v1.Image) (contents.Image, error) {
	digest, err := img.Digest()
	if err != nil {
		return contents.Image{}, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return contents.Image{}, fmt.Errorf("reading the image's config: %w", err)
	}
	layers, err := img.Layers()
	if err != nil {
		return contents.Image{}, err
	}
	image := contents.Image{
		Digest: digest.String(), Created: config.Created.UTC(), Platform: platformOf(config),
		Config: contents.Config{
			Env: config.Config.Env, Entrypoint: config.Config.Entrypoint, Command: config.Config.Cmd, Labels: config.Config.Labels,
		},
	}
	if health := config.Config.Healthcheck; health != nil {
		image.Config.Healthcheck = health.Test
	}
	for _, h := range config.History {
		image.History = append(image.History, contents.Step{Text: h.CreatedBy, Empty: h.EmptyLayer})
	}
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return contents.Image{}, err
		}
		image.Layers = append(image.Layers, contents.Layer{
			Digest: digest.String(), Open: func() (io.ReadCloser, error) { return layer.Compressed() },
		})
	}
	contents.Attribute(image.History, image.Layers)
	return image, nil
}

// platformOf is os/architecture/variant, "" for an image that does not say.
func platformOf(config *v1.ConfigFile) string {
	if config.OS == "" {
		return ""
	}
	parts := []string{config.OS, config.Architecture}
	if config.Variant != "" {
		parts = append(parts, config.Variant)
	}
	return strings.Join(parts, "/")
}
