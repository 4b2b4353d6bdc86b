package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ErrLockLost is the cause when another run has taken the lock over: nothing more may be written.
var ErrLockLost = errors.New("the lock was lost to another run")

// IsNotFound says that the object does not exist.
func IsNotFound(err error) bool { return apierrors.IsNotFound(err) }

// unanswered says that a write got no answer, so that only a read can tell whether it was done. An API server that stayed out
// of reach for as long as is waited is not asked again.
func unanswered(ctx context.Context, err error) bool {
	var answer apierrors.APIStatus
	var away *UnreachableError
	return err != nil && ctx.Err() == nil && !errors.As(err, &answer) && !errors.As(err, &away)
}

// FailedError says that an object will not become ready.
type FailedError struct {
	// Subject is Kind/namespace/name.
	Subject string
	// Reason is one word or a short phrase: ImagePull, CrashLoop, BadConfig, Quota, OutOfMemory, NotReady, …
	Reason string
	// Message is the cause in words, the first that was seen.
	Message string
	// Diagnosis is what was found before anything was cleaned up.
	Diagnosis Diagnosis
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("waiting for %s: %s: %s", e.Subject, e.Reason, strings.TrimSpace(e.Message))
}

// ObjectError is an error about one object that was to be applied or checked.
type ObjectError struct {
	Ref   ObjectRef
	cause error
}

func (e *ObjectError) Error() string { return e.cause.Error() }
func (e *ObjectError) Unwrap() error { return e.cause }

// ConflictError says that fields of an object belong to other managers, who would undo or be undone by this write.
type ConflictError struct {
	Subject string
	// Fields maps each manager's name to the paths of the fields that it owns and the manifest sets.
	Fields map[string][]string
	// Service is the service of promote that has the object; empty when it is somebody else's.
	Service string
}

// TooLargeError says that an object would have more bytes than its kind takes.
type TooLargeError struct {
	Subject     string
	Size, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s would have %d bytes, and takes %d", e.Subject, e.Size, e.Limit)
}

// WrongEnvironmentError says that the namespace is another environment than the one asked for.
type WrongEnvironmentError struct {
	Namespace, Wanted, Found string
}

// UnreachableError says that the API server could not be reached for as long as an outage is ridden out.
type UnreachableError struct {
	Host  string
	For   time.Duration
	Cause string
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the API server %s could not be reached for %s: %s", e.Host, e.For.Round(time.Second), e.Cause)
}

func (e *ConflictError) Error() string {
	if e.Service != "" {
		return fmt.Sprintf("applying %s: service %q has an object of that name (%s): give one of the two another name", e.Subject, e.Service, e.owners())
	}
	return fmt.Sprintf("applying %s: other managers own fields that the manifest sets (%s): remove the fields from the manifest, let that manager give them up, "+
		"or set the input `force` to take them", e.Subject, e.owners())
}

// owners says who owns what.
func (e *ConflictError) owners() string {
	var owners []string
	for _, manager := range slices.Sorted(maps.Keys(e.Fields)) {
		owners = append(owners, fmt.Sprintf("%q owns %s", manager, strings.Join(e.Fields[manager], ", ")))
	}
	return strings.Join(owners, "; ")
}

func (e *WrongEnvironmentError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("Namespace/%s does not say which environment it is, %q was asked for: label it %s=%s if it is the right one",
			e.Namespace, e.Wanted, LabelEnvironment, e.Wanted)
	}
	return fmt.Sprintf("Namespace/%s is the environment %q, not %q: this job runs on the runner, or with the kubeconfig, of another environment; "+
		"give the job the runner label of %q (such as `runs-on: promote-%s`)", e.Namespace, e.Found, e.Wanted, e.Wanted, e.Wanted)
}
