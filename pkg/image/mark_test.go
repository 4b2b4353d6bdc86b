package image

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// line is a history in which each commit follows the one before it.
type line []string

func (l line) isAncestor(_ context.Context, commit, of string) (bool, error) {
	a, b := slices.Index(l, commit), slices.Index(l, of)
	return a >= 0 && b >= 0 && a < b, nil
}

// commitNumber is a commit's hash.
func commitNumber(n int) string { return fmt.Sprintf("%040x", n+1) }

// imageOf pushes an image that says which commit it was built from, and gives its reference.
func (s *server) imageOf(t *testing.T, label, commit string) string {
	t.Helper()
	img, err := random.Image(1<<10, 1)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.Config(img, v1.Config{Labels: map[string]string{label: commit}}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "layout")
	if err := writeLayout(dir, img); err != nil {
		t.Fatal(err)
	}
	pushed, err := Push(t.Context(), dir, s.repository, []string{"x"})
	if err != nil {
		t.Fatal(err)
	}
	return Reference(s.repository, pushed.Digest)
}

// mark puts the marker test and fails the test on an error.
func (s *server) mark(t *testing.T, reference, commit string, history line) Marked {
	t.Helper()
	marked, err := Mark(t.Context(), reference, "test", commit, history.isAncestor)
	if err != nil {
		t.Fatal(err)
	}
	if held := s.tags(t)["test"]; held != marked.Digest {
		t.Errorf("Mark() says %s, and the marker holds %s", marked.Digest, held)
	}
	return marked
}

func TestMark(t *testing.T) {
	one, two, three := commitNumber(1), commitNumber(2), commitNumber(3)
	history := line{one, two, three}

	t.Run("moves on with newer commits and never back to an ancestor", func(t *testing.T) {
		for _, label := range []string{CommitLabel, RevisionLabel} {
			s := serve(t)
			first, second := s.imageOf(t, label, one), s.imageOf(t, label, two)
			if got := s.mark(t, first, one, history); got.By != "" {
				t.Errorf("a new marker is left to %s", got.By)
			}
			if got := s.mark(t, second, two, history); got.By != "" || !strings.HasSuffix(second, got.Digest) {
				t.Errorf("the newer commit gets %+v", got)
			}
			if got := s.mark(t, first, one, history); got.By != two || !strings.HasSuffix(second, got.Digest) {
				t.Errorf("the older commit gets %+v, want the marker left to %s", got, two)
			}
		}
	})
	t.Run("a commit without order, and an image that names none, give way", func(t *testing.T) {
		s := serve(t)
		other, mine := s.imageOf(t, CommitLabel, commitNumber(9)), s.imageOf(t, CommitLabel, one)
		s.mark(t, other, commitNumber(9), history)
		if got := s.mark(t, mine, one, history); got.By != "" {
			t.Errorf("the marker is left to %s", got.By)
		}
		if err := Tag(t.Context(), s.imageOf(t, "some", "label"), "test"); err != nil {
			t.Fatal(err)
		}
		if got := s.mark(t, mine, one, history); got.By != "" {
			t.Errorf("the marker is left to %s", got.By)
		}
	})
	t.Run("an image that stands for a second commit is that commit's too", func(t *testing.T) {
		for _, referrers := range []bool{true, false} {
			s := serve(t, registry.WithReferrersSupport(referrers))
			// The third commit takes the second one back, so it has the first one's tree and image.
			first, second := s.imageOf(t, CommitLabel, one), s.imageOf(t, CommitLabel, two)
			for range 2 { // the second time it is known
				if err := Record(t.Context(), first, three); err != nil {
					t.Fatal(err)
				}
			}
			s.mark(t, first, three, history)
			if got := s.mark(t, second, two, history); got.By != three {
				t.Errorf("referrers %t: an older run gets %+v, want the marker left to %s", referrers, got, three)
			}
			if info, err := Inspect(t.Context(), first); err != nil || info.Labels[CommitLabel] != one {
				t.Errorf("the image itself says %v, %v", info.Labels, err)
			}
		}
	})
	t.Run("when ancestry cannot be told nothing moves", func(t *testing.T) {
		s := serve(t)
		first, second := s.imageOf(t, CommitLabel, one), s.imageOf(t, CommitLabel, two)
		s.mark(t, first, one, history)
		writes, unknown := s.writesSoFar(), errors.New("no answer")
		_, err := Mark(t.Context(), second, "test", two, func(context.Context, string, string) (bool, error) { return false, unknown })
		if !errors.Is(err, unknown) || s.writesSoFar() != writes {
			t.Errorf("Mark() = %v with %d writes", err, s.writesSoFar()-writes)
		}
	})
	t.Run("a marker that is there already is not written", func(t *testing.T) {
		s := serve(t)
		first := s.imageOf(t, CommitLabel, one)
		s.mark(t, first, one, history)
		writes := s.writesSoFar()
		s.mark(t, first, one, nil)
		if after := s.writesSoFar(); after != writes {
			t.Errorf("%d writes", after-writes)
		}
	})
	t.Run("a write that fails is decided anew and not repeated blindly", func(t *testing.T) {
		s := serve(t)
		first, second, newer := s.imageOf(t, CommitLabel, one), s.imageOf(t, CommitLabel, two), s.imageOf(t, CommitLabel, three)
		s.mark(t, first, one, history)
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "/test") {
				return false
			}
			// While the registry refuses, a newer commit's run gets through.
			s.behind(nil)
			if err := Tag(r.Context(), newer, "test"); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		})
		if got := s.mark(t, second, two, history); got.By != three {
			t.Errorf("got %+v, want the marker left to %s", got, three)
		}
	})
	t.Run("a registry that refuses the marker is the error", func(t *testing.T) {
		s := serve(t)
		first := s.imageOf(t, CommitLabel, one)
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			refuse := r.Method == http.MethodPut
			if refuse {
				http.Error(w, `{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}`, http.StatusBadRequest)
			}
			return refuse
		})
		if _, err := Mark(t.Context(), first, "test", one, history.isAncestor); err == nil || !strings.Contains(err.Error(), "the tag is immutable") {
			t.Errorf("Mark() = %v", err)
		}
	})
}

