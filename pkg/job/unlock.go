package job

import (
	"context"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/release"
)

// Unlock gives the lock of a run that is done back, also when it was cancelled: others wait for it. That it can't be given back
// is a warning: what the run has done stands, and the lock frees itself.
func Unlock(ctx context.Context, a *gha.Action, c *release.Candidate) {
	if err := c.Close(context.WithoutCancel(ctx)); err != nil {
		a.Warningf("%v", err)
	}
}
