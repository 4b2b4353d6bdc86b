// Command build builds one image of a change's head commit, pushes it once, and tags it with the commit and a marker.
//
// It refuses to build anything but that commit: another checked-out commit, a modified or an untracked file in the build
// context. It refuses to move a commit's tag to another image. It never builds for an environment: what differs between
// environments comes in at deploy time.
//
// It runs as the GitHub Action beside it; action.yml has the inputs, README.md explains them:
//
//   - uses: org/promote/actions/build@v1
//     with: { image: registry.example/team/checkout }
package main

import (
	"context"
	"os"

	"github.com/org/promote/pkg/gha"
)

func main() {
	os.Exit(gha.Run(os.Getenv, os.Stdout, func(ctx context.Context, a *gha.Action) error {
		return run(ctx, a, os.Environ())
	}))
}
