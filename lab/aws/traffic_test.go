package aws

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/org/promote/pkg/traffic"
)

// fleet are balancers that a test changes while they are asked for.
type fleet struct {
	mu  sync.Mutex
	all []LoadBalancer
}

func (f *fleet) list() []LoadBalancer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

// change puts a balancer in the place of the one with its name.
func (f *fleet) change(b LoadBalancer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(slices.DeleteFunc(f.all, func(o LoadBalancer) bool { return o.Name == b.Name }), b)
}

// dnsWorld is what promote meets: a zone, two balancers, and a job's role.
type dnsWorld struct {
	*world
	fleet             *fleet
	dns               *traffic.DNS
	stable, candidate traffic.Balancer
	mu                sync.Mutex
	log               []string
}

func (w *dnsWorld) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.log, "\n")
}

// dns makes a client for one key.
func (w *dnsWorld) open(k Key, change func(*traffic.DNSConfig)) *traffic.DNS {
	w.t.Helper()
	cfg := traffic.DNSConfig{Zone: zoneID, Name: shopName, ID: "promote/shop", TTL: time.Millisecond, Poll: 10 * time.Millisecond, Log: func(line string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, line)
	}}
	if change != nil {
		change(&cfg)
	}
	w.config("eu-west-1", root) // for the environment it sets
	d, err := traffic.NewDNS(w.t.Context(), "", cfg, w.as(k))
	check(w.t, err)
	return d
}

func newDNSWorld(t *testing.T, o Options) *dnsWorld {
	t.Helper()
	w := &dnsWorld{world: zoneWorld(t, o), fleet: &fleet{all: []LoadBalancer{aBalancer("stable", 1), aBalancer("candidate", 2)}}}
	w.server.SetBalancers(w.fleet.list)
	w.dns = w.open(root, nil)
	w.stable, w.candidate = w.find("stable"), w.find("candidate")
	return w
}

func (w *dnsWorld) find(name string) traffic.Balancer {
	w.t.Helper()
	b, err := w.dns.Find(w.t.Context(), aBalancer(name, 1).Host)
	check(w.t, err)
	return b
}

// writes are the batches that were taken, without what was refused.
func (w *dnsWorld) writes() (all [][]string) {
	for _, r := range w.server.Requests() {
		if r.Operation == "ChangeResourceRecordSets" && r.Status == 200 {
			all = append(all, r.Names[1:])
		}
	}
	return all
}

func wantText(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
}

func TestARolloutByDNS(t *testing.T) {
	w := newDNSWorld(t, Options{Propagation: 50 * time.Millisecond})
	ctx := t.Context()
	check(t, w.dns.Check(ctx, w.stable))
	if n := len(w.writes()); n != 0 {
		t.Fatalf("Check wrote %v", w.writes())
	}
	change, err := w.dns.Ensure(ctx, w.stable)
	check(t, err)
	check(t, w.dns.Settle(ctx, change))
	again, err := w.dns.Ensure(ctx, w.stable)
	check(t, err)
	if again != (traffic.Change{}) || len(w.writes()) != 1 {
		t.Errorf("to ensure what is there wrote %v", w.writes())
	}
	check(t, w.dns.Check(ctx, w.stable))
	check(t, w.dns.Healthy(ctx, w.candidate, 2))
	for _, percent := range []float64{10, 50, 100, 0} {
		before := len(w.writes())
		began := time.Now()
		got, err := w.dns.Shift(ctx, w.stable, w.candidate, percent)
		check(t, err)
		if got.Percent() != percent {
			t.Errorf("asked for %v %%, got %s", percent, got)
		}
		if d := time.Since(began); d < 50*time.Millisecond {
			t.Errorf("a shift to %v %% was over after %s, before it was INSYNC", percent, d)
		}
		if now, err := w.dns.Weights(ctx); err != nil || now != got {
			t.Errorf("the records have %s (%v), want %s", now, err, got)
		}
		if writes := w.writes()[before:]; len(writes) != 1 || len(writes[0]) != 2 {
			t.Errorf("a shift wrote %v, want both records in one batch", writes)
		}
	}
	check(t, w.dns.Withdraw(ctx))
	check(t, w.dns.Withdraw(ctx))
	if got := strings.Join(w.shown(shopName), ", "); got != "A promote/shop/stable 100" {
		t.Errorf("left %s", got)
	}
	if !strings.Contains(w.said(), "10 % of the answers name the candidate") || !strings.Contains(w.said(), "is with all name servers after") {
		t.Errorf("said\n%s", w.said())
	}
}