// Runs of several commits at once on a registry whose answers take their time: the newest commit's image has the marker at
// the end, whoever was first.
func TestMarkersOfBuildsAtOnce(t *testing.T) {
	const runs = 4
	var history line
	for n := range runs {
		history = append(history, commitNumber(n))
	}
	for round := range 6 {
		s := serve(t)
		var images []string
		for n := range runs {
			images = append(images, s.imageOf(t, CommitLabel, commitNumber(n)))
		}
		// The delay stands in for the network, on both ways.
		s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
			select {
			case <-r.Context().Done():
			case <-time.After(rand.N(15 * time.Millisecond)):
			}
			return false
		})
		var all sync.WaitGroup
		for n, image := range images {
			all.Go(func() {
				if _, err := Mark(t.Context(), image, "test", commitNumber(n), history.isAncestor); err != nil {
					t.Errorf("commit %d: %v", n, err)
				}
			})
		}
		all.Wait()
		s.behind(nil)
		if held := s.tags(t)["test"]; !strings.HasSuffix(images[runs-1], held) {
			t.Errorf("round %d: the marker holds the image of commit %d, want the newest", round, slices.IndexFunc(images, func(i string) bool { return strings.HasSuffix(i, held) }))
		}
	}
}

// An older run whose write arrives while a newer one thinks it is done.
func TestAMarkerThatAnOlderRunOverwritesIsPutRight(t *testing.T) {
	s := serve(t)
	one, two := commitNumber(1), commitNumber(2)
	older, newer := s.imageOf(t, CommitLabel, one), s.imageOf(t, CommitLabel, two)
	var late sync.Once
	wrote := false
	s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/test") {
			return false
		}
		if r.Method == http.MethodPut {
			wrote = true
		} else if wrote { // the first look after the newer run's write, which it has been answered
			late.Do(func() {
				s.behind(nil)
				if err := Tag(r.Context(), older, "test"); err != nil {
					t.Error(err)
				}
			})
		}
		return false
	})
	if got := s.mark(t, newer, two, line{one, two}); got.By != "" || !strings.HasSuffix(newer, got.Digest) {
		t.Errorf("the newer run ends with %+v", got)
	}
}

func TestTreeTag(t *testing.T) {
	tag := TreeTag(strings.Repeat("a", 40), strings.Repeat("b", 64))
	if want := "tree-" + strings.Repeat("a", 40) + "-" + strings.Repeat("b", 16); tag != want || CheckTag(tag) != nil || !IsTreeTag(tag) {
		t.Errorf("TreeTag() = %q, want %q", tag, want)
	}
	if long := TreeTag(strings.Repeat("a", 64), strings.Repeat("b", 64)); CheckTag(long) != nil || !IsTreeTag(long) {
		t.Errorf("%q is no tag", long)
	}
	t.Run("never moves", func(t *testing.T) {
		s := serve(t)
		first, second := s.imageOf(t, "a", "1"), s.imageOf(t, "a", "2")
		if err := Tag(t.Context(), first, tag); err != nil {
			t.Fatal(err)
		}
		var taken *TagTakenError
		if err := Tag(t.Context(), second, tag); !errors.As(err, &taken) || !strings.Contains(err.Error(), "the tree tag holds") {
			t.Errorf("Tag() = %v, want a TagTakenError", err)
		}
		if held := s.tags(t)[tag]; !strings.HasSuffix(first, held) {
			t.Errorf("the tag holds %s", held)
		}
	})
}
