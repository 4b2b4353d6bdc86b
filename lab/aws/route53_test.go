package aws

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

const (
	zoneID   = "Z0LABEXAMPLE"
	zoneTop  = "example.com"
	shopName = "shop.example.com"
)

// zoneWorld is a double with one zone and two balancers.
func zoneWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := newWorld(t, o)
	check(t, w.server.PutHostedZone(HostedZone{ID: zoneID, Name: zoneTop}))
	w.server.SetBalancers(func() []LoadBalancer { return []LoadBalancer{aBalancer("stable", 1), aBalancer("candidate", 2)} })
	return w
}

// aBalancer has two healthy targets in two zones.
func aBalancer(name string, n byte) LoadBalancer {
	return LoadBalancer{
		Name: name, Host: name + "-0123456789abcdef.elb.eu-west-1.amazonaws.com", IPv4: netip.AddrFrom4([4]byte{192, 0, 2, n}), Zones: []string{"a", "b"},
		Groups: []TargetGroup{{Name: "k8s-" + name, Port: 80, Interval: 1, Threshold: 1, Targets: []Target{
			{ID: "10.0.0.1", Port: 8080, Zone: "a", State: "healthy"}, {ID: "10.0.0.2", Port: 8080, Zone: "b", State: "healthy"}}}},
	}
}

// once keeps the SDK from trying again what is refused on purpose.
func once(o *route53.Options) { o.RetryMaxAttempts = 1 }

func (w *world) route53(k Key) *route53.Client {
	return route53.NewFromConfig(w.config("eu-west-1", k), once)
}

// change sends one batch.
func (w *world) change(k Key, changes ...types.Change) (*types.ChangeInfo, error) {
	out, err := w.route53(k).ChangeResourceRecordSets(w.t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: sdk.String(zoneID), ChangeBatch: &types.ChangeBatch{Changes: changes}})
	if err != nil {
		return nil, err
	}
	return out.ChangeInfo, nil
}

func upsert(r types.ResourceRecordSet) types.Change {
	return types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &r}
}

func create(r types.ResourceRecordSet) types.Change {
	return types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: &r}
}

func remove(r types.ResourceRecordSet) types.Change {
	return types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &r}
}

// weighted is a weighted alias of a balancer of zoneWorld.
func weighted(set, balancer string, weight int64) types.ResourceRecordSet {
	return types.ResourceRecordSet{
		Name: sdk.String(shopName), Type: types.RRTypeA, SetIdentifier: sdk.String(set), Weight: sdk.Int64(weight),
		AliasTarget: &types.AliasTarget{DNSName: sdk.String(aBalancer(balancer, 1).Host), HostedZoneId: sdk.String("Z2IFOLAFXWLO4F"), EvaluateTargetHealth: true},
	}
}

func simple(name string, kind types.RRType, value string) types.ResourceRecordSet {
	return types.ResourceRecordSet{Name: sdk.String(name), Type: kind, TTL: sdk.Int64(60), ResourceRecords: []types.ResourceRecord{{Value: sdk.String(value)}}}
}

// shown are the records of a name, as "type set weight".
func (w *world) shown(name string) []string {
	w.t.Helper()
	out, err := w.route53(root).ListResourceRecordSets(w.t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: sdk.String(zoneID), StartRecordName: sdk.String(name)})
	check(w.t, err)
	var all []string
	for _, r := range out.ResourceRecordSets {
		if *r.Name == name+"." {
			all = append(all, fmt.Sprintf("%s %s %d", r.Type, sdk.ToString(r.SetIdentifier), sdk.ToInt64(r.Weight)))
		}
	}
	return all
}

func TestRoute53TakesABatchWholeOrNotAtAll(t *testing.T) {
	w := zoneWorld(t, Options{Propagation: time.Hour})
	info, err := w.change(root, upsert(weighted("s", "stable", 90)), upsert(weighted("c", "candidate", 10)))
	check(t, err)
	if info.Status != types.ChangeStatusPending {
		t.Errorf("a change that was just made is %s", info.Status)
	}
	if got := strings.Join(w.shown(shopName), ", "); got != "A c 10, A s 90" {
		t.Errorf("got %s", got)
	}
	_, err = w.change(root, upsert(weighted("s", "stable", 0)), remove(weighted("nobody", "stable", 0)))
	wantError(t, err, "InvalidChangeBatch", "Tried to delete resource record set [name='shop.example.com.', type='A', set-identifier='nobody'] but it was not found")
	if got := strings.Join(w.shown(shopName), ", "); got != "A c 10, A s 90" {
		t.Errorf("a refused batch left %s", got)
	}
	got, err := w.route53(root).GetChange(t.Context(), &route53.GetChangeInput{Id: info.Id})
	check(t, err)
	if got.ChangeInfo.Status != types.ChangeStatusPending {
		t.Errorf("got %s", got.ChangeInfo.Status)
	}
}

