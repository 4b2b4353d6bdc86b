package image

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	s := serve(t)
	dir, digest := randomLayout(t)
	if _, err := Push(t.Context(), dir, s.repository, []string{"test"}); err != nil {
		t.Fatal(err)
	}
	t.Run("gives the digest a tag holds", func(t *testing.T) {
		if got, err := Resolve(t.Context(), s.repository, "test"); err != nil || got != digest {
			t.Errorf("Resolve() = %q, %v, want %q", got, err, digest)
		}
	})
	t.Run("a missing tag, repository or digest is not found, by name", func(t *testing.T) {
		absent := "sha256:" + strings.Repeat("0", 64)
		other := strings.TrimSuffix(s.repository, "checkout") + "other"
		_, noTag := Resolve(t.Context(), s.repository, "prod")
		_, noRepository := Resolve(t.Context(), other, "test")
		noDigest := Exists(t.Context(), Reference(s.repository, absent))
		for err, want := range map[error]NotFoundError{
			noTag:        {Repository: s.repository, Tag: "prod"},
			noRepository: {Repository: other, Tag: "test"},
			noDigest:     {Repository: s.repository, Tag: absent},
		} {
			var missing *NotFoundError
			if !errors.As(err, &missing) || *missing != want {
				t.Errorf("got %v, want %v", err, &want)
			}
		}
		if want := s.repository + "@" + absent; !strings.Contains(noDigest.Error(), want) {
			t.Errorf("%q does not hold %q", noDigest, want)
		}
	})
}

func TestTag(t *testing.T) {
	s := serve(t)
	dir, digest := randomLayout(t)
	if _, err := Push(t.Context(), dir, s.repository, []string{"test"}); err != nil {
		t.Fatal(err)
	}
	t.Run("adds tags to what is there", func(t *testing.T) {
		if err := Tag(t.Context(), Reference(s.repository, digest), "stage", commit); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"test": digest, "stage": digest, commit: digest}
		if diff := cmp.Diff(want, s.tags(t)); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
	t.Run("a digest the registry does not have is not found", func(t *testing.T) {
		var missing *NotFoundError
		err := Tag(t.Context(), Reference(s.repository, "sha256:"+strings.Repeat("0", 64)), "prod")
		if !errors.As(err, &missing) {
			t.Errorf("Tag() = %v, want a NotFoundError", err)
		}
	})
}

func TestInspect(t *testing.T) {
	s := serve(t)
	dir := filepath.Join(t.TempDir(), "layout")
	if err := writeLayout(dir, fixedImage()); err != nil {
		t.Fatal(err)
	}
	pushed, err := Push(t.Context(), dir, s.repository, []string{"test"})
	if err != nil {
		t.Fatal(err)
	}
	info, err := Inspect(t.Context(), Reference(s.repository, pushed.Digest))
	if err != nil {
		t.Fatal(err)
	}
	want := Info{Digest: pushed.Digest, Labels: map[string]string{"made-by": "fake"}, Size: pushed.Size}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("Inspect (-want +got):\n%s", diff)
	}
}

func TestSharedLabels(t *testing.T) {
	a := map[string]string{"x": "1", "y": "1", "z": "1"}
	b := map[string]string{"x": "1", "y": "2"}
	if diff := cmp.Diff(map[string]string{"x": "1"}, shared(a, b)); diff != "" {
		t.Errorf("shared (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(a, shared(nil, a)); diff != "" {
		t.Errorf("shared with nothing seen yet (-want +got):\n%s", diff)
	}
}
