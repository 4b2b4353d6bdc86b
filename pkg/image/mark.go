package image

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// IsAncestor says whether a commit is one of those that led to another one. A commit is no ancestor of itself; unrelated
// commits are no ancestors of each other.
type IsAncestor func(ctx context.Context, commit, of string) (bool, error)

// Marked says where a marker is after [Mark].
type Marked struct {
	// Digest is what the marker holds.
	Digest string
	// By is the commit that has the marker instead, since it is newer; "" when the marker holds the image that was to get it.
	By string
}

// How often, and how long apart, a marker is looked at. Registries have no compare-and-swap for tags.
const markTries = 8

// markSettle is the least time between writing a marker and believing it.
var markSettle = 300 * time.Millisecond

// Mark puts a marker on an image ("repository@sha256:…") for a commit, unless it is on the image of a commit that came after
// this one: an older run that ends later must not move it back.
//
// Which commits an image was marked for stands in its label and in what [Record] noted. Commits of which neither came
// from the other have no order, so the later call wins: two pull requests, or a branch that was rewritten. So does an image
// that names no commit. When ancestry cannot be told, nothing is moved and that is the error.
//
// Two calls at once end with the newer commit's image. A registry cannot swap a tag only if it is unchanged, so a call looks
// once more after the marker has had time to settle, and puts it right if an older commit's call came in between; the time
// follows how slow the registry is.
func Mark(ctx context.Context, reference, marker, commit string, isAncestor IsAncestor) (Marked, error) {
	image, err := referenceOf(reference)
	if err != nil {
		return Marked{}, err
	}
	refs, err := tagsOf(image.Context().Name(), []string{marker})
	if err != nil {
		return Marked{}, err
	}
	m := mover{ref: refs[0], image: image, commit: commit, isAncestor: isAncestor}
	marked, err := m.move(ctx)
	if err != nil {
		return Marked{}, fmt.Errorf("moving marker %q: %w", m.ref.Name(), err)
	}
	return marked, nil
}

// mover is one call of [Mark].
type mover struct {
	ref        name.Tag
	image      name.Digest
	commit     string
	isAncestor IsAncestor
	slowest    time.Duration // of the requests about the marker so far
	wrote      bool
	before     string // what the marker held before the last write
}

func (m *mover) move(ctx context.Context) (Marked, error) {
	var refused error
	for range markTries {
		have, err := m.look(ctx)
		switch {
		case err != nil:
			return Marked{}, err
		case have == m.image.DigestStr() && !m.wrote:
			return Marked{Digest: have}, nil
		case have == m.image.DigestStr():
			if err := wait(ctx, max(markSettle, 4*m.slowest)); err != nil {
				return Marked{}, err
			}
			if have, err = m.look(ctx); err != nil || have == m.image.DigestStr() {
				return Marked{Digest: have}, err
			}
		case refused != nil:
			if err := pause(ctx, tagPause); err != nil {
				return Marked{}, err
			}
		}
		by, err := m.yields(ctx, have)
		if err != nil || by != "" {
			return Marked{Digest: have, By: by}, err
		}
		// Asking took its time; what was decided is about the image that the marker held then.
		if again, err := m.look(ctx); err != nil {
			return Marked{}, err
		} else if again != have {
			continue
		}
		m.before = have
		if refused = m.write(ctx); refused != nil && !passing(refused) {
			return Marked{}, refused
		}
	}
	if refused != nil {
		return Marked{}, refused
	}
	return Marked{}, fmt.Errorf("it does not stay on %s: something else writes the same tag", m.image.DigestStr())
}

// yields gives the commit that the marker is left to, "" for none: a newer one and, on an image that came over what this call
// wrote, every one that is not older, since it came later.
func (m *mover) yields(ctx context.Context, have string) (string, error) {
	if have == "" {
		return "", nil
	}
	held, err := commitsOf(ctx, m.ref.Context().Digest(have))
	if err != nil {
		return "", err
	}
	for _, other := range held {
		if other == m.commit {
			continue
		}
		newer, err := m.isAncestor(ctx, m.commit, other)
		if err == nil && !newer && m.wrote && have != m.before {
			var older bool
			older, err = m.isAncestor(ctx, other, m.commit)
			newer = !older
		}
		if err != nil {
			return "", fmt.Errorf("it is on the image of commit %.7s, and whether that came after %.7s is not known: %w", other, m.commit, err)
		}
		if newer {
			return other, nil
		}
	}
	return "", nil
}

// look gives what the marker holds, "" for nothing.
func (m *mover) look(ctx context.Context) (string, error) {
	defer m.time()()
	have, err := resolve(ctx, m.ref)
	var missing *NotFoundError
	if errors.As(err, &missing) {
		return "", nil
	}
	return have, err
}

// write puts the marker in one request that is not repeated by itself: what was decided may be wrong a moment later.
func (m *mover) write(ctx context.Context) error {
	manifest, err := remote.Get(m.image, options(ctx)...)
	if err != nil {
		return classify(ctx, m.image.Context(), m.image.DigestStr(), err)
	}
	defer m.time()()
	m.wrote = true // it may have been, even if the answer is an error
	return classify(ctx, m.ref.Context(), "", remote.Tag(m.ref, manifest, options(once(ctx))...))
}

func (m *mover) time() func() {
	began := time.Now()
	return func() { m.slowest = max(m.slowest, time.Since(began)) }
}

// passing says whether an error may not come again a moment later.
func passing(err error) bool {
	var unreachable *UnreachableError
	return errors.As(err, &unreachable)
}
