package job

import (
	"errors"
	"fmt"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/release"
)

// Cause is the first thing that went wrong, in the few words that a status has room for.
func Cause(err error) string {
	var failed *cluster.FailedError
	if errors.As(err, &failed) {
		return fmt.Sprintf("%s: %s", failed.Subject, failed.Reason)
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) && len(joined.Unwrap()) > 0 {
		return Cause(joined.Unwrap()[0])
	}
	return err.Error()
}

// GaveWay says that the run let a later one take its place.
func GaveWay(err error) bool {
	var neutral *change.Neutral
	return errors.As(err, &neutral) && neutral.Name == release.Superseded
}
