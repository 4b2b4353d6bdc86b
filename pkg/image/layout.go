package image

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// content is the one image, or index of images, that an OCI layout on disk holds.
type content struct {
	remote.Taggable
	digest v1.Hash
	size   int64
}

// open reads an OCI layout's index; layers stay on disk.
func open(dir string) (content, error) {
	c, err := read(dir)
	if err != nil {
		return content{}, fmt.Errorf("reading OCI layout %q: %w", dir, err)
	}
	return c, nil
}

func read(dir string) (content, error) {
	path, err := layout.FromPath(dir)
	if err != nil {
		return content{}, err
	}
	index, err := path.ImageIndex()
	if err != nil {
		return content{}, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return content{}, err
	}
	// More than one would mean that the tags could go to either.
	if n := len(manifest.Manifests); n != 1 {
		return content{}, fmt.Errorf("it holds %d images; one is expected", n)
	}
	root := manifest.Manifests[0]
	if root.MediaType.IsIndex() {
		child, err := index.ImageIndex(root.Digest)
		if err != nil {
			return content{}, err
		}
		info, err := describeIndex(child)
		return content{Taggable: child, digest: root.Digest, size: info.Size}, err
	}
	img, err := index.Image(root.Digest)
	if err != nil {
		return content{}, err
	}
	info, err := describeImage(img)
	return content{Taggable: img, digest: root.Digest, size: info.Size}, err
}
