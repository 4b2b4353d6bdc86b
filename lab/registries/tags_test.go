package registries

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/lab/aws"
	"github.com/org/promote/pkg/image"
)

func TestTagsInAmazon(t *testing.T) {
	held := func(t *testing.T, full, tag string) string {
		t.Helper()
		digest, err := image.Resolve(t.Context(), full, tag)
		check(t, err)
		return digest
	}
	t.Run("the marker moves and the tags of commits stay", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		second := strings.Repeat("f", 40)
		first, older := newLayout(t)
		_, err := image.Push(t.Context(), first, full, []string{commit, tree, "test"})
		check(t, err)
		next, newer := newLayout(t)
		_, err = image.Push(t.Context(), next, full, []string{second, "test"})
		check(t, err)
		want := map[string]string{commit: older, tree: older, second: newer, "test": newer}
		got := map[string]string{}
		for tag := range want {
			got[tag] = held(t, full, tag)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
	t.Run("the same image again is a success, though Amazon refuses the write", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		dir, digest := newLayout(t)
		for range 2 {
			_, err := image.Push(t.Context(), dir, full, []string{commit, "test"})
			check(t, err)
		}
		check(t, image.Tag(t.Context(), image.Reference(full, digest), commit, "test"))
	})
	t.Run("many runs of one commit at once are all content", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		dir, digest := newLayout(t)
		_, err := image.Push(t.Context(), dir, full, []string{"test"})
		check(t, err)
		before := amazon.TagsRefused()
		// All look before any writes, so all but one are refused.
		const runs = 8
		gate := amazon.HoldTags(runs)
		errs := make([]error, runs)
		var all sync.WaitGroup
		for i := range runs {
			all.Go(func() { errs[i] = image.Tag(t.Context(), image.Reference(full, digest), commit) })
		}
		all.Wait()
		gate()
		check(t, errors.Join(errs...))
		if got := held(t, full, commit); got != digest {
			t.Errorf("the tag holds %s, want %s", got, digest)
		}
		if n := amazon.TagsRefused() - before; n != runs-1 {
			t.Errorf("%d writes were refused, want %d: the test did not meet what it is for", n, runs-1)
		}
	})
	t.Run("another image of the commit that comes in between is an error", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		one, oneDigest := newLayout(t)
		two, twoDigest := newLayout(t)
		gate := amazon.HoldTags(2)
		defer gate()
		var errs [2]error
		var all sync.WaitGroup
		for i, dir := range []string{one, two} {
			all.Go(func() { _, errs[i] = image.Push(t.Context(), dir, full, []string{commit}) })
		}
		all.Wait()
		loser, have, want := errs[0], twoDigest, oneDigest
		if loser == nil {
			loser, have, want = errs[1], oneDigest, twoDigest
		}
		var taken *image.TagTakenError
		if !errors.As(loser, &taken) {
			t.Fatalf("errors are %v; want one TagTakenError", errs)
		}
		if diff := cmp.Diff(&image.TagTakenError{Repository: full, Tag: commit, Have: have, Want: want}, taken); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if (errs[0] == nil) == (errs[1] == nil) || held(t, full, commit) != have {
			t.Errorf("errors are %v, and the tag holds %s", errs, held(t, full, commit))
		}
	})
	t.Run("a marker that is not excluded says so and stays", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		mutability(t, full, aws.Immutable)
		first, older := newLayout(t)
		_, err := image.Push(t.Context(), first, full, []string{"test"})
		check(t, err)
		next, _ := newLayout(t)
		if _, err = image.Push(t.Context(), next, full, []string{"test"}); err == nil || !strings.Contains(err.Error(), "because the tag is immutable") {
			t.Errorf("Push() = %v, want Amazon's refusal", err)
		}
		if got := held(t, full, "test"); got != older {
			t.Errorf("the marker holds %s, want %s", got, older)
		}
	})
	t.Run("a rate limit is waited out", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		dir, digest := newLayout(t)
		amazon.ThrottleImages(2)
		_, err := image.Push(t.Context(), dir, full, []string{commit})
		check(t, err)
		if got := held(t, full, commit); got != digest {
			t.Errorf("the tag holds %s, want %s", got, digest)
		}
	})
	t.Run("a repository that does not exist is named", func(t *testing.T) {
		full := strings.Replace(repository(t, "eu-central-1"), "/team/", "/teem/", 1)
		var missing *image.NoRepositoryError
		if err := image.Preflight(t.Context(), full); !errors.As(err, &missing) || missing.Repository != full {
			t.Errorf("Preflight() = %v, want a NoRepositoryError", err)
		}
	})
}
