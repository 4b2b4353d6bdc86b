package aws

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
)

// LoadBalancer is a load balancer of Elastic Load Balancing, and where it really is.
type LoadBalancer struct {
	Name string
	// Host is its DNS name. A and AAAA queries for it are answered with IPv4 and IPv6; a valid IPv6 makes it dual-stack.
	Host       string
	IPv4, IPv6 netip.Addr
	// Type is network when empty; application and gateway are the others.
	Type     string
	Internal bool
	// State is active when empty; provisioning, active_impaired and failed are the others. Reason says why it is what it is.
	State, Reason string
	// Zones are the availability zones that it is enabled in.
	Zones  []string
	Groups []TargetGroup
}

// TargetGroup is what stands behind one of a balancer's ports.
type TargetGroup struct {
	Name string
	Port int
	// Type is ip when empty, or instance.
	Type string
	// Interval (in seconds) and Threshold are those of its health checks; 10 and 3 when zero.
	Interval, Threshold int
	Targets             []Target
}

// Target is one address of a group.
type Target struct {
	ID   string
	Port int
	// Zone is empty for a node.
	Zone string
	// State is healthy, initial, unhealthy, unused, draining or unavailable. Reason and Description are AWS's words about it.
	State, Reason, Description string
}

// The zones that balancers' names are in, by type. They are those of eu-west-1,
// https://docs.aws.amazon.com/general/latest/gr/elb.html.
var balancerZones = map[string]string{"network": "Z2IFOLAFXWLO4F", "application": "Z32O12XQLNTSW2", "gateway": "Z2IFOLAFXWLO4F"}

func isBalancerZone(id string) bool {
	for _, zone := range balancerZones {
		if zone == id {
			return true
		}
	}
	return false
}

// SetBalancers says who tells which load balancers there are. It is asked at every request, under the server's lock: it must be quick,
// and not call the server.
func (s *Server) SetBalancers(all func() []LoadBalancer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balancers = all
}

// balancerAt finds the balancer with a DNS name.
func balancerAt(all []LoadBalancer, host string) (LoadBalancer, bool) {
	i := slices.IndexFunc(all, func(b LoadBalancer) bool { return full(b.Host) == strings.TrimPrefix(full(host), "dualstack.") })
	if i < 0 {
		return LoadBalancer{}, false
	}
	return all[i], true
}

func (b LoadBalancer) kind() string {
	if b.Type == "" {
		return "network"
	}
	return b.Type
}

func (b LoadBalancer) zone() string { return balancerZones[b.kind()] }

// address is the one that a record of that type gives.
func (b LoadBalancer) address(recordType string) netip.Addr {
	switch recordType {
	case "A":
		return b.IPv4
	case "AAAA":
		return b.IPv6
	}
	return netip.Addr{}
}

// healthy is what Route 53 evaluates: every target group has a healthy target.
func (b LoadBalancer) healthy() bool {
	sick := func(g TargetGroup) bool {
		return !slices.ContainsFunc(g.Targets, func(t Target) bool { return t.State == "healthy" })
	}
	return len(b.Groups) > 0 && !slices.ContainsFunc(b.Groups, sick)
}

// arn is made of what does not change.
func (b LoadBalancer) arn(region string) string {
	short := map[string]string{"network": "net", "application": "app", "gateway": "gwy"}[b.kind()]
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/%s/%s/%s", region, account, short, b.Name, digest(b.Host))
}

func (g TargetGroup) arn(region string, b LoadBalancer) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s/%s", region, account, g.Name, digest(b.Host+" "+g.Name))
}

func digest(text string) string {
	h := fnv.New64a()
	h.Write([]byte(text))
	return fmt.Sprintf("%016x", h.Sum64())
}
