package registries

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	// What distribution keeps is gone with the process.
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/org/promote/pkg/image"
)

// serveHTTP gives a repository in a registry that listens here.
func serveHTTP(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/team/checkout"
}

func distribution(t *testing.T) string {
	t.Helper()
	cfg := &configuration.Configuration{
		Version: configuration.CurrentVersion, Storage: configuration.Storage{"inmemory": nil},
	}
	cfg.Catalog.MaxEntries = 100
	cfg.HTTP.Secret = "the test's own"
	return serveHTTP(t, handlers.NewApp(context.WithoutCancel(t.Context()), cfg))
}

// each are the registries that what promote does is the same on.
var each = map[string]func(*testing.T) string{
	"distribution": distribution,
	"go-containerregistry": func(t *testing.T) string {
		t.Helper()
		return serveHTTP(t, registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	},
	"Amazon": func(t *testing.T) string {
		t.Helper()
		return repository(t, "eu-central-1")
	},
}

func TestEachRegistry(t *testing.T) {
	for name, start := range each {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // keeping evidence in a tag takes its time
			repository := start(t)
			dir, digest := newLayout(t)
			reference := image.Reference(repository, digest)
			t.Run("takes a push after the preflight", func(t *testing.T) {
				check(t, image.Preflight(t.Context(), repository))
				pushed, err := image.Push(t.Context(), dir, repository, []string{commit, tree, "test"})
				check(t, err)
				if pushed.Digest != digest || pushed.Size < 3*64<<10 {
					t.Errorf("Push() = %+v, want %s with three layers", pushed, digest)
				}
			})
			t.Run("tells what each tag holds", func(t *testing.T) {
				for _, tag := range []string{commit, tree, "test"} {
					if got, err := image.Resolve(t.Context(), repository, tag); err != nil || got != digest {
						t.Errorf("Resolve(%s) = %s, %v; want %s", tag, got, err, digest)
					}
				}
			})
			t.Run("tells what it has not", func(t *testing.T) {
				var missing *image.NotFoundError
				if _, err := image.Resolve(t.Context(), repository, "none"); !errors.As(err, &missing) {
					t.Errorf("Resolve() = %v, want a NotFoundError", err)
				}
				if err := image.Exists(t.Context(), image.Reference(repository, "sha256:"+strings.Repeat("0", 64))); !errors.As(err, &missing) {
					t.Errorf("Exists() = %v, want a NotFoundError", err)
				}
			})
			t.Run("describes the image", func(t *testing.T) {
				info, err := image.Inspect(t.Context(), reference)
				check(t, err)
				if info.Digest != digest || info.Size < 3*64<<10 {
					t.Errorf("Inspect() = %+v", info)
				}
			})
			t.Run("takes another tag, and the same once more", func(t *testing.T) {
				for range 2 {
					check(t, image.Tag(t.Context(), reference, strings.Repeat("e", 40)))
				}
			})
			t.Run("keeps a commit's tag and moves the marker", func(t *testing.T) {
				other, newer := newLayout(t)
				var taken *image.TagTakenError
				if _, err := image.Push(t.Context(), other, repository, []string{commit, "test"}); !errors.As(err, &taken) || taken.Have != digest {
					t.Errorf("Push() = %v, want a TagTakenError", err)
				}
				_, err := image.Push(t.Context(), other, repository, []string{strings.Repeat("d", 40), "test"})
				check(t, err)
				if got, err := image.Resolve(t.Context(), repository, "test"); err != nil || got != newer {
					t.Errorf("the marker holds %s, %v; want %s", got, err, newer)
				}
			})
			t.Run("keeps what is said about an image", func(t *testing.T) { evidence(t, repository, reference) })
		})
	}
}

// evidence attaches two things of one type; in registries without referrers both are in one tag, written twice.
func evidence(t *testing.T, repository, reference string) {
	t.Helper()
	const kind = "application/vnd.test.evidence+json"
	var want []string
	for _, text := range []string{`{"one":1}`, `{"two":2}`} {
		_, err := image.Attach(t.Context(), reference, image.Artifact{ArtifactType: kind, MediaType: kind, Data: []byte(text)})
		check(t, err)
		want = append(want, text)
	}
	found, err := image.Referrers(t.Context(), reference, kind, nil)
	check(t, err)
	got := map[string]bool{}
	for _, one := range found {
		got[string(one.Data)] = true
	}
	if diff := cmp.Diff(map[string]bool{want[0]: true, want[1]: true}, got); diff != "" {
		t.Errorf("referrers of an image in %s (-want +got):\n%s", repository, diff)
	}
}

func TestAmazonBeforeReferrers(t *testing.T) {
	amazon.ecr.NoReferrers(true)
	t.Cleanup(func() { amazon.ecr.NoReferrers(false) })
	full := repository(t, "eu-central-1")
	dir, digest := newLayout(t)
	_, err := image.Push(t.Context(), dir, full, []string{commit})
	check(t, err)
	t.Run("evidence is kept in a tag that moves when it is excluded", func(t *testing.T) {
		evidence(t, full, image.Reference(full, digest))
	})
}
