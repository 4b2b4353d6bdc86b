// Command unit-test runs a repository's unit tests and says what happened: counts, annotations at the lines that failed, a
// summary, and the commit status promote/unit-test on the change's head commit.
//
// It refuses to test another commit than the one it reports on, to guess a command when the folder does not settle it, and
// to call it a pass when no test ran or a reported failure left the exit code at 0.
//
// It runs as the GitHub Action beside it; action.yml has the inputs, README.md explains them:
//
//   - uses: org/promote/actions/unit-test@v1
//     with: { command: make test, junit: "build/*.xml" }
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
