package image

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1"
)

// maxConfig is the most bytes that an image's config may have, which is read into the memory whole; real ones have a few thousand.
const maxConfig = 16 << 20

// configOf reads an image's config, if it is not too large.
func configOf(img v1.Image) (*v1.ConfigFile, error) {
	manifest, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	if n := manifest.Config.Size; n > maxConfig {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", n, maxConfig)
	}
	return img.ConfigFile()
}
