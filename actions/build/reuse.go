package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
)

// found is what the registry has for a commit before anything is built.
type found struct {
	// image is the one to use; its digest is empty when one has to be built.
	image image.Info
	// tags are those that never move and that the commit's image gets: the commit, and the tree if the image stands for it.
	tags []string
}

// look finds the image of the commit's tree and recipe, whichever commit it was built for: after an amended message, after a
// rebase that ends in the same tree, and when a run is repeated. Its tag says where to look; its label is the proof.
//
// Only an image that was built from nothing but the commit's files has a tree's tag, so an image with the commit's tag alone
// is built again: it may hold files that git ignores. One from another recipe is an error, since a commit's tag cannot move.
func look(ctx context.Context, a *gha.Action, in inputs, c change.Change, src source, fingerprint string) (found, error) {
	own, err := held(ctx, in.repository, c.Head)
	if err != nil {
		return found{}, err
	}
	if own.Digest != "" && own.Labels[recipeLabel] != fingerprint {
		return found{}, &otherRecipe{repository: in.repository, commit: c.Head, digest: own.Digest}
	}
	alone := found{tags: []string{c.Head}}
	if src.extra {
		if own.Digest != "" {
			a.Infof("building again although the registry has %s for this commit: the build context holds files that git ignores", own.Digest)
		}
		return alone, nil
	}
	tag := image.TreeTag(src.tree, fingerprint)
	tree, err := held(ctx, in.repository, tag)
	switch {
	case err != nil:
		return found{}, err
	case tree.Digest == "":
		// The tree's tag is put first: when another run of the tree takes it, this commit has none yet and can get that image.
		return found{tags: []string{tag, c.Head}}, nil
	case tree.Labels[recipeLabel] != fingerprint:
		a.Warningf("the tag %s holds %s, whose label %s is not that of this tree and these inputs, so it proves nothing: the image is built, and the tag left as it is; delete it",
			tag, tree.Digest, recipeLabel)
		return alone, nil
	case own.Digest != "" && own.Digest != tree.Digest:
		a.Infof("building again: the tags of this commit and of its tree hold two images, %s and %s", own.Digest, tree.Digest)
		return alone, nil
	}
	a.Infof("the registry has %s for this tree, built from the same inputs: nothing is built", tree.Digest)
	return found{image: tree, tags: []string{tag, c.Head}}, nil
}

// held is the image that a tag holds, with an empty digest if there is none.
func held(ctx context.Context, repository, tag string) (image.Info, error) {
	digest, err := image.Resolve(ctx, repository, tag)
	var missing *image.NotFoundError
	if errors.As(err, &missing) {
		return image.Info{}, nil
	}
	if err != nil {
		return image.Info{}, err
	}
	return image.Inspect(ctx, image.Reference(repository, digest))
}

// passing says whether an error comes from a registry that may do what it is asked a moment later.
func passing(err error) bool {
	var unreachable *image.UnreachableError
	var busy *image.BusyError
	return errors.As(err, &unreachable) || errors.As(err, &busy)
}

// reuse gives the commit the image that was found. Which commits an image stands for is noted before the tags are put, since
// the order of a marker depends on it.
func reuse(ctx context.Context, a *gha.Action, in inputs, c change.Change, have found) (result, error) {
	reference := image.Reference(in.repository, have.image.Digest)
	first := have.image.Labels[image.CommitLabel]
	if first != c.Head {
		if err := image.Record(ctx, reference, c.Head); passing(err) {
			return result{}, err
		} else if err != nil {
			a.Warningf("noting that %s stands for this commit too: %v; until the next build the marker's order relies on the image's label alone", have.image.Digest, err)
		}
	}
	if err := image.Tag(ctx, reference, have.tags...); err != nil {
		return result{}, err
	}
	pushed := image.Pushed{Digest: have.image.Digest, Tags: have.tags, Size: have.image.Size}
	return result{Pushed: pushed, reference: reference, reused: true, first: first}, nil
}

// otherRecipe says that the commit's tag holds an image that was built with other inputs, or by something else.
type otherRecipe struct{ repository, commit, digest string }

func (e *otherRecipe) Error() string {
	return fmt.Sprintf("building commit %s: %q holds %s, which was not built from these inputs, and a commit's tag never moves",
		change.Short(e.commit), e.repository+":"+e.commit, e.digest)
}
