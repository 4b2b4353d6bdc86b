package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// NotFoundError says that the registry answered and does not have the image.
type NotFoundError struct {
	Repository string
	Tag        string // a tag, or a digest ("sha256:…")
}

func (e *NotFoundError) Error() string {
	separator := ":"
	if strings.HasPrefix(e.Tag, "sha256:") {
		separator = "@"
	}
	return fmt.Sprintf("image %q does not exist in its registry", e.Repository+separator+e.Tag)
}

// UnreachableError says that the registry gave no usable answer: nothing
// listens, the name does not resolve, or it kept failing until the retries were
// used up.
type UnreachableError struct {
	Registry string // host, with port if there is one
	Err      error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("reaching registry %q: %v", e.Registry, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// BusyError says that the registry's rate limit holds longer than a run waits.
type BusyError struct {
	Registry string
	Wait     time.Duration // what the registry asks for; 0 if it does not say
}

func (e *BusyError) Error() string {
	text := fmt.Sprintf("reaching registry %q: its rate limit is used up", e.Registry)
	if e.Wait > 0 {
		text += fmt.Sprintf("; it asks to wait for %v", e.Wait.Round(time.Second))
	}
	return text
}

// NoRepositoryError says that the registry wants a repository to be made before something is pushed to it.
type NoRepositoryError struct {
	Repository string
	Err        error
}

func (e *NoRepositoryError) Error() string {
	return fmt.Sprintf("opening repository %q: %v", e.Repository, e.Err)
}

func (e *NoRepositoryError) Unwrap() error { return e.Err }

// DeniedError says that the registry refused these credentials.
type DeniedError struct {
	Repository string
	Err        error
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("getting access to repository %q: %v", e.Repository, e.Err)
}

func (e *DeniedError) Unwrap() error { return e.Err }

// TagTakenError says that a tag that never moves, a commit's or a tree's, holds
// another digest than the one that was to get it. The tag was left as it was.
type TagTakenError struct {
	Repository, Tag string
	Have, Want      string // digests
}

func (e *TagTakenError) Error() string {
	kind := "commit"
	if IsTreeTag(e.Tag) {
		kind = "tree"
	}
	return fmt.Sprintf("tagging %q: the %s tag holds %s already and never moves; this build is %s", e.Repository+":"+e.Tag, kind, e.Have, e.Want)
}

// classify turns what the registry client returned into this package's errors.
// subject is the tag or digest that was asked for, "" when there is none.
func classify(ctx context.Context, repository name.Repository, subject string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("talking to registry %q: %w", repository.RegistryStr(), context.Cause(ctx))
	}
	var busy *BusyError
	if errors.As(err, &busy) {
		return busy
	}
	var answer *transport.Error
	answered := errors.As(err, &answer)
	if failed := login(err); !answered && failed != nil {
		return failed
	}
	err = said(err)
	if !answered {
		return &UnreachableError{Registry: repository.RegistryStr(), Err: err}
	}
	switch answer.StatusCode {
	case http.StatusNotFound:
		if subject != "" {
			return &NotFoundError{Repository: repository.Name(), Tag: subject}
		}
		return &NoRepositoryError{Repository: repository.Name(), Err: err}
	case http.StatusUnauthorized, http.StatusForbidden:
		return &DeniedError{Repository: repository.Name(), Err: err}
	}
	if answer.StatusCode == http.StatusTooManyRequests {
		return &BusyError{Registry: repository.RegistryStr()}
	}
	if answer.Temporary() || answer.StatusCode >= http.StatusInternalServerError {
		return &UnreachableError{Registry: repository.RegistryStr(), Err: err}
	}
	return fmt.Errorf("using repository %q: %w", repository.Name(), err)
}
