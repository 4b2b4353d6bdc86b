// Command deploy brings one image into one environment: it renders the service's manifests, brings the release up beside
// the one that serves, tests it there, and only then moves the traffic. On any failure what served before goes on serving.
//
// It refuses an image without a digest, a pull request that is not approved as asked, a runner of another environment, and a
// checkout that is not the commit it deploys.
//
// It runs as the GitHub Action beside it; action.yml has the inputs, README.md explains them:
//
//   - uses: org/promote/actions/deploy@v1
//     with: { environment: test, service: checkout, image: registry.example.com/checkout, manifests: deploy }
//
// On a person's machine it shows what would be applied, with no network and no credentials; flags are the action's inputs:
//
//	go run github.com/org/promote/actions/deploy render -manifests deploy -service checkout -environment test
package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"github.com/org/promote/pkg/gha"
)

func main() {
	getenv, err := arguments(os.Args[1:], os.Getenv, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		os.Exit(2) // What is wrong with them has been said, as flags do.
	}
	os.Exit(gha.Run(getenv, os.Stdout, func(ctx context.Context, a *gha.Action) error {
		return run(ctx, a, surroundings{Environ: os.Environ(), Kubeconfig: os.Getenv("KUBECONFIG")})
	}))
}
