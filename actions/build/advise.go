package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/image"
)

// advise adds to an error what a person can do about it.
func advise(err error) error {
	var (
		unreachable *image.UnreachableError
		busy        *image.BusyError
		denied      *image.DeniedError
		missing     *image.NoRepositoryError
		taken       *image.TagTakenError
		other       *otherRecipe
		failed      *image.BuildError
	)
	switch {
	case errors.As(err, &unreachable):
		return fmt.Errorf("%w; check the input `image` and that this runner can reach %s", err, unreachable.Registry)
	case errors.As(err, &busy):
		return fmt.Errorf("%w; run the job again later: what was uploaded stays, and is not sent twice", err)
	case errors.As(err, &denied):
		return fmt.Errorf("%w; log in to the registry in a step before this one, with leave to push to the repository in the input `image`", err)
	case errors.As(err, &missing):
		// On a line of its own: the one before may be the command that makes it, which is there to be copied.
		return fmt.Errorf("%w\ncreate the repository, or change the input `image`", err)
	case errors.As(err, &taken):
		return fmt.Errorf("%w; the build does not give the same image each time: pin what it downloads, or push a new commit", err)
	case errors.As(err, &other):
		return fmt.Errorf("%w; push a new commit for a build with other inputs, or delete that tag if nothing uses it", err)
	case errors.As(err, &failed) && strings.Contains(failed.Cause, "not supported for the docker driver"):
		return fmt.Errorf("%w\nthe selected builder cannot write OCI layouts: put docker/setup-buildx-action before this step, or set the input `builder` to buildctl", err)
	}
	return err
}
