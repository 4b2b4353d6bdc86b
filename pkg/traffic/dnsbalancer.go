package traffic

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Balancer is a load balancer of AWS.
type Balancer struct {
	// Host is its DNS name, in small letters.
	Host string
	ARN  string
	// Zone is the hosted zone that its DNS name is in, which an alias must name.
	Zone string
	// DualStack says that it has IPv6 addresses too, and Internal that its addresses are private ones.
	DualStack, Internal bool
	// Zones are the availability zones that it is enabled in.
	Zones []string
}

func (b Balancer) String() string { return fmt.Sprintf("load balancer %q", b.Host) }

// types are the records that name a balancer.
func (b Balancer) types() []types.RRType {
	if b.DualStack {
		return []types.RRType{types.RRTypeA, types.RRTypeAaaa}
	}
	return []types.RRType{types.RRTypeA}
}

// Find looks up the load balancer with the host name that Kubernetes wrote into a Service's status.
func (d *DNS) Find(ctx context.Context, host string) (Balancer, error) {
	found, err := d.lookUp(ctx, host)
	switch {
	case err != nil:
		return Balancer{}, err
	case found == nil:
		return Balancer{}, d.unknown(plain(host))
	case found.Type != elbtypes.LoadBalancerTypeEnumNetwork && found.Type != elbtypes.LoadBalancerTypeEnumApplication:
		return Balancer{}, fmt.Errorf("load balancer %q is of the type %q, and DNS answers can be shared between network and application load balancers only", plain(host), found.Type)
	case found.State != nil && found.State.Code == elbtypes.LoadBalancerStateEnumFailed:
		return Balancer{}, fmt.Errorf("load balancer %q could not be set up; AWS says: %s", plain(host), aws.ToString(found.State.Reason))
	}
	b := Balancer{
		Host: plain(aws.ToString(found.DNSName)), ARN: aws.ToString(found.LoadBalancerArn), Zone: aws.ToString(found.CanonicalHostedZoneId),
		DualStack: found.IpAddressType != elbtypes.IpAddressTypeIpv4, Internal: found.Scheme == elbtypes.LoadBalancerSchemeEnumInternal,
	}
	for _, zone := range found.AvailabilityZones {
		b.Zones = append(b.Zones, aws.ToString(zone.ZoneName))
	}
	slices.Sort(b.Zones)
	return b, nil
}

// lookUp reads the region's load balancers until the host is found: AWS can't be asked for a host name. nil means that none has it.
func (d *DNS) lookUp(ctx context.Context, host string) (*elbtypes.LoadBalancer, error) {
	pages := elb.NewDescribeLoadBalancersPaginator(d.elb.DescribeLoadBalancers, &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(400)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain(fmt.Sprintf("looking for the load balancer %q in %s", plain(host), d.region), describeBalancers, err)
		}
		for _, b := range page.LoadBalancers {
			if plain(aws.ToString(b.DNSName)) == plain(host) {
				return &b, nil
			}
		}
	}
	return nil, nil
}

var (
	// balancerForm is a host name of ELB: classic and application balancers have the region first, network balancers second.
	balancerForm = regexp.MustCompile(`\.(?:elb\.([a-z0-9-]+)|([a-z0-9-]+)\.elb)\.amazonaws\.com(?:\.cn)?$`)
)

// unknown says why AWS may not know a host.
func (d *DNS) unknown(host string) error {
	m := balancerForm.FindStringSubmatch(host)
	switch {
	case m == nil:
		return fmt.Errorf("load balancer %q does not exist in %s", host, d.region)
	case m[1]+m[2] != d.region:
		return fmt.Errorf("load balancer %q is one of %s, and was looked for in %s: change aws-region", host, m[1]+m[2], d.region)
	case m[2] != "":
		return fmt.Errorf("load balancer %q in %s is a classic one, or gone: Route 53 shares answers by the health of target groups, which a classic load balancer has not. "+
			"Let the AWS Load Balancer Controller make a network load balancer: annotate the Service with service.beta.kubernetes.io/aws-load-balancer-type: external", host, d.region)
	}
	return fmt.Errorf("load balancer %q does not exist in %s (any more)", host, d.region)
}
