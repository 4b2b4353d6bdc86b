package traffic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/cluster"
)

// hosts is what is asked of *cluster.Cluster.
type hosts interface {
	BalancerHost(ctx context.Context, service string) (string, error)
}

// answers is what is asked of *DNS.
type answers interface {
	Find(ctx context.Context, host string) (Balancer, error)
	Check(ctx context.Context, stable Balancer) error
	Ensure(ctx context.Context, stable Balancer) (Change, error)
	Healthy(ctx context.Context, b Balancer, least int) error
	Shift(ctx context.Context, stable, candidate Balancer, percent float64) (Weights, error)
	Restore(ctx context.Context) (Change, error)
	Settle(ctx context.Context, change Change) error
}

// Names is the entrance that a DNS name is: its answers are shared between the load balancer of the shared Service and the one that
// the candidate's own Service has while a rollout lasts.
type Names struct {
	in  hosts
	dns answers
	as  cluster.Entrance
}

// FindNames takes the one Service of type LoadBalancer that a name can stand for; the entrance that it gives is what is to be recorded
// before anything moves.
func FindNames(c *cluster.Cluster, dns *DNS, ways []cluster.Way) (*Names, error) {
	if len(ways) != 1 {
		names := make([]string, 0, len(ways))
		for _, w := range ways {
			names = append(names, w.Shared)
		}
		return nil, fmt.Errorf("a DNS name stands for one Service of type LoadBalancer, and the manifests have %d (%s): give the others a service of their own, or use the input `traffic: pods`", len(ways), strings.Join(names, ", "))
	}
	return OpenNames(c, dns, cluster.Entrance{Kind: cluster.EntranceRoute53, Zone: dns.cfg.Zone, Name: dns.cfg.Name, Ways: ways}), nil
}

// OpenNames takes a recorded entrance up again.
func OpenNames(c *cluster.Cluster, dns *DNS, as cluster.Entrance) *Names {
	return &Names{in: c, dns: dns, as: as}
}

// Entrance is the record of it.
func (n *Names) Entrance() cluster.Entrance { return n.as }

// Check refuses a zone and records that can't be shared, and rights that are missing. The name itself may be missing.
func (n *Names) Check(ctx context.Context) error {
	stable, err := n.balancer(ctx, n.as.Ways[0].Shared)
	if err != nil {
		return err
	}
	return n.dns.Check(ctx, stable)
}

// Establish makes the name, with all answers for the shared Service's load balancer, unless it is there, and returns when it is
// answered.
func (n *Names) Establish(ctx context.Context) error {
	stable, err := n.balancer(ctx, n.as.Ways[0].Shared)
	if err != nil {
		return err
	}
	if err := n.dns.Check(ctx, stable); err != nil {
		return err
	}
	change, err := n.dns.Ensure(ctx, stable)
	if err != nil {
		return err
	}
	return n.dns.Settle(ctx, change)
}

// Shift waits until the candidate's load balancer is healthy, moves both weights in one batch, and returns when resolvers have no
// older answers.
func (n *Names) Shift(ctx context.Context, percent float64) error {
	stable, errStable := n.balancer(ctx, n.as.Ways[0].Shared)
	own, errOwn := n.balancer(ctx, n.as.Ways[0].Own.Name)
	if err := errors.Join(errStable, errOwn); err != nil {
		return err
	}
	if err := n.dns.Healthy(ctx, own, 1); err != nil {
		return err
	}
	if _, err := n.dns.Ensure(ctx, stable); err != nil {
		return err
	}
	_, err := n.dns.Shift(ctx, stable, own, percent)
	return err
}

// Return gives all answers to the shared Service's load balancer, and does not wait until resolvers ask again.
func (n *Names) Return(ctx context.Context) error {
	_, err := n.dns.Restore(ctx)
	return err
}

// Close waits until the shared Service's load balancer is healthy, gives it all answers, and returns when resolvers have no others.
func (n *Names) Close(ctx context.Context) error {
	stable, err := n.balancer(ctx, n.as.Ways[0].Shared)
	if err != nil {
		return err
	}
	if err := n.dns.Healthy(ctx, stable, 1); err != nil {
		return err
	}
	change, err := n.dns.Restore(ctx)
	if err != nil {
		return err
	}
	return n.dns.Settle(ctx, change)
}

// balancer is the load balancer of a Service.
func (n *Names) balancer(ctx context.Context, service string) (Balancer, error) {
	host, err := n.in.BalancerHost(ctx, service)
	if err != nil {
		return Balancer{}, err
	}
	return n.dns.Find(ctx, host)
}
