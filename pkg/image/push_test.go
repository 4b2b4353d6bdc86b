package image

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

func TestPush(t *testing.T) {
	t.Run("one push puts every tag on the one digest", func(t *testing.T) {
		s := serve(t)
		dir, digest := randomLayout(t)
		pushed, err := Push(t.Context(), dir, s.repository, []string{commit, "test"})
		if err != nil {
			t.Fatal(err)
		}
		if pushed.Digest != digest || pushed.Size < 4*64<<10 {
			t.Errorf("Push() = %+v, want digest %s and at least the layers' size", pushed, digest)
		}
		if diff := cmp.Diff(map[string]string{commit: digest, "test": digest}, s.tags(t)); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
		if err := Exists(t.Context(), Reference(s.repository, digest)); err != nil {
			t.Error(err)
		}
	})
	t.Run("pushing the same image again writes nothing", func(t *testing.T) {
		s := serve(t)
		dir, _ := randomLayout(t)
		if _, err := Push(t.Context(), dir, s.repository, []string{commit, "test"}); err != nil {
			t.Fatal(err)
		}
		before := s.writesSoFar()
		if _, err := Push(t.Context(), dir, s.repository, []string{commit, "test"}); err != nil {
			t.Fatal(err)
		}
		if after := s.writesSoFar(); after != before {
			t.Errorf("the second push sent %d writes, want none", after-before)
		}
	})
	t.Run("a commit tag with another digest is an error and the registry stays as it was", func(t *testing.T) {
		s := serve(t)
		first, digest := randomLayout(t)
		if _, err := Push(t.Context(), first, s.repository, []string{commit, "test"}); err != nil {
			t.Fatal(err)
		}
		before := s.writesSoFar()
		second, other := randomLayout(t)
		_, err := Push(t.Context(), second, s.repository, []string{commit, "test"})
		var taken *TagTakenError
		if !errors.As(err, &taken) {
			t.Fatalf("Push() = %v, want a TagTakenError", err)
		}
		want := &TagTakenError{Repository: s.repository, Tag: commit, Have: digest, Want: other}
		if diff := cmp.Diff(want, taken); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if after := s.writesSoFar(); after != before {
			t.Errorf("the refused push sent %d writes, want none", after-before)
		}
	})
	t.Run("the marker moves to a newer image", func(t *testing.T) {
		s := serve(t)
		first, _ := randomLayout(t)
		second, newer := randomLayout(t)
		for dir, tag := range map[string]string{first: commit, second: strings.Repeat("f", 40)} {
			if _, err := Push(t.Context(), dir, s.repository, []string{tag}); err != nil {
				t.Fatal(err)
			}
		}
		for _, dir := range []string{first, second} {
			if _, err := Push(t.Context(), dir, s.repository, []string{"test"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.tags(t)["test"]; got != newer {
			t.Errorf("the marker holds %s, want %s", got, newer)
		}
	})
	t.Run("an index of several platforms is tagged as one", func(t *testing.T) {
		s := serve(t)
		index, err := random.Index(1<<10, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "layout")
		path, err := layout.Write(dir, empty.Index)
		if err != nil {
			t.Fatal(err)
		}
		if err := path.AppendIndex(index); err != nil {
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
		if info.Size != pushed.Size || info.Digest != pushed.Digest {
			t.Errorf("Inspect() = %+v, want what Push() said: %+v", info, pushed)
		}
	})
	t.Run("a layout with several images is refused", func(t *testing.T) {
		dir, _ := randomLayout(t)
		path, err := layout.FromPath(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := path.AppendImage(fixedImage()); err != nil {
			t.Fatal(err)
		}
		_, err = Push(t.Context(), dir, serve(t).repository, []string{"test"})
		if err == nil || !strings.Contains(err.Error(), "holds 2 images") {
			t.Errorf("Push() = %v, want a complaint about 2 images", err)
		}
	})
	t.Run("bad tags are all reported", func(t *testing.T) {
		dir, _ := randomLayout(t)
		_, err := Push(t.Context(), dir, serve(t).repository, []string{"a b", "test", "x:y"})
		if err == nil || !strings.Contains(err.Error(), `"a b"`) || !strings.Contains(err.Error(), `"x:y"`) {
			t.Errorf("Push() = %v, want both bad tags named", err)
		}
	})
}

func TestPushToADifficultRegistry(t *testing.T) {
	t.Run("rides out errors, rate limits and broken connections", func(t *testing.T) {
		s := serve(t)
		// Every kind of request fails twice: a second failure after a first retry is what a real bad minute looks like.
		seen := map[string]int{}
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			kind := r.Method + " " + r.URL.Path
			if path, _, upload := strings.Cut(r.URL.Path, "/uploads/"); upload {
				kind = r.Method + " " + path
			}
			s.mu.Lock()
			seen[kind]++
			n := seen[kind]
			s.mu.Unlock()
			switch {
			case n == 1 && r.Method == http.MethodPatch:
				w.WriteHeader(http.StatusServiceUnavailable)
			case n == 1:
				w.WriteHeader(http.StatusTooManyRequests)
			case n == 2:
				panic(http.ErrAbortHandler) // the client sees a broken connection
			default:
				return false
			}
			return true
		})
		dir, digest := randomLayout(t)
		if _, err := Push(t.Context(), dir, s.repository, []string{commit, "test"}); err != nil {
			t.Fatal(err)
		}
		s.behind(nil)
		if diff := cmp.Diff(map[string]string{commit: digest, "test": digest}, s.tags(t)); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
	t.Run("a registry that always fails is unreachable, by name", func(t *testing.T) {
		s := serve(t)
		s.behind(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		})
		dir, _ := randomLayout(t)
		_, err := Push(t.Context(), dir, s.repository, []string{"test"})
		host, _, _ := strings.Cut(s.repository, "/")
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || unreachable.Registry != host {
			t.Errorf("Push() = %v, want an UnreachableError for %s", err, host)
		}
	})
	t.Run("a tag that the registry refuses but holds is fine", func(t *testing.T) {
		// Amazon's registry refuses the same digest on an immutable tag: aws/containers-roadmap#2380.
		s := serve(t)
		dir, digest := randomLayout(t)
		if _, err := Push(t.Context(), dir, s.repository, []string{"other"}); err != nil {
			t.Fatal(err)
		}
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, commit) {
				return false
			}
			// Another run of the same commit comes first, at the last moment.
			s.behind(nil)
			if err := Tag(r.Context(), Reference(s.repository, digest), commit); err != nil {
				t.Error(err)
			}
			http.Error(w, `{"errors":[{"code":"TAG_INVALID","message":"the tag exists"}]}`, http.StatusBadRequest)
			return true
		})
		if _, err := Push(t.Context(), dir, s.repository, []string{commit}); err != nil {
			t.Error(err)
		}
	})
	t.Run("a tag that was written but does not hold the digest is an error", func(t *testing.T) {
		s := serve(t)
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			lost := r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/test")
			if lost {
				w.WriteHeader(http.StatusCreated)
			}
			return lost
		})
		dir, _ := randomLayout(t)
		_, err := Push(t.Context(), dir, s.repository, []string{"test"})
		if err == nil || !strings.Contains(err.Error(), "something else writes the same tag") {
			t.Errorf("Push() = %v, want the tag that does not stick", err)
		}
	})
	t.Run("refused credentials name the repository", func(t *testing.T) {
		s := serve(t)
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			denied := r.URL.Path != "/v2/"
			if denied {
				http.Error(w, `{"errors":[{"code":"DENIED","message":"no"}]}`, http.StatusForbidden)
			}
			return denied
		})
		var denied *DeniedError
		if err := Preflight(t.Context(), s.repository); !errors.As(err, &denied) || denied.Repository != s.repository {
			t.Errorf("Preflight() = %v, want a DeniedError for %s", err, s.repository)
		}
	})
	t.Run("a cancelled push returns at once", func(t *testing.T) {
		s := serve(t)
		dir, _ := randomLayout(t)
		ctx, cancel := context.WithCancel(t.Context())
		stalled := make(chan struct{})
		s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPatch {
				cancel()
				<-stalled
				return true
			}
			return false
		})
		defer close(stalled)
		start := time.Now()
		if _, err := Push(ctx, dir, s.repository, []string{"test"}); !errors.Is(err, context.Canceled) {
			t.Errorf("Push() = %v, want context.Canceled", err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("the cancelled push took %v", took)
		}
	})
}

