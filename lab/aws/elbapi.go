package aws

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const (
	elbSpace   = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
	elbVersion = "2015-12-01"
	// mostBalancers is how many a page has at most, and without PageSize.
	mostBalancers = 400
)

// answerELB is the protocol of Elastic Load Balancing: a form goes there, XML comes back.
func (s *Server) answerELB(r *http.Request, entry *Request) (any, error) {
	entry.Service = "elasticloadbalancing"
	k, body, err := s.admit(r, entry)
	if err != nil {
		return nil, olderWords(err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Version") != elbVersion {
		return nil, refuse("InvalidAction", "the body is not a form of version %s", elbVersion)
	}
	entry.Operation = form.Get("Action")
	do := map[string]func(Key, url.Values) (any, error){
		"DescribeLoadBalancers": s.describeLoadBalancers,
		"DescribeTargetGroups":  s.describeTargetGroups,
		"DescribeTargetHealth":  s.describeTargetHealth,
	}[entry.Operation]
	if do == nil {
		return nil, notImplemented("elasticloadbalancing " + entry.Operation)
	}
	for _, field := range []string{"LoadBalancerArns", "LoadBalancerArn", "Names", "TargetGroupArns", "TargetGroupArn"} {
		entry.Names = append(entry.Names, members(form, field)...)
	}
	// None of the three can be limited to a resource,
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_elasticloadbalancingv2.html.
	if err := k.may("elasticloadbalancing:"+entry.Operation, "*", nil); err != nil {
		return nil, olderWords(err)
	}
	return do(k, form)
}

// members is a field's list, or its one value.
func members(form url.Values, field string) []string {
	var all []string
	if one := form.Get(field); one != "" {
		all = append(all, one)
	}
	for i := 1; form.Has(field + ".member." + strconv.Itoa(i)); i++ {
		all = append(all, form.Get(field+".member."+strconv.Itoa(i)))
	}
	return all
}

type elbBalancer struct {
	ARN           string `xml:"LoadBalancerArn"`
	Name          string `xml:"LoadBalancerName"`
	Host          string `xml:"DNSName"`
	HostedZone    string `xml:"CanonicalHostedZoneId"`
	Scheme, Type  string
	IPAddressType string `xml:"IpAddressType"`
	VPC           string `xml:"VpcId"`
	State         struct {
		Code   string
		Reason string `xml:",omitempty"`
	}
	Zones []elbZone `xml:"AvailabilityZones>member"`
}

type elbZone struct {
	Name string `xml:"ZoneName"`
}

func (b LoadBalancer) show(region string) elbBalancer {
	out := elbBalancer{
		ARN: b.arn(region), Name: b.Name, Host: b.Host, HostedZone: b.zone(), Scheme: "internet-facing", Type: b.kind(), IPAddressType: "ipv4", VPC: "vpc-0lab",
	}
	out.State.Code, out.State.Reason = cmp.Or(b.State, "active"), b.Reason
	if b.Internal {
		out.Scheme = "internal"
	}
	if b.IPv6.IsValid() {
		out.IPAddressType = "dualstack"
	}
	for _, z := range b.Zones {
		out.Zones = append(out.Zones, elbZone{z})
	}
	return out
}

type balancersAnswer struct {
	XMLName    xml.Name      `xml:"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/ DescribeLoadBalancersResponse"`
	Balancers  []elbBalancer `xml:"DescribeLoadBalancersResult>LoadBalancers>member"`
	NextMarker string        `xml:"DescribeLoadBalancersResult>NextMarker,omitempty"`
}

func (s *Server) describeLoadBalancers(k Key, form url.Values) (any, error) {
	size, from, err := page(form)
	if err != nil {
		return nil, err
	}
	arns, names := members(form, "LoadBalancerArns"), members(form, "Names")
	var all []elbBalancer
	for _, b := range s.balancers() {
		shown := b.show(k.region)
		if len(arns)+len(names) == 0 || slices.Contains(arns, shown.ARN) || slices.Contains(names, shown.Name) {
			all = append(all, shown)
		}
	}
	if wanted := slices.Concat(arns, names); len(all) < len(wanted) {
		return nil, refuse("LoadBalancerNotFound", "One or more load balancers not found: '%v'", wanted)
	}
	slices.SortFunc(all, func(a, b elbBalancer) int { return cmp.Compare(a.ARN, b.ARN) })
	out := balancersAnswer{Balancers: all[min(from, len(all)):min(from+size, len(all))]}
	if from+size < len(all) {
		out.NextMarker = strconv.Itoa(from + size)
	}
	return out, nil
}

// page reads where a page begins and how long it may be.
func page(form url.Values) (size, from int, err error) {
	size = mostBalancers
	if text := form.Get("PageSize"); text != "" {
		if size, err = strconv.Atoi(text); err != nil || size < 1 || size > mostBalancers {
			return 0, 0, refuse("ValidationError", "1 validation error detected: Value '%s' at 'pageSize' failed to satisfy constraint: Member must have value less than or equal to %d", text, mostBalancers)
		}
	}
	if text := form.Get("Marker"); text != "" {
		if from, err = strconv.Atoi(text); err != nil {
			return 0, 0, refuse("ValidationError", "The marker '%s' is not valid", text)
		}
	}
	return size, from, nil
}

type elbGroup struct {
	ARN       string `xml:"TargetGroupArn"`
	Name      string `xml:"TargetGroupName"`
	Protocol  string
	Port      int
	Type      string   `xml:"TargetType"`
	Interval  int      `xml:"HealthCheckIntervalSeconds"`
	Threshold int      `xml:"HealthyThresholdCount"`
	Balancers []string `xml:"LoadBalancerArns>member"`
}

type groupsAnswer struct {
	XMLName xml.Name   `xml:"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/ DescribeTargetGroupsResponse"`
	Groups  []elbGroup `xml:"DescribeTargetGroupsResult>TargetGroups>member"`
}

func (s *Server) describeTargetGroups(k Key, form url.Values) (any, error) {
	of := form.Get("LoadBalancerArn")
	var out groupsAnswer
	found := of == ""
	for _, b := range s.balancers() {
		if of != "" && b.arn(k.region) != of {
			continue
		}
		found = true
		for _, g := range b.Groups {
			out.Groups = append(out.Groups, elbGroup{
				ARN: g.arn(k.region, b), Name: g.Name, Protocol: "TCP", Port: g.Port, Type: cmp.Or(g.Type, "ip"),
				Interval: cmp.Or(g.Interval, 10), Threshold: cmp.Or(g.Threshold, 3), Balancers: []string{b.arn(k.region)},
			})
		}
	}
	if !found {
		return nil, refuse("LoadBalancerNotFound", "One or more load balancers not found: '[%s]'", of)
	}
	return out, nil
}

type elbHealth struct {
	Target struct {
		ID   string `xml:"Id"`
		Port int
		Zone string `xml:"AvailabilityZone,omitempty"`
	}
	Health struct {
		State       string
		Reason      string `xml:",omitempty"`
		Description string `xml:",omitempty"`
	} `xml:"TargetHealth"`
	Port string `xml:"HealthCheckPort"`
}

type healthAnswer struct {
	XMLName xml.Name    `xml:"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/ DescribeTargetHealthResponse"`
	Targets []elbHealth `xml:"DescribeTargetHealthResult>TargetHealthDescriptions>member"`
}

func (s *Server) describeTargetHealth(k Key, form url.Values) (any, error) {
	for _, b := range s.balancers() {
		for _, g := range b.Groups {
			if g.arn(k.region, b) != form.Get("TargetGroupArn") {
				continue
			}
			var out healthAnswer
			for _, t := range g.Targets {
				one := elbHealth{Port: fmt.Sprint(t.Port)}
				one.Target.ID, one.Target.Port, one.Target.Zone = t.ID, t.Port, t.Zone
				one.Health.State, one.Health.Reason, one.Health.Description = t.State, t.Reason, t.Description
				out.Targets = append(out.Targets, one)
			}
			return out, nil
		}
	}
	return nil, refuse("TargetGroupNotFound", "One or more target groups not found")
}
