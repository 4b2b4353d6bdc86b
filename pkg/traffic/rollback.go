package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
)

const (
	// endpointTime bounds the wait for the endpoint list after a rollback. The patch has been accepted; pods that still
	// serve a bad version must not run on because a controller is slow.
	endpointTime = 2 * time.Second
	// proxyTime is how long kube-proxy may take from the endpoint list to its tables. Stopping a pod sooner would turn bad
	// answers into refused connections.
	proxyTime = 500 * time.Millisecond
	// gatewayTime is the same for what weights lead through: a gateway that knows the pods themselves takes changes together (Traefik
	// those of two seconds).
	gatewayTime = 3 * time.Second
)

// Rollback lets the baseline alone take traffic. The patch of the Service comes first; then the baseline gets its pods
// back; then the candidate's are stopped, since connections that are already open would go on reaching them. The one thing
// that comes before the patch is a baseline without any ready pod: to select nothing would be the outage.
func (p *Pods) Rollback(ctx context.Context) error {
	return p.rollback(ctx, p.cfg.Services, proxyTime, func(context.Context) {})
}

// rollback lets the Services select the baseline, and does then what also helps, before the candidate's pods are stopped; lag is how
// long traffic may take to follow the endpoint list.
func (p *Pods) rollback(ctx context.Context, services []Service, lag time.Duration, then func(context.Context)) error {
	baseline, candidate := p.cfg.Baseline, p.cfg.Candidate
	if _, ready, err := p.ops.Replicas(ctx, baseline.Deployment.Name); err == nil && ready == 0 {
		p.log(fmt.Sprintf("%s has no ready pod; it starts before traffic returns to it", baseline.Deployment))
		if err := p.raise(ctx, baseline, p.cfg.Replicas); err != nil {
			return err
		}
	}
	var errs []error
	for _, s := range services {
		if err := p.ops.Select(ctx, s.Name, s.selector(baseline.ID)); err != nil {
			errs = append(errs, err)
			continue
		}
		p.log(fmt.Sprintf("Service/%s/%s selects %s alone", p.namespace, s.Name, baseline.ID))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	refill := p.refill(ctx)
	then(ctx)
	if p.settled(ctx, services) {
		wait(ctx, lag)
	}
	if err := p.ops.Kill(ctx, candidate.Deployment.Name); err != nil && !cluster.IsNotFound(err) {
		return errors.Join(refill, err)
	}
	return refill
}

// refill gives the baseline the pods that it had. It does not wait for them: they help, but safety does not need them.
func (p *Pods) refill(ctx context.Context) error {
	name := p.cfg.Baseline.Deployment.Name
	desired, _, err := p.ops.Replicas(ctx, name)
	if err == nil && desired < p.cfg.Replicas {
		err = p.ops.Scale(ctx, name, p.cfg.Replicas)
	}
	return err
}

// settled waits a moment until the endpoint lists hold the baseline alone, and says whether they do.
func (p *Pods) settled(ctx context.Context, services []Service) bool {
	ctx, cancel := context.WithTimeout(ctx, endpointTime)
	defer cancel()
	for _, s := range services {
		if err := p.ops.AwaitEndpoints(ctx, s.Name, cluster.Endpoints{Releases: []string{p.cfg.Baseline.ID}}); err != nil {
			return false
		}
	}
	return true
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