func TestPreflight(t *testing.T) {
	t.Run("passes where pushing is allowed and takes its upload back", func(t *testing.T) {
		s := serve(t)
		var seen []string
		s.behind(func(w http.ResponseWriter, r *http.Request) bool {
			s.mu.Lock()
			seen = append(seen, r.Method)
			s.mu.Unlock()
			if r.Method == http.MethodDelete { // the test's registry has no such request; real ones do
				w.WriteHeader(http.StatusNoContent)
			}
			return r.Method == http.MethodDelete
		})
		if err := Preflight(t.Context(), s.repository); err != nil {
			t.Error(err)
		}
		if !slices.Contains(seen, http.MethodPost) || seen[len(seen)-1] != http.MethodDelete {
			t.Errorf("requests %v, want an upload begun and taken back", seen)
		}
		if tags := s.tags(t); len(tags) != 0 {
			t.Errorf("tags after the preflight: %v", tags)
		}
	})
	t.Run("names a registry where nothing listens", func(t *testing.T) {
		var unreachable *UnreachableError
		// Port 1 is tcpmux, which nothing has run for decades.
		err := Preflight(t.Context(), "127.0.0.1:1/team/checkout")
		if !errors.As(err, &unreachable) || unreachable.Registry != "127.0.0.1:1" {
			t.Errorf("Preflight() = %v, want an UnreachableError for 127.0.0.1:1", err)
		}
	})
}
