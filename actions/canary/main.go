// Command canary brings a merged change to production: the digest that test and stage have seen comes up beside the release
// that serves, takes its traffic in steps while an external monitor judges, and gives it back at the first trouble.
//
// It refuses a commit that no pull request brought or whose tree is not the tree that was tested, checks that can't tell the
// releases apart, and a service whose autoscaler can't be made to stand still meanwhile. When it can't see, it does not go on.
//
// It runs as the GitHub Action beside it; action.yml has the inputs, README.md explains them:
//
//   - uses: org/promote/actions/canary@v1
//     with: { environment: prod, service: checkout, image: registry.example.com/checkout, manifests: deploy, checks-file: deploy/checks.yaml }
package main

import (
	"context"
	"os"

	"github.com/org/promote/pkg/gha"
)

func main() {
	frugal(os.Getenv)
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case watchCommand:
			os.Exit(watch(os.Args[2:], os.Stdout))
		case replayCommand:
			os.Exit(replay(os.Args[2:], os.Stdout))
		}
	}
	os.Exit(gha.Run(os.Getenv, os.Stdout, func(ctx context.Context, a *gha.Action) error {
		return run(ctx, a, surroundings{
			Environ: os.Environ(), Kubeconfig: os.Getenv("KUBECONFIG"), MonitorURL: os.Getenv("PROMETHEUS_URL"),
		})
	}))
}
