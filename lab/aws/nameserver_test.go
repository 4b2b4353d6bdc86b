package aws

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/miekg/dns"
)

// ask gives the answer's code, addresses and time to live.
func ask(t *testing.T, server, name string, kind uint16) (rcode int, address string, ttl uint32) {
	t.Helper()
	query := new(dns.Msg)
	query.SetQuestion(dns.Fqdn(name), kind)
	reply, _, err := new(dns.Client).ExchangeContext(t.Context(), query, server)
	check(t, err)
	for _, rr := range reply.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			address, ttl = rr.A.String(), rr.Hdr.Ttl
		case *dns.AAAA:
			address, ttl = rr.AAAA.String(), rr.Hdr.Ttl
		}
	}
	return reply.Rcode, address, ttl
}

func TestChoose(t *testing.T) {
	record := func(weight int64, sick bool) recordSet {
		r := recordSet{Weight: &weight}
		if sick {
			r.HealthCheckID = "sick"
		}
		return r
	}
	for name, test := range map[string]struct {
		group []recordSet
		// want is how often of 10000 each is chosen, -1 when it may be any share near the weights'.
		want []float64
	}{
		"by weight":                            {[]recordSet{record(90, false), record(10, false)}, []float64{.9, .1}},
		"one without weight is not chosen":     {[]recordSet{record(100, false), record(0, false)}, []float64{1, 0}},
		"all without weight are":               {[]recordSet{record(0, false), record(0, false)}, []float64{.5, .5}},
		"a sick one is not":                    {[]recordSet{record(50, false), record(50, true)}, []float64{1, 0}},
		"weight 0 is when the others are sick": {[]recordSet{record(0, false), record(100, true)}, []float64{1, 0}},
		"all sick ones count as well ones":     {[]recordSet{record(75, true), record(25, true)}, []float64{.75, .25}},
		"all sick, one without weight":         {[]recordSet{record(100, true), record(0, true)}, []float64{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			got := make([]float64, len(test.group))
			for range 10000 {
				got[choose(test.group, func(r recordSet) bool { return r.HealthCheckID == "" }, random.IntN)] += 1.0 / 10000
			}
			for i := range got {
				if d := got[i] - test.want[i]; d > .02 || d < -.02 || test.want[i] == 0 && got[i] > 0 {
					t.Errorf("chosen %v, want %v", got, test.want)
				}
			}
		})
	}
}

func TestNameServer(t *testing.T) {
	var passed atomic.Int64 // the name server's goroutines read the clock
	w := zoneWorld(t, Options{Propagation: time.Minute, Clock: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }})
	f := &fleet{all: []LoadBalancer{aBalancer("stable", 1), aBalancer("candidate", 2)}}
	w.server.SetBalancers(f.list)
	server, err := w.server.StartNameServer(t.Context(), "127.0.0.1:0")
	check(t, err)
	// shares asks often and counts addresses.
	shares := func() map[string]int {
		got := map[string]int{}
		for range 400 {
			_, address, _ := ask(t, server, shopName, dns.TypeA)
			got[address]++
		}
		return got
	}
	s, c := weighted("s", "stable", 100), weighted("c", "candidate", 0)
	s.AliasTarget.EvaluateTargetHealth = false
	_, err = w.change(root, upsert(s), upsert(c))
	check(t, err)
	if rcode, _, _ := ask(t, server, shopName, dns.TypeA); rcode != dns.RcodeNameError {
		t.Error("a change that is PENDING is served")
	}
	passed.Add(int64(time.Minute))
	if rcode, address, ttl := ask(t, server, shopName, dns.TypeA); rcode != dns.RcodeSuccess || address != "192.0.2.1" || ttl != 60 {
		t.Errorf("got %d, %s for %d s", rcode, address, ttl)
	}
	if rcode, address, _ := ask(t, server, shopName, dns.TypeAAAA); rcode != dns.RcodeSuccess || address != "" {
		t.Errorf("IPv6 of a name with IPv4 alone gave %d, %s", rcode, address)
	}
	if rcode, _, _ := ask(t, server, "other.example.com", dns.TypeA); rcode != dns.RcodeNameError {
		t.Errorf("a name that does not exist gave %d", rcode)
	}
	if rcode, _, _ := ask(t, server, "example.org", dns.TypeA); rcode != dns.RcodeRefused {
		t.Errorf("another's name gave %d", rcode)
	}
	if _, address, _ := ask(t, server, aBalancer("candidate", 2).Host, dns.TypeA); address != "192.0.2.2" {
		t.Errorf("a balancer's own name gave %q", address)
	}

	// With its own health evaluated and the other's not, a candidate without weight gets nothing whatever happens.
	sick := aBalancer("stable", 1)
	sick.Groups[0].Targets = []Target{{ID: "10.0.0.1", State: "unhealthy"}}
	f.change(sick)
	if got := shares(); got["192.0.2.1"] != 400 {
		t.Errorf("a sick stable balancer has %v", got)
	}
	*s.Weight, *c.Weight = 50, 50
	_, err = w.change(root, upsert(s), upsert(c))
	check(t, err)
	if got := shares(); got["192.0.2.1"] != 400 {
		t.Errorf("before INSYNC %v", got)
	}
	passed.Add(int64(time.Minute))
	if got := shares(); got["192.0.2.1"] < 140 || got["192.0.2.2"] < 140 {
		t.Errorf("half and half is %v", got)
	}
	dead := aBalancer("candidate", 2)
	dead.Groups[0].Targets = nil
	f.change(dead)
	if got := shares(); got["192.0.2.1"] != 400 {
		t.Errorf("a dead candidate has %v", got)
	}

	six := aBalancer("stable", 1)
	six.IPv6 = netip.MustParseAddr("2001:db8::1")
	f.change(six)
	s6 := s
	s6.Type = types.RRTypeAaaa
	_, err = w.change(root, upsert(s6), upsert(simple(zoneTop, "A", "192.0.2.77")))
	check(t, err)
	passed.Add(int64(time.Minute))
	if _, address, _ := ask(t, server, shopName, dns.TypeAAAA); address != "2001:db8::1" {
		t.Errorf("IPv6 is %q", address)
	}
	if _, address, ttl := ask(t, server, zoneTop, dns.TypeA); address != "192.0.2.77" || ttl != 60 {
		t.Errorf("a simple record is %q for %d s", address, ttl)
	}
}
