package traffic

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Healthy waits until the balancer is active and each of its target groups has at least least healthy targets, and one in every zone
// that it has targets in. Where targets are nodes and not pods, one per zone has to do. It gives up early when targets that it needs
// are unhealthy or unused for longer than AWS takes to see a recovery, and says what AWS says of them.
func (d *DNS) Healthy(ctx context.Context, b Balancer, least int) error {
	last := "AWS has not answered yet"
	var stuck time.Time
	for {
		seen, patience, err := d.look(ctx, b, least)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("waiting for %s to be healthy: %s: %w", b, last, ctx.Err())
		case err != nil:
			return err
		case seen.ready:
			d.log("%s is healthy: %s", b, seen.text)
			return nil
		case !seen.stuck:
			stuck = time.Time{}
		case stuck.IsZero():
			stuck = time.Now()
		case time.Since(stuck) >= patience:
			return fmt.Errorf("waiting for %s to be healthy: %s", b, seen.text)
		}
		if seen.text != last {
			last = seen.text
			d.log("%s: %s", b, last)
		}
		wait(ctx, d.cfg.Poll)
	}
}

// sight is what one look shows: whether it is good, whether time alone can't make it good, and why.
type sight struct {
	ready, stuck bool
	text         string
}

// look also says for how long targets may be unhealthy while they recover.
func (d *DNS) look(ctx context.Context, b Balancer, least int) (sight, time.Duration, error) {
	out, err := d.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{b.ARN}})
	if err != nil {
		return sight{}, 0, explain("reading "+b.String(), describeBalancers, err)
	}
	if len(out.LoadBalancers) == 1 && out.LoadBalancers[0].State != nil {
		state := out.LoadBalancers[0].State
		switch state.Code {
		case types.LoadBalancerStateEnumProvisioning:
			return sight{text: "it is provisioning"}, 0, nil
		case types.LoadBalancerStateEnumFailed:
			return sight{}, 0, fmt.Errorf("%s could not be set up; AWS says: %s", b, aws.ToString(state.Reason))
		}
	}
	groups, err := d.groups(ctx, b)
	if err != nil {
		return sight{}, 0, err
	}
	var patience time.Duration
	var seen []sight
	for _, g := range groups {
		patience = max(patience, recovery(g))
		health, err := d.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			return sight{}, 0, explain(fmt.Sprintf("reading the health of target group %q of %s", aws.ToString(g.TargetGroupName), b), describeHealth, err)
		}
		seen = append(seen, judge(g, health.TargetHealthDescriptions, b.Zones, least))
	}
	return together(seen), patience, nil
}

// groups are the balancer's target groups.
func (d *DNS) groups(ctx context.Context, b Balancer) ([]types.TargetGroup, error) {
	var all []types.TargetGroup
	pages := elb.NewDescribeTargetGroupsPaginator(d.elb.DescribeTargetGroups, &elb.DescribeTargetGroupsInput{LoadBalancerArn: aws.String(b.ARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain("reading the target groups of "+b.String(), describeGroups, err)
		}
		all = append(all, page.TargetGroups...)
	}
	return all, nil
}

// recovery is how long a group takes to call a target healthy that was not: so many checks in a row, and one more that may just
// have been missed.
func recovery(g types.TargetGroup) time.Duration {
	return time.Duration(aws.ToInt32(g.HealthCheckIntervalSeconds)) * time.Duration(aws.ToInt32(g.HealthyThresholdCount)+1) * time.Second
}

// together is what groups come to: as bad as the worst.
func together(groups []sight) sight {
	if len(groups) == 0 {
		return sight{text: "it has no target group yet"}
	}
	all := sight{ready: true}
	var texts []string
	for _, s := range groups {
		all.ready, all.stuck = all.ready && s.ready, all.stuck || s.stuck
		texts = append(texts, s.text)
	}
	all.text = strings.Join(texts, "; ")
	return all
}

// everyZone is the zone of targets that are outside of the balancer's network and reached from all of its zones.
const everyZone = "all"

// judge looks at one target group. zones are those that the balancer is enabled in.
func judge(g types.TargetGroup, targets []types.TargetHealthDescription, zones []string, least int) sight {
	if g.TargetType == types.TargetTypeEnumInstance {
		least = 1
	}
	least = max(least, 1)
	healthy, coming, faults := 0, 0, []string{}
	byZone := map[string][2]int{} // healthy and coming
	for _, t := range targets {
		zone, state := "", types.TargetHealthStateEnumUnavailable
		if t.Target != nil {
			zone = aws.ToString(t.Target.AvailabilityZone)
		}
		if t.TargetHealth != nil {
			state = t.TargetHealth.State
		}
		counts := byZone[zone]
		switch state {
		case types.TargetHealthStateEnumHealthy:
			healthy++
			counts[0]++
		case types.TargetHealthStateEnumDraining, types.TargetHealthStateEnumUnhealthyDraining:
			continue // it is leaving, and its zone with it
		case types.TargetHealthStateEnumUnhealthy, types.TargetHealthStateEnumUnused:
			faults = append(faults, describe(t))
		default: // initial, and unavailable, which says that AWS does not know
			coming++
			counts[1]++
		}
		byZone[zone] = counts
	}
	without, lost := lacking(byZone, zones)
	s := sight{ready: healthy >= least && len(without) == 0}
	s.stuck = !s.ready && len(faults) > 0 && (lost || healthy+coming < least)
	s.text = fmt.Sprintf("target group %q has %d of %d healthy targets", aws.ToString(g.TargetGroupName), healthy, least)
	if coming > 0 {
		s.text += fmt.Sprintf(", and %d that AWS still looks at", coming)
	}
	if len(without) > 0 {
		s.text += ", none healthy in " + strings.Join(without, ", ")
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		s.text += ": " + few(faults)
	}
	return s
}

// lacking are the enabled zones with targets of which none is healthy, and whether one of them has none that may become so.
func lacking(byZone map[string][2]int, enabled []string) (names []string, lost bool) {
	for zone, counts := range byZone {
		// Targets in a zone that is not enabled are unused, which is a fault already; those without a zone are nodes.
		if !slices.Contains(enabled, zone) && zone != everyZone && zone != "" || counts[0] > 0 {
			continue
		}
		name := zone
		if zone == "" || zone == everyZone {
			name = "any zone"
		}
		names = append(names, name)
		lost = lost || counts[1] == 0
	}
	slices.Sort(names)
	return names, lost
}

// describe says which target has which trouble.
func describe(t types.TargetHealthDescription) string {
	where := ""
	if t.Target != nil {
		where = aws.ToString(t.Target.Id)
		if t.Target.Port != nil {
			where = fmt.Sprintf("%s:%d", where, *t.Target.Port)
		}
		if zone := aws.ToString(t.Target.AvailabilityZone); zone != "" {
			where += " in " + zone
		}
	}
	text := fmt.Sprintf("%s is %s (%s", where, t.TargetHealth.State, t.TargetHealth.Reason)
	if said := aws.ToString(t.TargetHealth.Description); said != "" {
		text += ": " + said
	}
	return text + ")"
}

// few keeps a line readable when a whole fleet has the same trouble.
func few(texts []string) string {
	const most = 3
	if len(texts) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
	}
	return strings.Join(texts, ", ")
}