func TestRoute53Refuses(t *testing.T) {
	big := func(r types.ResourceRecordSet, change func(*types.ResourceRecordSet)) types.ResourceRecordSet {
		change(&r)
		return r
	}
	for name, test := range map[string]struct {
		before, batch []types.Change
		code, want    string
	}{
		"a name of another zone": {nil, []types.Change{upsert(simple("shop.example.org", "A", "192.0.2.1"))},
			"InvalidChangeBatch", "RRSet with DNS name shop.example.org. is not permitted in zone example.com."},
		"a name that only ends alike": {nil, []types.Change{upsert(simple("myexample.com", "A", "192.0.2.1"))}, "InvalidChangeBatch", "is not permitted in zone"},
		"a weighted one beside a simple one": {[]types.Change{create(simple(shopName, "A", "192.0.2.1"))}, []types.Change{upsert(weighted("s", "stable", 1))},
			"InvalidChangeBatch", "RRSet with DNS name shop.example.com., type A, SetIdentifier s cannot be created as a non-weighted set exists with the same name and type."},
		"a simple one beside a weighted one": {[]types.Change{create(weighted("s", "stable", 1))}, []types.Change{upsert(simple(shopName, "A", "192.0.2.1"))},
			"InvalidChangeBatch", "RRSet with DNS name shop.example.com., type A cannot be created as other RRSets exist with the same name and type."},
		"an address beside a CNAME": {[]types.Change{create(simple(shopName, "CNAME", "x.example.com"))}, []types.Change{upsert(weighted("s", "stable", 1))},
			"InvalidChangeBatch", "a conflicting RRSet of type CNAME with the same DNS name already exists in zone example.com."},
		"a CNAME beside an address": {[]types.Change{create(weighted("s", "stable", 1))}, []types.Change{upsert(simple(shopName, "CNAME", "x.example.com"))},
			"InvalidChangeBatch", "as it conflicts with other records with the same DNS name"},
		"a weight above 255": {nil, []types.Change{upsert(weighted("s", "stable", 256))}, "InvalidInput", "'256' is not facet-valid with respect to maxInclusive '255'"},
		"a weight below 0":   {nil, []types.Change{upsert(weighted("s", "stable", -1))}, "InvalidInput", "minInclusive '0'"},
		"the same one made twice": {[]types.Change{create(weighted("s", "stable", 1))}, []types.Change{create(weighted("s", "stable", 1))},
			"InvalidChangeBatch", "but it already exists"},
		"the same one twice in a batch": {nil, []types.Change{upsert(weighted("s", "stable", 1)), upsert(weighted("s", "stable", 2))},
			"InvalidChangeBatch", "The request contains an invalid set of changes for a resource record set 'A shop.example.com.'"},
		"to delete other values": {[]types.Change{create(weighted("s", "stable", 1))}, []types.Change{remove(weighted("s", "stable", 2))},
			"InvalidChangeBatch", "the values provided do not match the current values"},
		"a balancer in another's zone": {nil, []types.Change{upsert(big(weighted("s", "stable", 1), func(r *types.ResourceRecordSet) { r.AliasTarget.HostedZoneId = sdk.String("Z32O12XQLNTSW2") }))},
			"InvalidChangeBatch", "type A in zone Z32O12XQLNTSW2, but the alias target name does not lie within the target zone"},
		"a balancer that is not there": {nil, []types.Change{upsert(weighted("s", "gone", 1))}, "InvalidChangeBatch", "but that target was not found"},
		"IPv6 of a balancer without": {nil, []types.Change{upsert(big(weighted("s", "stable", 1), func(r *types.ResourceRecordSet) { r.Type = types.RRTypeAaaa }))},
			"InvalidChangeBatch", "type AAAA in zone Z2IFOLAFXWLO4F, but that target was not found"},
		"a set identifier without a policy": {nil, []types.Change{upsert(big(weighted("s", "stable", 1), func(r *types.ResourceRecordSet) { r.Weight = nil }))},
			"InvalidInput", "Expected exactly one of [Weight, Region,"},
		"a weight without a set identifier": {nil, []types.Change{upsert(big(weighted("s", "stable", 1), func(r *types.ResourceRecordSet) { r.SetIdentifier = nil }))},
			"InvalidInput", "Missing field 'SetIdentifier'"},
		"an alias with a time to live": {nil, []types.Change{upsert(big(weighted("s", "stable", 1), func(r *types.ResourceRecordSet) { r.TTL = sdk.Int64(60) }))},
			"InvalidInput", "but found more than one in Change with"},
		"neither alias nor values": {nil, []types.Change{upsert(types.ResourceRecordSet{Name: sdk.String(shopName), Type: "A"})}, "InvalidInput", "but found none in Change with"},
		"everything at once": {nil, []types.Change{upsert(simple("a.example.org", "A", "192.0.2.1")), upsert(weighted("s", "gone", 1))},
			"InvalidChangeBatch", "a.example.org. is not permitted in zone example.com., Tried to create an alias"},
	} {
		t.Run(name, func(t *testing.T) {
			w := zoneWorld(t, Options{})
			if test.before != nil {
				_, err := w.change(root, test.before...)
				check(t, err)
			}
			_, err := w.change(root, test.batch...)
			wantError(t, err, test.code, test.want)
		})
	}
	w := zoneWorld(t, Options{OneChange: true, Propagation: time.Hour})
	t.Run("a zone that does not exist", func(t *testing.T) {
		_, err := w.route53(root).GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: sdk.String("Z9")})
		wantError(t, err, "NoSuchHostedZone", "No hosted zone found with ID: Z9")
	})
	t.Run("a change that never was", func(t *testing.T) {
		_, err := w.route53(root).GetChange(t.Context(), &route53.GetChangeInput{Id: sdk.String("C9")})
		wantError(t, err, "NoSuchChange", "C9")
	})
	t.Run("a change while another is pending, if it is that busy", func(t *testing.T) {
		_, err := w.change(root, upsert(weighted("s", "stable", 1)))
		check(t, err)
		_, err = w.change(root, upsert(weighted("s", "stable", 2)))
		wantError(t, err, "PriorRequestNotComplete", "still processing a prior request")
	})
	t.Run("too many requests", func(t *testing.T) {
		w.server.Throttle(1)
		_, err := w.route53(root).GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: sdk.String(zoneID)})
		wantError(t, err, "Throttling", "Rate exceeded")
	})
	t.Run("a key that is not known, and a wrong signature", func(t *testing.T) {
		_, err := w.route53(Key{AccessKey: "AKIAGONE", SecretKey: "x"}).GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: sdk.String(zoneID)})
		wantError(t, err, "InvalidClientTokenId", "")
		_, err = w.route53(Key{AccessKey: root.AccessKey, SecretKey: "x"}).GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: sdk.String(zoneID)})
		wantError(t, err, "SignatureDoesNotMatch", "")
	})
	t.Run("who may not", func(t *testing.T) {
		check(t, w.server.AddKey(Key{AccessKey: "AKIANONE", SecretKey: "x", Allow: []string{"prod/"}}))
		_, err := w.route53(Key{AccessKey: "AKIANONE", SecretKey: "x"}).GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: sdk.String(zoneID)})
		wantError(t, err, "AccessDenied", "route53:GetHostedZone on resource: arn:aws:route53:::hostedzone/"+zoneID)
	})
}

