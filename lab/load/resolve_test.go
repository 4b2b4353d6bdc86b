package load

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// nameServer answers with the address that is set, and counts questions.
type nameServer struct {
	mu      sync.Mutex
	address string // "" is none
	ttl     uint32
	asked   int
}

func (n *nameServer) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	reply := new(dns.Msg)
	reply.SetReply(query)
	header := dns.RR_Header{Name: query.Question[0].Name, Rrtype: query.Question[0].Qtype, Class: dns.ClassINET, Ttl: n.ttl}
	switch {
	case n.address == "":
		reply.Rcode = dns.RcodeNameError
	case query.Question[0].Qtype == dns.TypeA:
		reply.Answer = []dns.RR{&dns.A{Hdr: header, A: net.ParseIP(n.address)}}
	}
	w.WriteMsg(reply)
}

func (n *nameServer) set(address string, ttl uint32) (asked int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.address, n.ttl = address, ttl
	return n.asked
}

// listen serves names until the test ends.
func (n *nameServer) listen(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: n}
	go server.ActivateAndServe()
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}

func TestResolverKeepsAnAnswerForItsTime(t *testing.T) {
	n := &nameServer{}
	r := newResolver(n.listen(t))
	n.set("192.0.2.1", 1)
	look := func(want string) {
		t.Helper()
		if got, err := r.address(t.Context(), "shop.lab.internal"); err != nil || got != want {
			t.Fatalf("got %q (%v), want %q", got, err, want)
		}
	}
	look("192.0.2.1")
	n.set("192.0.2.2", 0)
	look("192.0.2.1")
	if asked := n.set("192.0.2.2", 0); asked != 1 {
		t.Errorf("asked %d times for what was still good", asked)
	}
	for until := time.Now().Add(5 * time.Second); ; {
		got, err := r.address(t.Context(), "shop.lab.internal")
		if err != nil || time.Now().After(until) {
			t.Fatalf("still %q (%v)", got, err)
		}
		if got == "192.0.2.2" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	n.set("192.0.2.3", 0)
	look("192.0.2.3") // a time to live of 0 keeps nothing
	if got, err := r.address(t.Context(), "192.0.2.9"); err != nil || got != "192.0.2.9" {
		t.Errorf("an address became %q (%v)", got, err)
	}
}

func TestLoadGoesWhereTheNameServerSays(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Host, "shop.lab.internal:") {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	n := &nameServer{address: "127.0.0.1", ttl: 60}
	resolver := n.listen(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	records := run(t, Config{URL: "http://shop.lab.internal:" + port, Rate: 200, Max: 60, KeepAlive: 0.5, Resolver: resolver, Scenario: Get("/")})
	for _, r := range records {
		if r.Failed() {
			t.Fatalf("a request failed: %+v", r)
		}
	}
	if asked := n.set("", 0); asked < freshResolvers || asked > freshResolvers+20 {
		t.Errorf("the name server was asked %d times; each of %d resolvers and each of up to 20 clients that keep connections should ask once", asked, freshResolvers)
	}
	records = run(t, Config{URL: "http://shop.lab.internal:" + port, Rate: 200, Max: 1, Resolver: resolver, Scenario: Get("/")})
	if !strings.Contains(records[0].Error, "NXDOMAIN") {
		t.Errorf("a name that does not exist gave %+v", records[0])
	}
}
