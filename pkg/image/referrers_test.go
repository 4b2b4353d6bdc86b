package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const noteType = "application/vnd.example.note+json"

func note(text string) Artifact {
	return Artifact{ArtifactType: noteType, MediaType: noteType, Data: []byte(text), Annotations: map[string]string{"text": text}}
}

// pushed is a registry with one image in it, and that image's reference.
func pushed(t *testing.T, opts ...registry.Option) (*server, string) {
	t.Helper()
	s := serve(t, opts...)
	dir, digest := randomLayout(t)
	if _, err := Push(t.Context(), dir, s.repository, []string{"test"}); err != nil {
		t.Fatal(err)
	}
	return s, Reference(s.repository, digest)
}

func texts(t *testing.T, reference string) []string {
	t.Helper()
	found, err := Referrers(t.Context(), reference, noteType, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, one := range found {
		if one.Err != nil {
			t.Error(one.Err)
		}
		all = append(all, string(one.Data))
	}
	slices.Sort(all)
	return all
}

func TestAttach(t *testing.T) {
	for kind, opts := range map[string][]registry.Option{
		"the referrers API": {registry.WithReferrersSupport(true)}, "the fallback tag": nil,
	} {
		t.Run("with "+kind, func(t *testing.T) {
			s, reference := pushed(t, opts...)
			if got := texts(t, reference); got != nil {
				t.Errorf("an image that nothing refers to has %q", got)
			}
			digest, err := Attach(t.Context(), reference, note("one"))
			if err != nil {
				t.Fatal(err)
			}
			t.Run("what was attached is read back whole", func(t *testing.T) {
				got, err := Referrers(t.Context(), reference, noteType, nil)
				if err != nil {
					t.Fatal(err)
				}
				want := []Referrer{{Digest: digest, ArtifactType: noteType, MediaType: noteType, Data: []byte("one"), Annotations: map[string]string{"text": "one"}}}
				if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
			t.Run("the same bytes again are the same referrer, and the image is as it was", func(t *testing.T) {
				again, err := Attach(t.Context(), reference, note("one"))
				if err != nil || again != digest {
					t.Errorf("got %s, %v; want %s", again, err, digest)
				}
				if diff := cmp.Diff([]string{"one"}, texts(t, reference)); diff != "" {
					t.Error(diff)
				}
				if held := s.tags(t)["test"]; Reference(s.repository, held) != reference {
					t.Errorf("the tag holds %s", held)
				}
			})
			t.Run("another type is not given, and not read when it is not wanted", func(t *testing.T) {
				other := note("big")
				other.ArtifactType = "application/vnd.example.other"
				if _, err := Attach(t.Context(), reference, other); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{"one"}, texts(t, reference)); diff != "" {
					t.Error(diff)
				}
				s.behind(func(w http.ResponseWriter, r *http.Request) bool {
					blob := strings.Contains(r.URL.Path, "/blobs/")
					if blob {
						t.Errorf("%s was read", r.URL.Path)
					}
					return false
				})
				defer s.behind(nil)
				got, err := Referrers(t.Context(), reference, "", func(r Referrer) bool { return r.Annotations["text"] == "none" })
				if err != nil || len(got) != 0 {
					t.Errorf("got %v, %v", got, err)
				}
			})
			t.Run("eight writers at once keep one another's entries", func(t *testing.T) {
				want := []string{"one"}
				var group sync.WaitGroup
				for i := range 8 {
					text := fmt.Sprintf("writer %d", i)
					want = append(want, text)
					group.Go(func() {
						if _, err := Attach(t.Context(), reference, note(text)); err != nil {
							t.Error(err)
						}
					})
				}
				group.Wait()
				slices.Sort(want)
				if diff := cmp.Diff(want, texts(t, reference)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestAttachAgainstAWriterThatReadBefore is the lost update as it happens: the other one has read the list before ours was
// in it, and writes it after ours was read back.
func TestAttachAgainstAWriterThatReadBefore(t *testing.T) {
	s, reference := pushed(t)
	if _, err := Attach(t.Context(), reference, note("first")); err != nil {
		t.Fatal(err)
	}
	subject, err := name.NewDigest(reference)
	if err != nil {
		t.Fatal(err)
	}
	before, err := remote.Get(fallbackTag(subject))
	if err != nil {
		t.Fatal(err)
	}
	lists, overwritten := 0, false
	s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, fallbackTag(subject).TagStr()) {
			return false
		}
		// Our writer asks before it writes, then reads back, then reads back again: there the other one strikes.
		if lists++; lists == 3 {
			s.behind(nil)
			overwritten = true
			if err := remote.Put(fallbackTag(subject), before); err != nil {
				t.Error(err)
			}
		}
		return false
	})
	if _, err := Attach(t.Context(), reference, note("second")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"first", "second"}, texts(t, reference)); diff != "" || !overwritten {
		t.Errorf("overwritten: %v\n%s", overwritten, diff)
	}
}

func TestAttachRefuses(t *testing.T) {
	s, reference := pushed(t)
	absent := Reference(s.repository, "sha256:"+strings.Repeat("0", 64))
	t.Run("an image that is not there, by name", func(t *testing.T) {
		_, err := Attach(t.Context(), absent, note("x"))
		var missing *NotFoundError
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), absent) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what has no type, no bytes or too many", func(t *testing.T) {
		big := note("x")
		big.Data = make([]byte, maxArtifact+1)
		for _, bad := range []Artifact{{Data: []byte("x")}, {ArtifactType: "a", MediaType: "b"}, big} {
			if _, err := Attach(t.Context(), reference, bad); err == nil || !strings.Contains(err.Error(), reference) {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("to go on for ever where the list never holds it", func(t *testing.T) {
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			swallow := r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/sha256-")
			if swallow {
				w.WriteHeader(http.StatusCreated)
			}
			return swallow
		})
		defer s.behind(nil)
		_, err := Attach(t.Context(), reference, note("lost"))
		if err == nil || !strings.Contains(err.Error(), "other runs keep replacing the tag") || !strings.Contains(err.Error(), reference) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("and says which tags to exclude where tags are immutable", func(t *testing.T) {
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			refuse := r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/sha256-")
			if refuse {
				http.Error(w, `{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}`, http.StatusBadRequest)
			}
			return refuse
		})
		defer s.behind(nil)
		_, err := Attach(t.Context(), reference, note("refused"))
		if err == nil || !strings.Contains(err.Error(), "exclude tags that begin with sha256- from immutability") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refused credentials name the repository", func(t *testing.T) {
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			refuse := r.Method == http.MethodPost
			if refuse {
				http.Error(w, `{"errors":[{"code":"DENIED","message":"no"}]}`, http.StatusForbidden)
			}
			return refuse
		})
		defer s.behind(nil)
		_, err := Attach(t.Context(), reference, note("denied"))
		var denied *DeniedError
		if !errors.As(err, &denied) || denied.Repository != s.repository {
			t.Errorf("got %v", err)
		}
	})
}

func TestAttachStopsWithItsContext(t *testing.T) {
	s, reference := pushed(t)
	ctx, cancel := context.WithCancel(t.Context())
	stalled := make(chan struct{})
	s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		cancel()
		<-stalled
		return true
	})
	defer close(stalled)
	if _, err := Attach(ctx, reference, note("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestReferrersThatCannotBeRead(t *testing.T) {
	s, reference := pushed(t, registry.WithReferrersSupport(true))
	digest, err := Attach(t.Context(), reference, note("one"))
	if err != nil {
		t.Fatal(err)
	}
	blob := digestOf([]byte("one"))
	only := func(t *testing.T) Referrer {
		t.Helper()
		found, err := Referrers(t.Context(), reference, noteType, nil)
		if err != nil || len(found) != 1 || found[0].Digest != digest {
			t.Fatalf("got %v, %v; want the one that is listed", found, err)
		}
		return found[0]
	}
	for what, suffix := range map[string]string{"its manifest": "/manifests/" + digest, "its bytes": "/blobs/" + blob} {
		t.Run("one is listed with an error when "+what+" are gone", func(t *testing.T) {
			s.behind(func(w http.ResponseWriter, r *http.Request) bool {
				gone := strings.HasSuffix(r.URL.Path, suffix)
				if gone {
					w.WriteHeader(http.StatusNotFound)
				}
				return gone
			})
			defer s.behind(nil)
			var missing *NotFoundError
			if one := only(t); !errors.As(one.Err, &missing) {
				t.Errorf("got %v", one.Err)
			}
		})
	}
	t.Run("and when they are not those of its digest", func(t *testing.T) {
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			swap := strings.HasSuffix(r.URL.Path, blob) && r.Method == http.MethodGet
			if swap {
				_, _ = w.Write([]byte("two"))
			}
			return swap
		})
		defer s.behind(nil)
		if one := only(t); one.Err == nil || one.Data != nil || !strings.Contains(one.Err.Error(), digestOf([]byte("two"))) {
			t.Errorf("got %q, %v", one.Data, one.Err)
		}
	})
	t.Run("but a registry in trouble fails the call", func(t *testing.T) {
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		})
		defer s.behind(nil)
		_, err := Referrers(t.Context(), reference, noteType, nil)
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), reference) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLongListings(t *testing.T) {
	s, reference := pushed(t, registry.WithReferrersSupport(true))
	for _, text := range []string{"one", "two", "three"} {
		if _, err := Attach(t.Context(), reference, note(text)); err != nil {
			t.Fatal(err)
		}
	}
	subject, err := name.NewDigest(reference)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := listReferrers(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	// pages answers with one entry a page; link gives the address of the page after n.
	pages := func(link func(n int) string) {
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/referrers/") {
				return false
			}
			n := len(r.URL.Query().Get("page"))
			if next := link(n); next != "" {
				w.Header().Set("Link", next)
			}
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			_ = json.NewEncoder(w).Encode(v1.IndexManifest{SchemaVersion: 2, Manifests: whole.descriptors[n%3 : n%3+1]})
			return true
		})
	}
	defer s.behind(nil)
	next := func(n int) string { return fmt.Sprintf(`<?page=%s>; rel="next"`, strings.Repeat("x", n+1)) }
	t.Run("are read to their last page", func(t *testing.T) {
		pages(func(n int) string {
			if n == 2 {
				return ""
			}
			return next(n)
		})
		if diff := cmp.Diff([]string{"one", "three", "two"}, texts(t, reference)); diff != "" {
			t.Error(diff)
		}
	})
	for _, test := range []struct {
		name, want string
		link       func(n int) string
	}{
		{"are refused when they have no end", "more than 1000", next},
		{"are not followed to another host", "another host", func(int) string { return `<http://127.0.0.1:1/x>; rel="next"` }},
	} {
		t.Run(test.name, func(t *testing.T) {
			pages(test.link)
			if _, err := Referrers(t.Context(), reference, noteType, nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
