package cluster

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/pkg/image"
)

// TestReferrersOfTheReferenceRegistry is pkg/image's Attach and Referrers on distribution, which has no referrers API: the
// list is a tag there, and writers replace it whole.
func TestReferrersOfTheReferenceRegistry(t *testing.T) {
	repository := serveRegistry(t) + "/team/checkout"
	built, err := random.Image(1<<10, 1)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(repository + ":test")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, built); err != nil {
		t.Fatal(err)
	}
	digest, err := built.Digest()
	if err != nil {
		t.Fatal(err)
	}
	reference := image.Reference(repository, digest.String())
	const kind = "application/vnd.example.note+json"
	attach := func(text string) string {
		made, err := image.Attach(t.Context(), reference, image.Artifact{ArtifactType: kind, MediaType: kind, Data: []byte(text)})
		if err != nil {
			t.Error(err)
		}
		return made
	}

	t.Run("the same artifact twice is one", func(t *testing.T) {
		if first, again := attach("note 0"), attach("note 0"); first != again {
			t.Errorf("got %s and %s", first, again)
		}
	})
	t.Run("four writers at once lose nothing", func(t *testing.T) {
		var group sync.WaitGroup
		want := []string{"note 0"}
		for i := range 4 {
			text := fmt.Sprintf("note %d", i+1)
			want = append(want, text)
			group.Go(func() { attach(text) })
		}
		group.Wait()
		found, err := image.Referrers(t.Context(), reference, kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range found {
			if one.Err != nil {
				t.Error(one.Err)
			}
			got = append(got, string(one.Data))
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("one that was deleted is still listed, and said to be gone", func(t *testing.T) {
		gone, err := name.NewDigest(image.Reference(repository, attach("note 4")))
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Delete(gone); err != nil {
			t.Fatal(err)
		}
		found, err := image.Referrers(t.Context(), reference, kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		lost := 0
		for _, one := range found {
			if one.Err != nil && one.Digest == gone.DigestStr() {
				lost++
			}
		}
		if lost != 1 || len(found) != 5 {
			t.Errorf("%d of %d are gone, want 1 of 5", lost, len(found))
		}
	})
}
