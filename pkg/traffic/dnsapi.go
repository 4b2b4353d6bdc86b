package traffic

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
)

// operation is one operation of an AWS client. The operations that are used are held, and not their clients: a program with
// templates in it keeps every method of what reflection can reach, which would be all 120 of these two.
type operation[In, Out, Options any] func(ctx context.Context, in *In, options ...func(*Options)) (*Out, error)

// zones are the operations of Route 53.
type zones struct {
	GetHostedZone            operation[route53.GetHostedZoneInput, route53.GetHostedZoneOutput, route53.Options]
	ListResourceRecordSets   operation[route53.ListResourceRecordSetsInput, route53.ListResourceRecordSetsOutput, route53.Options]
	ChangeResourceRecordSets operation[route53.ChangeResourceRecordSetsInput, route53.ChangeResourceRecordSetsOutput, route53.Options]
	GetChange                operation[route53.GetChangeInput, route53.GetChangeOutput, route53.Options]
}

func newZones(cfg aws.Config, options ...func(*route53.Options)) zones {
	c := route53.NewFromConfig(cfg, options...)
	return zones{c.GetHostedZone, c.ListResourceRecordSets, c.ChangeResourceRecordSets, c.GetChange}
}

// balancers are the operations of Elastic Load Balancing.
type balancers struct {
	DescribeLoadBalancers listBalancers
	DescribeTargetGroups  listGroups
	DescribeTargetHealth  operation[elb.DescribeTargetHealthInput, elb.DescribeTargetHealthOutput, elb.Options]
}

func newBalancers(cfg aws.Config) balancers {
	c := elb.NewFromConfig(cfg)
	return balancers{c.DescribeLoadBalancers, c.DescribeTargetGroups, c.DescribeTargetHealth}
}

// listBalancers and listGroups are what the SDK's paginators ask.
type (
	listBalancers operation[elb.DescribeLoadBalancersInput, elb.DescribeLoadBalancersOutput, elb.Options]
	listGroups    operation[elb.DescribeTargetGroupsInput, elb.DescribeTargetGroupsOutput, elb.Options]
)

// DescribeLoadBalancers implements [elb.DescribeLoadBalancersAPIClient].
func (d listBalancers) DescribeLoadBalancers(ctx context.Context, in *elb.DescribeLoadBalancersInput, options ...func(*elb.Options)) (*elb.DescribeLoadBalancersOutput, error) {
	return d(ctx, in, options...)
}

// DescribeTargetGroups implements [elb.DescribeTargetGroupsAPIClient].
func (d listGroups) DescribeTargetGroups(ctx context.Context, in *elb.DescribeTargetGroupsInput, options ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error) {
	return d(ctx, in, options...)
}
