package aws

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// StartNameServer answers for the hosted zones, and for the names of load balancers, over UDP and TCP until ctx ends. It returns its
// address; "127.0.0.1:0" listens on a free port.
func (s *Server) StartNameServer(ctx context.Context, listen string) (string, error) {
	tcp, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return "", fmt.Errorf("starting the name server on %q: %w", listen, err)
	}
	// The same port as TCP's: a resolver knows one address.
	udp, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", tcp.Addr().String())
	if err != nil {
		_ = tcp.Close()
		return "", fmt.Errorf("starting the name server on %q: %w", listen, err)
	}
	for _, server := range []*dns.Server{{Listener: tcp, Handler: s.names()}, {PacketConn: udp, Handler: s.names()}} {
		// The only errors it can give here are those of a closed listener: that is how it ends.
		go func() { _ = server.ActivateAndServe() }()
	}
	context.AfterFunc(ctx, func() {
		_ = tcp.Close()
		_ = udp.Close()
	})
	return tcp.Addr().String(), nil
}

func (s *Server) names() dns.HandlerFunc {
	return func(w dns.ResponseWriter, query *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(query)
		answer.Authoritative = true
		if len(query.Question) == 1 && query.Question[0].Qclass == dns.ClassINET {
			s.resolve(answer, query.Question[0])
		} else {
			answer.Rcode = dns.RcodeNotImplemented
		}
		// An error here means that the caller is gone; it will ask again.
		_ = w.WriteMsg(answer)
	}
}

// resolve answers one question.
func (s *Server) resolve(answer *dns.Msg, question dns.Question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, kind := full(question.Name), dns.TypeToString[question.Qtype]
	balancers := s.balancers()
	if b, exists := balancerAt(balancers, name); exists {
		answer.Answer = addresses(question, b, s.zoning.aliasTTL)
		return
	}
	zone := s.zoneOf(name)
	if zone == nil {
		answer.Authoritative, answer.Rcode = false, dns.RcodeRefused
		return
	}
	all := zone.serves(s.clock())
	answer.Rcode = dns.RcodeNameError
	var group []recordSet
	for _, r := range all {
		if r.Name == name {
			answer.Rcode = dns.RcodeSuccess
			if r.Type == kind || r.Type == "CNAME" {
				group = append(group, r)
			}
		}
	}
	if len(group) > 0 {
		chosen := group[choose(group, func(r recordSet) bool { return r.healthy(balancers) }, rand.IntN)]
		answer.Answer = s.contents(question, chosen, balancers)
	}
	if len(answer.Answer) == 0 {
		answer.Ns = zone.authority(all)
	}
}

// zoneOf is the zone nearest to a name.
func (s *Server) zoneOf(name string) *hostedZone {
	var best *hostedZone
	for _, z := range s.zones {
		if inZone(name, z.Name) && (best == nil || len(z.Name) > len(best.Name)) {
			best = z
		}
	}
	return best
}

// authority is the SOA record that stands in an answer without content, which says how long to remember it.
func (z *hostedZone) authority(all []recordSet) []dns.RR {
	i := slices.IndexFunc(all, func(r recordSet) bool { return r.Type == "SOA" && r.Name == z.Name })
	if i < 0 {
		return nil
	}
	return all[i].text(z.Name)
}

// contents are the answers that a record gives.
func (s *Server) contents(question dns.Question, r recordSet, balancers []LoadBalancer) []dns.RR {
	if r.AliasTarget == nil {
		return r.text(question.Name)
	}
	b, exists := balancerAt(balancers, r.AliasTarget.DNSName)
	if !exists {
		return nil // its balancer is gone; Route 53 has nothing to say either
	}
	return addresses(question, b, s.zoning.aliasTTL)
}

// text is a record with values, as zone files have it.
func (r recordSet) text(name string) []dns.RR {
	var all []dns.RR
	for _, v := range r.ResourceRecords.ResourceRecord {
		if rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", name, *r.TTL, r.Type, v.Value)); err == nil {
			all = append(all, rr)
		}
	}
	return all
}

// addresses are a balancer's, under the name that was asked for.
func addresses(question dns.Question, b LoadBalancer, ttl time.Duration) []dns.RR {
	header := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: uint32(ttl.Seconds())}
	address := b.address(dns.TypeToString[question.Qtype])
	switch {
	case !address.IsValid():
		return nil
	case question.Qtype == dns.TypeA:
		return []dns.RR{&dns.A{Hdr: header, A: ip(address)}}
	}
	return []dns.RR{&dns.AAAA{Hdr: header, AAAA: ip(address)}}
}

func ip(a netip.Addr) net.IP { return net.IP(a.AsSlice()) }

// healthy is what Route 53 thinks of a record: without evaluation everything is.
func (r recordSet) healthy(balancers []LoadBalancer) bool {
	if r.AliasTarget == nil || !r.AliasTarget.EvaluateTargetHealth {
		return true
	}
	b, exists := balancerAt(balancers, r.AliasTarget.DNSName)
	return exists && b.healthy()
}

// choose is Route 53's choice among the records of one name and type: those with weight before those without, in each the healthy
// ones, and when nothing is healthy all of them.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
func choose(group []recordSet, healthy func(recordSet) bool, random func(int) int) int {
	weight := func(i int) int {
		if group[i].Weight == nil {
			return 0
		}
		return int(*group[i].Weight)
	}
	var heavy, light, heavyWell, lightWell []int
	for i, r := range group {
		well := healthy(r)
		switch {
		case weight(i) > 0 && well:
			heavyWell, heavy = append(heavyWell, i), append(heavy, i)
		case weight(i) > 0:
			heavy = append(heavy, i)
		case well:
			lightWell, light = append(lightWell, i), append(light, i)
		default:
			light = append(light, i)
		}
	}
	for _, some := range [][]int{heavyWell, lightWell, heavy, light} {
		if len(some) == 0 {
			continue
		}
		sum := 0
		for _, i := range some {
			sum += weight(i)
		}
		if sum == 0 {
			return some[random(len(some))]
		}
		roll := random(sum)
		for _, i := range some {
			if roll -= weight(i); roll < 0 {
				return i
			}
		}
	}
	return 0
}
