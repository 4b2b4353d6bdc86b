package image

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Reading a tag back right after writing it may give the old digest: a cache in front of the registry, or another run
// that tagged its own image at the same moment. Neither lasts.
const (
	tagTries = 4
	tagPause = 500 * time.Millisecond
)

// Tag puts tags on an image that the registry has ("repository@sha256:…") and reads each back. No layer is moved. All
// that [Push] says of tags holds here.
func Tag(ctx context.Context, reference string, tags ...string) error {
	digest, err := referenceOf(reference)
	if err != nil {
		return err
	}
	refs, err := tagsOf(digest.Context().Name(), tags)
	if err != nil {
		return err
	}
	if _, err := holders(ctx, refs, digest); err != nil {
		return err
	}
	return put(ctx, refs, digest)
}

// Verify reads tags once more and makes sure that each holds the image ("repository@sha256:…"). Two runs that made different
// images of one commit may both have seen the commit's tag free, written it, and read back their own; after a moment, such
// as [Mark] takes, one of them finds the other's. That is a *[TagTakenError], for any tag.
func Verify(ctx context.Context, reference string, tags ...string) error {
	digest, err := referenceOf(reference)
	if err != nil {
		return err
	}
	refs, err := tagsOf(digest.Context().Name(), tags)
	if err != nil {
		return err
	}
	var problems []error
	for _, ref := range refs {
		have, err := resolve(ctx, ref)
		if err == nil && have != digest.DigestStr() {
			err = &TagTakenError{Repository: ref.Context().Name(), Tag: ref.TagStr(), Have: have, Want: digest.DigestStr()}
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// tagsOf parses tags, reporting every bad one.
func tagsOf(repository string, tags []string) ([]name.Tag, error) {
	repo, err := repositoryOf(repository)
	if err != nil {
		return nil, err
	}
	var refs []name.Tag
	var problems []error
	for _, tag := range tags {
		problems = append(problems, CheckTag(tag))
		refs = append(refs, repo.Tag(tag))
	}
	if len(tags) == 0 {
		problems = append(problems, fmt.Errorf("tagging in %q: no tag given", repository))
	}
	return refs, errors.Join(problems...)
}

// holders says which digest each tag holds now ("" for none). A commit's or a tree's tag that holds another one than wanted is
// an error; all of them are reported.
func holders(ctx context.Context, refs []name.Tag, want name.Digest) (map[name.Tag]string, error) {
	held := map[name.Tag]string{}
	var problems []error
	for _, ref := range refs {
		have, err := resolve(ctx, ref)
		var missing *NotFoundError
		switch {
		case errors.As(err, &missing):
		case err != nil:
			return nil, err // the registry's trouble would be the same for every tag
		case have != want.DigestStr() && staysPut(ref.TagStr()):
			problems = append(problems, &TagTakenError{
				Repository: ref.Context().Name(), Tag: ref.TagStr(), Have: have, Want: want.DigestStr(),
			})
		}
		held[ref] = have
	}
	return held, errors.Join(problems...)
}

// put gives every tag the digest and proves it by reading the tag back.
func put(ctx context.Context, refs []name.Tag, digest name.Digest) error {
	manifest, err := remote.Get(digest, options(ctx)...)
	if err != nil {
		return classify(ctx, digest.Context(), digest.DigestStr(), err)
	}
	for _, ref := range refs {
		if err := putOne(ctx, ref, digest, manifest); err != nil {
			return fmt.Errorf("tagging %q: %w", ref.Name(), err)
		}
	}
	return nil
}

// putOne looks at the tag before each write: it may hold the digest already, and a commit tag may have been taken since.
func putOne(ctx context.Context, ref name.Tag, digest name.Digest, manifest *remote.Descriptor) error {
	var refused error
	for try := 1; ; try++ {
		held, err := holders(ctx, []name.Tag{ref}, digest)
		switch {
		case err != nil:
			return err
		case held[ref] == digest.DigestStr():
			return nil
		case refused != nil:
			return refused
		case try > tagTries:
			return fmt.Errorf("it holds %q after %d writes of %q: something else writes the same tag", held[ref], tagTries, digest.DigestStr())
		}
		if try > 1 {
			if err := pause(ctx, tagPause); err != nil {
				return err
			}
		}
		// A refusal counts only if the tag does not hold the digest afterwards: with immutable tags, two runs of one
		// commit may meet here, and both have what they want.
		refused = classify(ctx, ref.Context(), "", remote.Tag(ref, manifest, options(ctx)...))
	}
}

// pause waits for about d, so that several who wait do not come back together.
func pause(ctx context.Context, d time.Duration) error { return wait(ctx, d/2+rand.N(d)) }

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
