package image

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/org/promote/pkg/contents"
)

func TestContentsGivesConfigStepsAndLayersOfEveryPlatform(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	index := v1.ImageIndex(empty.Index)
	var digests []string
	for _, architecture := range []string{"amd64", "arm64"} {
		img := platformImage(t, architecture)
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img})
	}
	index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: attestation(t)})
	if err := path.AppendIndex(index); err != nil {
		t.Fatal(err)
	}

	images, err := Contents(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(images) != 2 {
		t.Fatalf("Contents() gives %d images, want 2", len(images))
	}
	for i, architecture := range []string{"amd64", "arm64"} {
		img := images[i]
		want := contents.Image{
			Digest: digests[i], Platform: "linux/" + architecture, Created: time.Unix(1700000000, 0).UTC(),
			Config: contents.Config{
				Env: []string{"A=b"}, Entrypoint: []string{"/app"}, Command: []string{"serve"}, Healthcheck: []string{"CMD", "/app", "health"},
				Labels: map[string]string{"x": "y"},
			},
			History: []contents.Step{{Text: "ENV A=b", Empty: true}, {Text: "COPY app /app"}},
		}
		layers := img.Layers
		img.Layers = nil
		if diff := cmp.Diff(want, img); diff != "" {
			t.Errorf("image (-want +got):\n%s", diff)
		}
		if len(layers) != 1 || layers[0].Step != "COPY app /app" {
			t.Fatalf("layers are %+v", layers)
		}
		stored, err := layers[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(stored)
		if err != nil || !bytes.Equal(data, []byte("layer of "+architecture)) {
			t.Errorf("the layer holds %q, %v", data, err)
		}
	}
}

func platformImage(t *testing.T, architecture string) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: architecture, Created: v1.Time{Time: time.Unix(1700000000, 0)},
		Config: v1.Config{
			Env: []string{"A=b"}, Entrypoint: []string{"/app"}, Cmd: []string{"serve"}, Labels: map[string]string{"x": "y"},
			Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "/app", "health"}},
		},
		History: []v1.History{{CreatedBy: "ENV A=b", EmptyLayer: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.Append(img, mutate.Addendum{
		Layer:   static.NewLayer([]byte("layer of "+architecture), types.OCIUncompressedLayer),
		History: v1.History{CreatedBy: "COPY app /app"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// attestation is how BuildKit puts what it says about an image beside it.
func attestation(t *testing.T) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(platformImage(t, "amd64"), &v1.ConfigFile{OS: "unknown", Architecture: "unknown"})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestContentsNamesTheLayoutItCannotRead(t *testing.T) {
	if _, err := Contents(filepath.Join(t.TempDir(), "nothing")); err == nil {
		t.Error("Contents() reads a layout that is not there")
	}
}
