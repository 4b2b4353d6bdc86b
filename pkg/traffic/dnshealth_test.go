package traffic

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// targets reads "zone state" for each target.
func targets(all ...string) []types.TargetHealthDescription {
	var out []types.TargetHealthDescription
	for i, one := range all {
		zone, state, _ := strings.Cut(one, " ")
		d := types.TargetHealthDescription{
			Target:       &types.TargetDescription{Id: aws.String("10.0.0." + string(rune('1'+i))), Port: aws.Int32(8080)},
			TargetHealth: &types.TargetHealth{State: types.TargetHealthStateEnum(state), Reason: "Target.FailedHealthChecks", Description: aws.String("Health checks failed")},
		}
		if zone != "-" {
			d.Target.AvailabilityZone = aws.String(zone)
		}
		out = append(out, d)
	}
	return out
}

func TestJudge(t *testing.T) {
	group := types.TargetGroup{TargetGroupName: aws.String("k8s-shop"), TargetType: types.TargetTypeEnumIp}
	nodes := types.TargetGroup{TargetGroupName: aws.String("k8s-shop"), TargetType: types.TargetTypeEnumInstance}
	zones := []string{"a", "b"}
	for name, test := range map[string]struct {
		group        types.TargetGroup
		targets      []types.TargetHealthDescription
		least        int
		ready, stuck bool
		say          string
	}{
		"enough, in every zone with targets":          {group, targets("a healthy", "b healthy"), 2, true, false, ""},
		"a zone without targets does not matter":      {group, targets("a healthy", "a healthy"), 2, true, false, ""},
		"too few, and none to come: they may come":    {group, targets("a healthy"), 2, false, false, "1 of 2"},
		"none at all is never healthy":                {group, nil, 0, false, false, "0 of 1"},
		"some that AWS still looks at":                {group, targets("a healthy", "b initial"), 2, false, false, "none healthy in b"},
		"enough, but not in every zone":               {group, targets("a healthy", "a healthy", "b initial"), 2, false, false, "none healthy in b"},
		"enough, and a zone that is lost":             {group, targets("a healthy", "a healthy", "b unhealthy"), 2, false, true, "10.0.0.3:8080 in b is unhealthy (Target.FailedHealthChecks: Health checks failed)"},
		"a sick one beside enough":                    {group, targets("a healthy", "a healthy", "a unhealthy"), 2, true, false, ""},
		"a sick one that is needed":                   {group, targets("a healthy", "a unhealthy"), 2, false, true, "10.0.0.2:8080"},
		"a sick one, and enough to come":              {group, targets("a healthy", "a unhealthy", "a initial"), 2, false, false, "1 that AWS still looks at"},
		"one in a zone that is not enabled":           {group, targets("c unused"), 1, false, true, "in c is unused"},
		"one of those that drain":                     {group, targets("a healthy", "b draining", "b unhealthy.draining"), 1, true, false, ""},
		"what AWS does not know may get better":       {group, targets("a unavailable"), 1, false, false, ""},
		"targets outside of the network":              {group, targets("all healthy"), 1, true, false, ""},
		"nodes are not pods, one has to do":           {nodes, targets("- healthy", "- unhealthy"), 8, true, false, ""},
		"nodes that are all sick":                     {nodes, targets("- unhealthy", "- unhealthy"), 8, false, true, "any zone"},
		"many sick ones are told of in short":         {group, targets("a unhealthy", "a unhealthy", "a unhealthy", "a unhealthy", "a unhealthy"), 1, false, true, "and 2 more"},
		"the group's name is in what is said of it":   {group, targets("a initial"), 1, false, false, `"k8s-shop"`},
		"a zone that drains away is none to wait for": {group, targets("a healthy", "b draining"), 1, true, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(test.group, test.targets, zones, test.least)
			if got.ready != test.ready || got.stuck != test.stuck || !strings.Contains(got.text, test.say) {
				t.Errorf("got ready %v, stuck %v: %s; want %v, %v, %q", got.ready, got.stuck, got.text, test.ready, test.stuck, test.say)
			}
		})
	}
}

func TestTogether(t *testing.T) {
	if got := together(nil); got.ready || got.stuck || got.text == "" {
		t.Errorf("no group is %+v", got)
	}
	if got := together([]sight{{ready: true}, {stuck: true}}); got.ready || !got.stuck {
		t.Errorf("one good and one bad group are %+v", got)
	}
}

func TestRecovery(t *testing.T) {
	g := types.TargetGroup{HealthCheckIntervalSeconds: aws.Int32(10), HealthyThresholdCount: aws.Int32(3)}
	if got := recovery(g); got != 40*time.Second {
		t.Errorf("got %s", got)
	}
}

func TestUnknownBalancers(t *testing.T) {
	d := DNS{region: "eu-west-1"}
	for host, want := range map[string]string{
		"a1b2-123456.eu-west-1.elb.amazonaws.com":               "a classic one, or gone",
		"k8s-shop-0123456789abcdef.elb.eu-west-1.amazonaws.com": "does not exist in eu-west-1 (any more)",
		"k8s-shop-0123456789abcdef.elb.us-east-1.amazonaws.com": "is one of us-east-1, and was looked for in eu-west-1",
		"a1b2-123456.cn-north-1.elb.amazonaws.com.cn":           "is one of cn-north-1",
		"shop.example.com": "does not exist in eu-west-1",
	} {
		if err := d.unknown(host); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), host) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
