package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWeigh(t *testing.T) {
	for _, test := range []struct {
		percent float64
		want    Weights
	}{
		{0, Weights{100, 0}}, {5, Weights{95, 5}}, {10, Weights{90, 10}}, {25, Weights{75, 25}}, {50, Weights{50, 50}},
		{12.5, Weights{7, 1}}, {99, Weights{1, 99}}, {100, Weights{0, 100}},
		{0.001, Weights{255, 1}}, {99.999, Weights{1, 255}},
	} {
		if got, err := weigh(test.percent); err != nil || got != test.want {
			t.Errorf("%v %%: got %v (%v), want %v", test.percent, got, err, test.want)
		}
	}
	for _, bad := range []float64{-1, 100.5, math.NaN(), math.Inf(1)} {
		if w, err := weigh(bad); err == nil {
			t.Errorf("%v %%: got %v", bad, w)
		}
	}
}

// TestWeighIsTheNearest compares with every share that Route 53 can express.
func TestWeighIsTheNearest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		percent := random.Float64() * 100
		got, err := weigh(percent)
		if err != nil {
			t.Fatal(err)
		}
		if got.Stable < 1 || got.Candidate < 1 || got.Stable > heaviest || got.Candidate > heaviest {
			t.Fatalf("%v %%: got %v; between 0 and 100 both must have weights that Route 53 takes", percent, got)
		}
		off := math.Abs(got.Percent() - percent)
		for s := 1; s <= heaviest; s++ {
			for c := 1; c <= heaviest; c++ {
				if d := math.Abs(100*float64(c)/float64(s+c) - percent); d < off-1e-9 {
					t.Fatalf("%v %%: got %v, and %d to %d is nearer", percent, got, s, c)
				}
			}
		}
	}
}

var names = DNSConfig{Zone: "Z1", Name: "shop.example.com", ID: "promote/shop"}

var (
	stable    = Balancer{Host: "stable.elb.test", Zone: "ZELB"}
	candidate = Balancer{Host: "candidate.elb.test", Zone: "ZELB"}
)

// made are the records that promote makes, by a batch of upserts.
func made(s, c Balancer, w Weights) []types.ResourceRecordSet {
	var all []types.ResourceRecordSet
	for _, change := range names.changes(held{}, s, c, w) {
		all = append(all, *change.ResourceRecordSet)
	}
	return all
}

// lines are a batch in short.
func lines(batch []types.Change) []string {
	var all []string
	for _, c := range batch {
		r := c.ResourceRecordSet
		all = append(all, fmt.Sprintf("%s %s %s %s %d", c.Action, r.Type, strings.TrimPrefix(aws.ToString(r.SetIdentifier), names.ID), aws.ToString(r.AliasTarget.DNSName), aws.ToInt64(r.Weight)))
	}
	return all
}