func TestRoute53ListsInPages(t *testing.T) {
	w := zoneWorld(t, Options{})
	_, err := w.change(root, upsert(weighted("a", "stable", 1)), upsert(weighted("b", "stable", 2)), upsert(weighted("c", "candidate", 3)), upsert(simple(zoneTop, "A", "192.0.2.9")))
	check(t, err)
	in := &route53.ListResourceRecordSetsInput{HostedZoneId: sdk.String(zoneID), MaxItems: sdk.Int32(2)}
	var got []string
	for {
		out, err := w.route53(root).ListResourceRecordSets(t.Context(), in)
		check(t, err)
		for _, r := range out.ResourceRecordSets {
			got = append(got, fmt.Sprintf("%s %s%s", *r.Name, r.Type, sdk.ToString(r.SetIdentifier)))
		}
		if !out.IsTruncated {
			break
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
	if want := "example.com. A, example.com. NS, example.com. SOA, shop.example.com. Aa, shop.example.com. Ab, shop.example.com. Ac"; strings.Join(got, ", ") != want {
		t.Errorf("got %s", strings.Join(got, ", "))
	}
}

func TestELBRefuses(t *testing.T) {
	w := zoneWorld(t, Options{})
	client := elb.NewFromConfig(w.config("eu-west-1", root), func(o *elb.Options) { o.RetryMaxAttempts = 1 })
	_, err := client.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{"arn:aws:elasticloadbalancing:x"}})
	wantError(t, err, "LoadBalancerNotFound", "arn:aws:elasticloadbalancing:x")
	_, err = client.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{LoadBalancerArn: sdk.String("arn:x")})
	wantError(t, err, "LoadBalancerNotFound", "")
	_, err = client.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: sdk.String("arn:x")})
	wantError(t, err, "TargetGroupNotFound", "")
	_, err = client.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{PageSize: sdk.Int32(401)})
	wantError(t, err, "ValidationError", "400")
	w.server.Throttle(1)
	_, err = client.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	wantError(t, err, "Throttling", "")
	_, err = client.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{"x"}})
	wantError(t, err, "NotImplementedException", "DescribeTags")
}

// withConfig is for what loads its own configuration.
func (w *world) as(k Key) func(*config.LoadOptions) error {
	return config.WithCredentialsProvider(sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
		if k.AccessKey == "" {
			return sdk.Credentials{}, errors.New("no key")
		}
		return sdk.Credentials{AccessKeyID: k.AccessKey, SecretAccessKey: k.SecretKey, SessionToken: k.SessionToken}, nil
	}))
}
