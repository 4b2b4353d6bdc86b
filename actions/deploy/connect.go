package main

import (
	"context"
	"fmt"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/eks"
	"github.com/org/promote/pkg/gha"
)

// oneWay leaves one way to the cluster. What the workflow names outranks runners, the kubeconfig of the runner.
func (v *inputs) oneWay(in *gha.Inputs, runners string) {
	switch {
	case v.cluster != "" && v.kubeconfig != "":
		in.Problem("cluster", "and `kubeconfig` are both set; give one of them")
	case v.cluster != "":
		if err := eks.CheckName(v.cluster); err != nil {
			in.Problem("cluster", "%v", err)
		}
	case v.kubeconfig == "":
		v.kubeconfig = runners
	}
}

// connect reaches the cluster by what names it: the input `cluster`, a kubeconfig, or the pod that the runner is.
func connect(ctx context.Context, a *gha.Action, in inputs) (*cluster.Cluster, error) {
	cfg := cluster.Config{
		Kubeconfig: in.kubeconfig, Namespace: in.namespace, Redact: a.Redact, Force: in.force,
		Warn: func(text string) { a.Infof("the API server warns: %s", text) },
	}
	if in.cluster != "" {
		found, err := eks.Open(ctx, eks.Config{Name: in.cluster, Region: in.awsRegion})
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