func sorted(t *testing.T, all []types.ResourceRecordSet) held {
	t.Helper()
	h, err := sortRecords(all, names)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSortRecordsRefusesWhatOthersMade(t *testing.T) {
	weight, values := aws.Int64(10), []types.ResourceRecord{{Value: aws.String("192.0.2.1")}}
	for name, test := range map[string]struct {
		record types.ResourceRecordSet
		want   string
	}{
		"a CNAME":                {types.ResourceRecordSet{Type: types.RRTypeCname}, "a CNAME"},
		"a simple record":        {types.ResourceRecordSet{Type: types.RRTypeA, ResourceRecords: values}, "a simple record"},
		"a latency record":       {types.ResourceRecordSet{Type: types.RRTypeAaaa, SetIdentifier: aws.String("x"), Region: "eu-west-1"}, "a latency record"},
		"a failover record":      {types.ResourceRecordSet{Type: types.RRTypeA, SetIdentifier: aws.String("x"), Failover: "PRIMARY"}, "a failover record"},
		"a geolocation record":   {types.ResourceRecordSet{Type: types.RRTypeA, SetIdentifier: aws.String("x"), GeoLocation: &types.GeoLocation{}}, "a geolocation record"},
		"a multivalue record":    {types.ResourceRecordSet{Type: types.RRTypeA, SetIdentifier: aws.String("x"), MultiValueAnswer: aws.Bool(true)}, "a multivalue record"},
		"a CIDR record":          {types.ResourceRecordSet{Type: types.RRTypeA, SetIdentifier: aws.String("x"), CidrRoutingConfig: &types.CidrRoutingConfig{}}, "a CIDR record"},
		"another's weight":       {types.ResourceRecordSet{Type: types.RRTypeA, SetIdentifier: aws.String("blue"), Weight: weight}, `somebody else has made (set identifier "blue")`},
		"another service's":      {types.ResourceRecordSet{Type: types.RRTypeA, SetIdentifier: aws.String("promote/shop2/stable"), Weight: weight}, "somebody else"},
		"a traffic policy":       {types.ResourceRecordSet{Type: types.RRTypeA, TrafficPolicyInstanceId: aws.String("p")}, "a traffic policy"},
		"our name, no alias":     {types.ResourceRecordSet{Type: types.RRTypeA, SetIdentifier: aws.String("promote/shop/stable"), Weight: weight, ResourceRecords: values}, "an alias belongs"},
		"an escaped, big letter": {types.ResourceRecordSet{Name: aws.String(`sho\160.EXAMPLE.com.`), Type: types.RRTypeA}, "a simple record"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.record.Name == nil {
				test.record.Name = aws.String("shop.example.com.")
			}
			_, err := sortRecords([]types.ResourceRecordSet{test.record}, names)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `"promote/shop/stable"`) {
				t.Errorf("got %v, want %q and what to do", err, test.want)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := sortRecords([]types.ResourceRecordSet{
			{Name: aws.String("shop.example.com."), Type: types.RRTypeA}, {Name: aws.String("shop.example.com."), Type: types.RRTypeAaaa},
		}, names)
		if err == nil || strings.Count(err.Error(), "a simple record") != 2 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("but not what stands beside", func(t *testing.T) {
		all := append(made(stable, candidate, Weights{90, 10}),
			types.ResourceRecordSet{Name: aws.String("shop.example.com."), Type: types.RRTypeTxt},
			types.ResourceRecordSet{Name: aws.String("other.example.com."), Type: types.RRTypeA})
		if w, err := sorted(t, all).weights(); err != nil || w != (Weights{90, 10}) {
			t.Errorf("got %v, %v", w, err)
		}
	})
}

func TestBatches(t *testing.T) {
	both := stable
	both.DualStack = true
	shared := sorted(t, made(stable, candidate, Weights{90, 10}))
	for name, test := range map[string]struct {
		batch func() ([]types.Change, error)
		want  []string
	}{
		"nothing is there, and a stable record is made": {
			func() ([]types.Change, error) { return names.making(held{}, stable), nil },
			[]string{"UPSERT A /stable stable.elb.test 100"}},
		"a dual-stack balancer has two": {
			func() ([]types.Change, error) { return names.making(held{}, both), nil },
			[]string{"UPSERT A /stable stable.elb.test 100", "UPSERT AAAA /stable stable.elb.test 100"}},
		"what is there is adopted": {
			func() ([]types.Change, error) { return names.making(shared, stable), nil }, nil},
		"a stable record that is missing takes nothing from a candidate": {
			func() ([]types.Change, error) {
				return names.making(held{candidate: shared.candidate}, stable), nil
			},
			[]string{"UPSERT A /stable stable.elb.test 0"}},
		"a shift writes both": {
			func() ([]types.Change, error) {
				return names.changes(held{}, stable, candidate, Weights{50, 50}), nil
			},
			[]string{"UPSERT A /stable stable.elb.test 50", "UPSERT A /candidate candidate.elb.test 50"}},
		"a shift to nothing makes no candidate": {
			func() ([]types.Change, error) {
				return names.changes(held{}, stable, candidate, Weights{Stable: full}), nil
			},
			[]string{"UPSERT A /stable stable.elb.test 100"}},
		"a shift to nothing takes the weight of the one there is": {
			func() ([]types.Change, error) {
				return names.changes(shared, stable, candidate, Weights{Stable: full}), nil
			},
			[]string{"UPSERT A /stable stable.elb.test 100", "UPSERT A /candidate candidate.elb.test 0"}},
		"to restore is one batch": {
			func() ([]types.Change, error) { return names.restoring(shared) },
			[]string{"UPSERT A /stable stable.elb.test 100", "DELETE A /candidate candidate.elb.test 10"}},
		"to restore what was never touched is nothing": {
			func() ([]types.Change, error) { return names.restoring(held{}) }, nil},
		"a candidate without weight is withdrawn": {
			func() ([]types.Change, error) {
				return names.withdrawing(sorted(t, append(made(stable, candidate, Weights{Stable: full}), names.record(types.RRTypeA, suffixCandidate, candidate, 0))))
			},
			[]string{"DELETE A /candidate candidate.elb.test 0"}},
		"none has nothing to withdraw": {
			func() ([]types.Change, error) {
				return names.withdrawing(sorted(t, made(stable, candidate, Weights{Stable: full})))
			}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			batch, err := test.batch()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, lines(batch), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("the candidate alone is evaluated", func(t *testing.T) {
		for _, r := range made(stable, candidate, Weights{90, 10}) {
			if want := strings.HasSuffix(*r.SetIdentifier, suffixCandidate); r.AliasTarget.EvaluateTargetHealth != want {
				t.Errorf("%s: evaluated is %v, want %v", *r.SetIdentifier, !want, want)
			}
		}
	})
}

func TestNoShiftLeavesBothWithoutWeight(t *testing.T) {
	for percent := 0.0; percent <= 100; percent += 0.25 {
		w, err := weigh(percent)
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, r := range made(stable, candidate, w) {
			sum += *r.Weight
		}
		if sum == 0 {
			t.Errorf("%v %% gives all records the weight 0, and Route 53 would share equally", percent)
		}
	}
}

func TestBatchesRefuse(t *testing.T) {
	alone := sorted(t, made(stable, candidate, Weights{Candidate: full})[1:])
	if batch, err := names.restoring(alone); err == nil || !strings.Contains(err.Error(), "no stable record to return to") {
		t.Errorf("restored by %v (%v)", lines(batch), err)
	}
	for name, w := range map[string]Weights{"some": {90, 10}, "all": {0, 100}} {
		if batch, err := names.withdrawing(sorted(t, made(stable, candidate, w))); err == nil || !strings.Contains(err.Error(), "move the traffic back") {
			t.Errorf("a candidate with %s of the weight was withdrawn by %v (%v)", name, lines(batch), err)
		}
	}
	other := stable
	other.Host = "elsewhere.elb.test"
	if err := names.aimedAt(sorted(t, made(stable, candidate, Weights{100, 0})), other); err == nil || !strings.Contains(err.Error(), `"stable.elb.test", and the service has the load balancer "elsewhere.elb.test"`) {
		t.Errorf("got %v", err)
	}
	prefixed := made(stable, candidate, Weights{100, 0})
	prefixed[0].AliasTarget.DNSName = aws.String("dualstack.Stable.elb.test.")
	if err := names.aimedAt(sorted(t, prefixed), stable); err != nil {
		t.Errorf("got %v for the same balancer with a prefix", err)
	}
	six := stable
	six.DualStack = true
	if err := names.aimedAt(sorted(t, made(six, candidate, Weights{100, 0})), stable); err == nil || !strings.Contains(err.Error(), "IPv6") {
		t.Errorf("got %v for an AAAA record of a balancer that has IPv4 alone", err)
	}
	edited := sorted(t, append(made(six, candidate, Weights{90, 10}), names.record(types.RRTypeAaaa, suffixCandidate, candidate, 20)))
	if _, err := edited.weights(); err == nil || !strings.Contains(err.Error(), "AAAA") {
		t.Errorf("got %v for A and AAAA records that differ", err)
	}
}

func TestComplaints(t *testing.T) {
	const fails = "Tried to delete resource record set [name='shop.example.com.', type='A', set-identifier='promote/shop/nobody'] but it was not found"
	const older = "Tried to delete resource record set shop.example.com. type A,but it was not found"
	const other = "RRSet with DNS name shop.example.com. is not permitted in zone example.org."
	for name, test := range map[string]struct {
		err  types.InvalidChangeBatch
		want string
	}{
		"the failure that was meant":  {types.InvalidChangeBatch{Message: aws.String("[" + fails + "]")}, ""},
		"the failure as a list":       {types.InvalidChangeBatch{Message: aws.String("ChangeBatch errors occurred"), Messages: []string{older}}, ""},
		"another one before it":       {types.InvalidChangeBatch{Message: aws.String("[" + other + ", " + fails + "]")}, other},
		"another one after it":        {types.InvalidChangeBatch{Message: aws.String("[" + fails + ", " + other + "]")}, other},
		"another one, both in a list": {types.InvalidChangeBatch{Messages: []string{fails, other}}, other},
	} {
		t.Run(name, func(t *testing.T) {
			if got := complaints(&test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDNSConfigReportsEverythingAtOnce(t *testing.T) {
	for _, good := range []DNSConfig{names, {Zone: "Z1", Name: "_a.b-c.example.com", ID: "x"}} {
		if err := good.validate(); err != nil {
			t.Errorf("got %v", err)
		}
	}
	err := DNSConfig{Zone: "example.com", Name: "*.example.com", TTL: -1}.validate()
	for _, want := range []string{`hosted zone "example.com"`, `DNS name "*.example.com"`, `set identifier ""`, "time to live -1ns"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
