package main

import (
	"context"
	"fmt"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/metrics"
)

// open gives the monitor to ask. Nothing is asked yet.
func (m monitor) open(ctx context.Context, cl *cluster.Cluster) (metrics.Querier, error) {
	switch m.kind {
	case datadog:
		return metrics.NewDatadog(metrics.DatadogConfig{Site: m.site, URL: m.url, APIKey: m.token, AppKey: m.more})
	case newRelic:
		return metrics.NewNewRelic(metrics.NewRelicConfig{Region: m.site, URL: m.url, Account: m.account, Key: m.token})
	case cloudWatch:
		q, err := metrics.NewCloudWatch(ctx, metrics.CloudWatchConfig{Region: m.region})
		if err != nil {
			return nil, fmt.Errorf("preparing CloudWatch (input `aws-region`): %w", err)
		}
		return q, nil
	case pods:
		return openPods(cl)
	}
	cfg := metrics.PrometheusConfig{URL: m.url, User: m.user, Token: m.token, TLS: m.tls}
	if m.sign {
		var err error
		if cfg.SigV4, err = metrics.NewSigV4(ctx, m.region); err != nil {
			return nil, fmt.Errorf("preparing the signature (inputs `monitor-auth`, `aws-region`): %w", err)
		}
	}
	return metrics.NewPrometheus(cfg)
}

// openPods asks the pods of the cluster that is deployed to.
func openPods(cl *cluster.Cluster) (metrics.Querier, error) {
	return metrics.NewPods(metrics.PodsConfig{
		Namespace: cl.Namespace, HTTP: cl.PodTransport(),
		Targets: func(ctx context.Context, release string) ([]metrics.Target, error) {
			exporters, err := cl.Exporters(ctx, release)
			var targets []metrics.Target
			for _, e := range exporters {
				targets = append(targets, metrics.Target{Pod: e.Pod, UID: string(e.UID), URL: e.URL, Started: e.Started})
			}
			return targets, err
		},
	})
}
