package e2e

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/cluster"
	"github.com/org/promote/pkg/image"
)

// distribution serves the reference registry in this process, which has no referrers API, so that notes go to fallback tags.
func distribution(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	if err := listener.Close(); err != nil { // ServeRegistry opens the port itself
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cluster.ServeRegistry(ctx, t.TempDir(), host) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", host, time.Second)
		if err == nil {
			_ = conn.Close()
			return host + "/team/checkout"
		}
		if time.Now().After(deadline) {
			t.Fatalf("the registry does not answer: %v", err)
		}
	}
}

// pushFiles builds an image of one file for the platforms and pushes it without a tag but the commit's.
func pushFiles(t *testing.T, repository, commit, text string, platforms ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	built, err := image.Build(t.Context(), image.BuildRequest{
		Context: dir, Builder: "files", Files: []string{"file:/file"}, Platforms: platforms, Labels: []string{image.CommitLabel + "=" + commit},
		Epoch: time.Unix(1_700_000_000, 0), Out: filepath.Join(t.TempDir(), "layout"),
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := image.Push(t.Context(), built.Layout, repository, []string{commit})
	if err != nil {
		t.Fatal(err)
	}
	return image.Reference(repository, pushed.Digest)
}

func TestMarkersOnTheReferenceRegistry(t *testing.T) {
	t.Parallel()
	repository := distribution(t)
	one, two, three := strings.Repeat("1", 40), strings.Repeat("2", 40), strings.Repeat("3", 40)
	history := []string{one, two, three}
	isAncestor := func(_ context.Context, commit, of string) (bool, error) {
		return slices.Index(history, commit) < slices.Index(history, of), nil
	}
	for kind, platforms := range map[string][]string{"an image": nil, "an index": {"linux/amd64", "linux/arm64"}} {
		t.Run("follow the commits that "+kind+" stands for", func(t *testing.T) {
			repository := repository + "/" + strings.TrimPrefix(kind, "an ")
			first := pushFiles(t, repository, one, "first", platforms...)
			second := pushFiles(t, repository, two, "second", platforms...)
			if err := image.Record(t.Context(), first, three); err != nil {
				t.Fatal(err)
			}
			if err := image.Tag(t.Context(), first, three); err != nil {
				t.Fatal(err)
			}
			if got, err := image.Mark(t.Context(), first, "test", three, isAncestor); err != nil || got.By != "" {
				t.Errorf("Mark() = %+v, %v", got, err)
			}
			got, err := image.Mark(t.Context(), second, "test", two, isAncestor)
			if err != nil || got.By != three {
				t.Errorf("an older run's Mark() = %+v, %v, want the marker left to %s", got, err, three)
			}
			if err := image.Verify(t.Context(), first, "test", one, three); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a note stands on an image of docker's media types too, and repeats its layers", func(t *testing.T) {
		img, err := random.Image(1<<10, 2)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.NewDigest(image.Reference(repository, digest.String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
		if err := image.Record(t.Context(), ref.Name(), two); err != nil {
			t.Fatal(err)
		}
		index, err := remote.Referrers(ref)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := index.IndexManifest()
		if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations[image.CommitLabel] != two {
			t.Fatalf("referrers %+v, %v", manifest, err)
		}
		noted, err := remote.Image(ref.Context().Digest(manifest.Manifests[0].Digest.String()))
		if err != nil {
			t.Fatal(err)
		}
		if layers, err := noted.Layers(); err != nil || len(layers) != 2 {
			t.Errorf("layers %v, %v", layers, err)
		}
	})
}
