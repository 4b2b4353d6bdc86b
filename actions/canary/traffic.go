package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/traffic"
)

// What shares the traffic.
const (
	trafficPods    = "pods"
	trafficGateway = "gateway"
	trafficRoute53 = "route53"
)

// owns says what the candidate's own Services are for.
var owns = map[string]release.Own{trafficPods: release.OwnTested, trafficGateway: release.OwnWeighted, trafficRoute53: release.OwnBalanced}

// shared says who shares the traffic.
func shared(c *release.Candidate, in inputs, a *gha.Action) (traffic.Config, error) {
	baseline, err := trafficRelease(*c.Baseline)
	candidate, err2 := trafficRelease(c.Release)
	if err := errors.Join(err, err2); err != nil {
		return traffic.Config{}, err
	}
	cfg := traffic.Config{
		Baseline: baseline, Candidate: candidate, Replicas: c.BaselineReplicas, Settle: in.Drain, Ready: in.Timeout, Log: logTo(a),
	}
	own := map[string]string{}
	for _, w := range c.Ways() {
		own[w.Shared] = w.Own.Name
	}
	for _, s := range c.Services {
		cfg.Services = append(cfg.Services, traffic.Service{Name: s.Name, Selector: s.Selector, Own: own[s.Name]})
	}
	return cfg, nil
}

// newFleet takes the pods of the two releases' Deployments, and what leads clients to them.
func newFleet(ctx context.Context, a *gha.Action, in inputs, cl *cluster.Cluster, c *release.Candidate, cfg traffic.Config) (rollout.Fleet, error) {
	if in.traffic == trafficPods {
		return traffic.NewPods(ctx, cl, cfg)
	}
	entrance, err := newEntrance(ctx, a, in, cl, c)
	if err != nil {
		return nil, err
	}
	fleet, err := traffic.NewWeighted(ctx, cl, cfg, entrance)
	if err != nil {
		return nil, err
	}
	c.Open(entrance.Entrance())
	return fleet, nil
}

// entrance is one that can be recorded.
type entrance interface {
	traffic.Entrance
	Entrance() cluster.Entrance
}

func newEntrance(ctx context.Context, a *gha.Action, in inputs, cl *cluster.Cluster, c *release.Candidate) (entrance, error) {
	if left := c.State.Entrance; left != nil && left.Kind == cluster.EntranceGateway {
		return traffic.OpenGateway(cl, *left, logTo(a)), nil
	}
	if in.traffic == trafficGateway {
		return traffic.FindGateway(ctx, cl, c.Ways(), logTo(a))
	}
	dns, err := newDNS(ctx, a, in, in.hostedZone, in.dnsName)
	if err != nil {
		return nil, err
	}
	if left := c.State.Entrance; left != nil {
		return traffic.OpenNames(cl, dns, *left), nil
	}
	return traffic.FindNames(cl, dns, c.Ways())
}

func newDNS(ctx context.Context, a *gha.Action, in inputs, zone, name string) (*traffic.DNS, error) {
	return traffic.NewDNS(ctx, in.AWSRegion, traffic.DNSConfig{Zone: zone, Name: name, ID: "promote/" + in.Service, TTL: in.dnsTTL, Log: logTo(a)})
}

// establish makes the DNS name that leads to the release that serves, unless it is there.
func establish(ctx context.Context, a *gha.Action, in inputs, cl *cluster.Cluster, c *release.Candidate) error {
	if in.traffic != trafficRoute53 {
		return nil
	}
	dns, err := newDNS(ctx, a, in, in.hostedZone, in.dnsName)
	if err != nil {
		return err
	}
	ways := make([]cluster.Way, 0, 1)
	for _, service := range c.Balancers() {
		ways = append(ways, cluster.Way{Shared: service})
	}
	names, err := traffic.FindNames(cl, dns, ways)
	if err != nil {
		return err
	}
	if err := names.Establish(ctx); err != nil {
		return fmt.Errorf("release %s serves, but %s does not lead to it yet; run the action again: %w", c.Release.ID, in.dnsName, err)
	}
	return nil
}

// trafficRelease finds the one Deployment of a release. Shares are counted in its pods; with several there is no one share.
func trafficRelease(r cluster.Release) (traffic.Release, error) {
	if len(r.Deployments) != 1 {
		return traffic.Release{}, fmt.Errorf("release %s has %d Deployments, and a canary by pods shares the traffic of one; give the others a service of their own, or use the deploy action", r.ID, len(r.Deployments))
	}
	for _, o := range r.Inventory {
		if o.Kind == "Deployment" && o.Name == r.Deployments[0] {
			return traffic.Release{ID: r.ID, Deployment: o}, nil
		}
	}
	return traffic.Release{}, fmt.Errorf("release %s has no record of its Deployment %q", r.ID, r.Deployments[0])
}

// reopen takes up what a run left open, whatever it was that this one shares its traffic by.
func reopen(a *gha.Action, in inputs, cl *cluster.Cluster) func(context.Context, cluster.Entrance) (release.Closer, error) {
	return func(ctx context.Context, left cluster.Entrance) (release.Closer, error) {
		switch left.Kind {
		case cluster.EntranceGateway:
			return traffic.OpenGateway(cl, left, logTo(a)), nil
		case cluster.EntranceRoute53:
			dns, err := newDNS(ctx, a, in, left.Zone, left.Name)
			if err != nil {
				return nil, err
			}
			return traffic.OpenNames(cl, dns, left), nil
		}
		return nil, fmt.Errorf("this version knows no entrance %q; use the version that opened it", left.Kind)
	}
}

func logTo(a *gha.Action) func(string) {
	return func(line string) { a.Infof("%s", line) }
}