func TestARolloutByDNSIsRestoredAtOnce(t *testing.T) {
	w := newDNSWorld(t, Options{Propagation: time.Hour})
	ctx := t.Context()
	if change, err := w.dns.Restore(ctx); err != nil || change.ID != "" {
		t.Errorf("restoring what was never shared gave %v, %v", change, err)
	}
	_, err := w.dns.Ensure(ctx, w.stable)
	check(t, err)
	_, err = w.dns.Set(ctx, w.stable, w.candidate, 100)
	check(t, err)
	wantText(t, w.dns.Withdraw(ctx), "move the traffic back before it goes")
	// Its Service is gone, and its balancer with it: Route 53 writes no alias of it any more.
	w.fleet.mu.Lock()
	w.fleet.all = w.fleet.all[:1]
	w.fleet.mu.Unlock()
	before := len(w.writes())
	first, err := w.dns.Restore(ctx)
	check(t, err)
	if got := w.writes()[before:]; len(got) != 1 || strings.Join(got[0], ", ") != "UPSERT A shop.example.com. promote/shop/stable weight 100, DELETE A shop.example.com. promote/shop/candidate weight 100" {
		t.Errorf("restored by %v", got)
	}
	second, err := w.dns.Restore(ctx)
	check(t, err)
	if second.ID == "" || second.ID == first.ID {
		t.Errorf("a run that comes after one that was killed has nothing to wait for: %v after %v", second, first)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	wantText(t, w.dns.Settle(short, second), "still PENDING, not INSYNC", second.ID, "deadline exceeded")
}

// TestBusyRoute53IsWaitedOut has PriorRequestNotComplete and Throttling, which the SDK tries again: more often than its usual three times,
// because a rollback must get through.
func TestBusyRoute53IsWaitedOut(t *testing.T) {
	w := newDNSWorld(t, Options{Propagation: 300 * time.Millisecond, OneChange: true})
	_, err := w.dns.Ensure(t.Context(), w.stable)
	check(t, err)
	_, err = w.dns.Restore(t.Context())
	check(t, err)
	w.server.Throttle(3)
	_, err = w.dns.Weights(t.Context())
	check(t, err)
	refused := map[string]int{}
	for _, r := range w.server.Requests() {
		refused[r.Error]++
	}
	if refused["PriorRequestNotComplete"] == 0 || refused["Throttling"] != 3 {
		t.Errorf("refused %v", refused)
	}
}

func TestCheckRefuses(t *testing.T) {
	foreign := func(r types.ResourceRecordSet) func(*dnsWorld) {
		return func(w *dnsWorld) {
			_, err := w.change(root, create(r))
			check(w.t, err)
		}
	}
	latency := weighted("blue", "stable", 1)
	latency.Weight, latency.Region = nil, types.ResourceRecordSetRegionEuWest1
	failover := weighted("blue", "stable", 1)
	failover.Weight, failover.Failover = nil, types.ResourceRecordSetFailoverPrimary
	geo := weighted("blue", "stable", 1)
	geo.Weight, geo.GeoLocation = nil, &types.GeoLocation{CountryCode: sdk.String("DE")}
	for name, test := range map[string]struct {
		before func(*dnsWorld)
		config func(*traffic.DNSConfig)
		want   []string
	}{
		"a simple record":             {before: foreign(simple(shopName, "A", "192.0.2.9")), want: []string{"record A shop.example.com is a simple record", "promote/shop/stable"}},
		"a simple IPv6 record":        {before: foreign(simple(shopName, "AAAA", "2001:db8::1")), want: []string{"record AAAA shop.example.com is a simple record"}},
		"a CNAME":                     {before: foreign(simple(shopName, "CNAME", "x.example.com")), want: []string{"a CNAME"}},
		"a latency record":            {before: foreign(latency), want: []string{"a latency record"}},
		"a failover record":           {before: foreign(failover), want: []string{"a failover record"}},
		"a geolocation record":        {before: foreign(geo), want: []string{"a geolocation record"}},
		"a weighted record of others": {before: foreign(weighted("blue", "stable", 1)), want: []string{`somebody else has made (set identifier "blue")`}},
		"a stable record that is aimed elsewhere": {before: foreign(weighted("promote/shop/stable", "candidate", 1)),
			want: []string{`points to "candidate-0123456789abcdef.elb.eu-west-1.amazonaws.com", and the service has the load balancer "stable-`}},
		"a zone of another name": {config: func(c *traffic.DNSConfig) { c.Name = "shop.example.org" },
			want: []string{`hosted zone Z0LABEXAMPLE is "example.com", which does not hold "shop.example.org"`}},
		"a domain that is delegated": {before: foreign(simple("eu.example.com", "NS", "ns.example.org.")), config: func(c *traffic.DNSConfig) { c.Name = "shop.eu.example.com" },
			want: []string{`hosted zone Z0LABEXAMPLE hands "eu.example.com" to other name servers`}},
		"a zone that does not exist": {config: func(c *traffic.DNSConfig) { c.Zone = "Z9" }, want: []string{"hosted zone Z9 does not exist"}},
		"a private zone, and a balancer in the open": {before: func(w *dnsWorld) {
			check(w.t, w.server.PutHostedZone(HostedZone{ID: zoneID, Name: zoneTop, Private: true}))
		}, want: []string{"is private, and load balancer"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDNSWorld(t, Options{})
			if test.before != nil {
				test.before(w)
			}
			before := len(w.writes())
			d := w.open(root, test.config)
			wantText(t, d.Check(t.Context(), w.stable), test.want...)
			if !slices.Contains([]string{"a zone of another name", "a domain that is delegated", "a private zone, and a balancer in the open"}, name) {
				if _, err := d.Ensure(t.Context(), w.stable); err == nil {
					t.Error("Ensure took it")
				}
				if _, err := d.Set(t.Context(), w.stable, w.candidate, 10); err == nil {
					t.Error("Set took it")
				}
			}
			if n := len(w.writes()); n != before {
				t.Errorf("wrote %v", w.writes()[before:])
			}
		})
	}
	t.Run("an internal balancer in a public zone", func(t *testing.T) {
		w := newDNSWorld(t, Options{})
		inside := w.stable
		inside.Internal = true
		wantText(t, w.dns.Check(t.Context(), inside), "is public, and load balancer")
	})
	t.Run("everything at once", func(t *testing.T) {
		w := newDNSWorld(t, Options{})
		_, err := w.change(root, create(simple(shopName, "A", "192.0.2.9")), create(simple(shopName, "AAAA", "2001:db8::1")))
		check(t, err)
		check(t, w.server.AddKey(Key{AccessKey: "AKIAFEW", SecretKey: "x", Allow: []string{""}, Deny: []string{
			"route53:GetHostedZone", "route53:GetChange", "route53:ChangeResourceRecordSets", "elasticloadbalancing:DescribeTargetHealth"}}))
		d := w.open(Key{AccessKey: "AKIAFEW", SecretKey: "x"}, nil)
		wantText(t, d.Check(t.Context(), w.stable), "A shop.example.com is a simple record", "AAAA shop.example.com is a simple record",
			"may not route53:GetHostedZone", "may not route53:GetChange", "may not route53:ChangeResourceRecordSets", "may not elasticloadbalancing:DescribeTargetHealth")
	})
	t.Run("what Route 53 itself has against it", func(t *testing.T) {
		w := newDNSWorld(t, Options{})
		gone := w.stable
		gone.Zone = "Z32O12XQLNTSW2"
		wantText(t, w.dns.Check(t.Context(), gone), "Route 53 says: Tried to create an alias", "does not lie within the target zone")
	})
}

func TestFindRefuses(t *testing.T) {
	w := newDNSWorld(t, Options{})
	gateway := aBalancer("gateway", 3)
	gateway.Type = "gateway"
	failed := aBalancer("failed", 4)
	failed.State, failed.Reason = "failed", "no free addresses in subnet-1"
	w.fleet.change(gateway)
	w.fleet.change(failed)
	for host, want := range map[string]string{
		gateway.Host: `of the type "gateway"`, failed.Host: "no free addresses in subnet-1",
		"old-123.eu-west-1.elb.amazonaws.com": "a classic one, or gone", "x.elb.us-east-1.amazonaws.com": "is one of us-east-1",
	} {
		_, err := w.dns.Find(t.Context(), host)
		wantText(t, err, want, host)
	}
	t.Run("and reads all pages", func(t *testing.T) {
		for i := range 450 {
			w.fleet.change(LoadBalancer{Name: fmt.Sprintf("z%d", i), Host: fmt.Sprintf("z%d.elb.eu-west-1.amazonaws.com", i)})
		}
		last := slices.MaxFunc(w.fleet.list(), func(a, b LoadBalancer) int { return strings.Compare(a.arn("eu-west-1"), b.arn("eu-west-1")) })
		b, err := w.dns.Find(t.Context(), strings.ToUpper(last.Host)+".")
		check(t, err)
		if b.Host != last.Host {
			t.Errorf("got %s", b.Host)
		}
	})
}

func TestShiftRefusesUnlikeBalancers(t *testing.T) {
	w := newDNSWorld(t, Options{})
	inside, six := w.candidate, w.candidate
	inside.Internal, six.DualStack = true, true
	for _, b := range []traffic.Balancer{inside, six, w.stable} {
		if _, err := w.dns.Set(t.Context(), w.stable, b, 10); err == nil || len(w.writes()) > 0 {
			t.Errorf("got %v and %v", err, w.writes())
		}
	}
}

func TestADualStackNameHasBothRecords(t *testing.T) {
	w := newDNSWorld(t, Options{})
	for _, name := range []string{"stable", "candidate"} {
		b := aBalancer(name, 1)
		b.IPv6 = netip.MustParseAddr("2001:db8::1")
		w.fleet.change(b)
	}
	w.stable, w.candidate = w.find("stable"), w.find("candidate")
	check(t, w.dns.Check(t.Context(), w.stable))
	_, err := w.dns.Ensure(t.Context(), w.stable)
	check(t, err)
	_, err = w.dns.Set(t.Context(), w.stable, w.candidate, 25)
	check(t, err)
	if got := strings.Join(w.shown(shopName), ", "); got != "A promote/shop/candidate 25, A promote/shop/stable 75, AAAA promote/shop/candidate 25, AAAA promote/shop/stable 75" {
		t.Errorf("got %s", got)
	}
	_, err = w.dns.Restore(t.Context())
	check(t, err)
	if got := strings.Join(w.shown(shopName), ", "); got != "A promote/shop/stable 100, AAAA promote/shop/stable 100" {
		t.Errorf("got %s", got)
	}
}

func TestHealthy(t *testing.T) {
	w := newDNSWorld(t, Options{})
	states := func(all ...string) LoadBalancer {
		b := aBalancer("candidate", 2)
		b.Groups[0].Targets = nil
		for i, state := range all {
			b.Groups[0].Targets = append(b.Groups[0].Targets, Target{ID: fmt.Sprintf("10.0.0.%d", i+1), Port: 8080, Zone: "a", State: state, Reason: "Target.FailedHealthChecks", Description: "Health checks failed"})
		}
		return b
	}
	t.Run("waits for what comes", func(t *testing.T) {
		provisioning := states()
		provisioning.State = "provisioning"
		w.fleet.change(provisioning)
		done := make(chan error, 1)
		go func() { done <- w.dns.Healthy(t.Context(), w.candidate, 2) }()
		for _, step := range []struct {
			balancer LoadBalancer
			say      string
		}{{provisioning, "it is provisioning"}, {states(), "has 0 of 2 healthy targets"}, {states("healthy", "initial"), "has 1 of 2 healthy targets, and 1 that AWS still looks at"}} {
			w.fleet.change(step.balancer)
			await(t, func() bool { return strings.Contains(w.said(), step.say) })
			select {
			case err := <-done:
				t.Fatalf("it did not wait: %v", err)
			default:
			}
		}
		w.fleet.change(states("healthy", "healthy"))
		check(t, <-done)
	})
	t.Run("gives up on what does not recover, with AWS's reason", func(t *testing.T) {
		w.fleet.change(states("healthy", "unhealthy"))
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := w.dns.Healthy(ctx, w.candidate, 2)
		wantText(t, err, `target group "k8s-candidate" has 1 of 2 healthy targets`, "10.0.0.2:8080 in a is unhealthy (Target.FailedHealthChecks: Health checks failed)")
		// An interval of a second and a threshold of one: two seconds in which a target may recover.
		if d := time.Since(began); errors.Is(err, context.DeadlineExceeded) || d < 2*time.Second || d > 20*time.Second {
			t.Errorf("gave up after %s", d)
		}
	})
	t.Run("ends with its context", func(t *testing.T) {
		w.fleet.change(states("initial"))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := w.dns.Healthy(ctx, w.candidate, 1)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		wantText(t, err, `target group "k8s-candidate" has 0 of 1 healthy targets, and 1 that AWS still looks at`)
	})
	t.Run("says why a balancer could not be set up", func(t *testing.T) {
		failed := states()
		failed.State, failed.Reason = "failed", "no free addresses"
		w.fleet.change(failed)
		wantText(t, w.dns.Healthy(t.Context(), w.candidate, 1), "no free addresses")
	})
}

// await waits for what another goroutine does.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !done(); {
		if time.Now().After(until) {
			t.Fatal("it did not happen within 10 s")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestThePolicyIsEnoughAndNoMore takes the policy of the documentation, for this world's zone and name.
func TestThePolicyIsEnoughAndNoMore(t *testing.T) {
	document, err := os.ReadFile("../../docs/route53-policy.json")
	check(t, err)
	text := strings.NewReplacer("Z0123456789EXAMPLE", zoneID, "checkout.example.com", shopName).Replace(string(document))
	// rollout does everything that promote does.
	rollout := func(w *dnsWorld, policy string) error {
		parsed, err := ParsePolicy([]byte(policy))
		check(t, err)
		k := Key{AccessKey: "AKIAROLE", SecretKey: "x", Role: "promote-prod", Policy: parsed}
		check(t, w.server.AddKey(k))
		d := w.open(k, nil)
		ctx := t.Context()
		stable, err := d.Find(ctx, w.stable.Host)
		if err != nil {
			return err
		}
		candidate, err := d.Find(ctx, w.candidate.Host)
		if err != nil {
			return err
		}
		if err := d.Check(ctx, stable); err != nil {
			return err
		}
		if _, err := d.Ensure(ctx, stable); err != nil {
			return err
		}
		if err := d.Healthy(ctx, candidate, 2); err != nil {
			return err
		}
		for _, percent := range []float64{50, 0} {
			if _, err := d.Shift(ctx, stable, candidate, percent); err != nil {
				return err
			}
		}
		if err := d.Withdraw(ctx); err != nil {
			return err
		}
		_, err = d.Restore(ctx)
		return err
	}
	t.Run("it is enough", func(t *testing.T) {
		w := newDNSWorld(t, Options{})
		check(t, rollout(w, text))
		w = newDNSWorld(t, Options{})
		for _, name := range []string{"stable", "candidate"} {
			b := aBalancer(name, 1)
			b.IPv6 = netip.MustParseAddr("2001:db8::1")
			w.fleet.change(b)
		}
		check(t, rollout(w, text))
	})
	for _, action := range []string{
		"route53:GetHostedZone", "route53:ListResourceRecordSets", "route53:ChangeResourceRecordSets", "route53:GetChange",
		"elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
	} {
		t.Run("it needs "+action, func(t *testing.T) {
			less := strings.Replace(text, `"`+action+`"`, `"s3:GetObject"`, 1)
			if less == text {
				t.Fatalf("the policy has no %s", action)
			}
			w := newDNSWorld(t, Options{})
			wantText(t, rollout(w, less), "the job's role may not "+action, "docs/route53.md")
			if n := len(w.writes()); n > 0 {
				t.Errorf("what is missing showed only after %d writes", n)
			}
		})
	}
	for _, value := range []string{`"UPSERT", `, `, "DELETE"`} {
		t.Run("it needs "+value, func(t *testing.T) {
			w := newDNSWorld(t, Options{})
			wantText(t, rollout(w, strings.Replace(text, value, "", 1)), "the job's role may not route53:ChangeResourceRecordSets")
			if n := len(w.writes()); n > 0 {
				t.Errorf("what is missing showed only after %d writes", n)
			}
		})
	}
	t.Run("it lets nobody write other names or types", func(t *testing.T) {
		w := newDNSWorld(t, Options{})
		parsed, err := ParsePolicy([]byte(text))
		check(t, err)
		k := Key{AccessKey: "AKIAROLE", SecretKey: "x", Policy: parsed}
		check(t, w.server.AddKey(k))
		for _, r := range []types.ResourceRecordSet{simple("other.example.com", "A", "192.0.2.1"), simple(shopName, "TXT", `"x"`), simple(zoneTop, "NS", "ns.example.org")} {
			_, err := w.change(k, upsert(r))
			wantError(t, err, "AccessDenied", "route53:ChangeResourceRecordSets")
		}
	})
}
