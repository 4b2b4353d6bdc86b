package job

import (
	"context"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/eks"
	"github.com/org/promote/pkg/gha"
)

// oneWay leaves one way to the cluster. What the workflow names outranks runners, the kubeconfig of the runner.
func (v *Inputs) oneWay(in *gha.Inputs, runners string) {
	switch {
	case v.Cluster != "" && v.Kubeconfig != "":
		in.Problem("cluster", "and `kubeconfig` are both set; give one of them")
	case v.Cluster != "":
		if err := eks.CheckName(v.Cluster); err != nil {
			in.Problem("cluster", "%v", err)
		}
	case v.Kubeconfig == "":
		v.Kubeconfig = runners
	}
}

// Connect reaches the cluster by what names it: the input `cluster`, a kubeconfig, or the pod that the runner is.
func Connect(ctx context.Context, a *gha.Action, in Inputs) (*cluster.Cluster, error) {
	return connect(ctx, a, in, 0)
}

// connect is Connect with a patience of its own with an API server that can't be reached; 0 is the cluster's usual one.
func connect(ctx context.Context, a *gha.Action, in Inputs, outage time.Duration) (*cluster.Cluster, error) {
	cfg := cluster.Config{
		Kubeconfig: in.Kubeconfig, Namespace: in.Namespace, Redact: a.Redact, Force: in.Force, Outage: outage,
		Warn: func(text string) { a.Infof("the API server warns: %s", text) },
	}
	if in.Cluster != "" {
		found, err := eks.Open(ctx, eks.Config{Name: in.Cluster, Region: in.AWSRegion})
		if err != nil {
			return nil, fmt.Errorf("finding the cluster (inputs `cluster`, `aws-region`): %w", err)
		}
		cfg.Endpoint = &cluster.Endpoint{URL: found.Endpoint, CA: found.CA, Reach: found.Reach, Identity: found}
	}
	cl, err := cluster.Connect(cfg)
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster (inputs `cluster`, `kubeconfig`): %w", err)
	}
	return cl, nil
}
