package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// freshResolvers is how many resolvers the requests on fresh connections share. Behind each real one stand many clients; with one
// alone all of them would move at once.
const freshResolvers = 20

// resolver keeps what a name server answered for as long as the answer allows, and no longer. Go's own resolver keeps nothing, and
// does not tell for how long one may.
type resolver struct {
	server string

	mu   sync.Mutex
	kept map[string]answer
}

type answer struct {
	address string
	until   time.Time
}

func newResolver(server string) *resolver {
	return &resolver{server: server, kept: map[string]answer{}}
}

// address is the host's, as a client behind this resolver sees it.
func (r *resolver) address(ctx context.Context, host string) (string, error) {
	if net.ParseIP(host) != nil {
		return host, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock() // who asks meanwhile gets the same answer
	if a := r.kept[host]; time.Now().Before(a.until) {
		return a.address, nil
	}
	a, err := ask(ctx, r.server, host)
	if err != nil {
		return "", fmt.Errorf("looking up %q: %w", host, err)
	}
	r.kept[host] = a
	return a.address, nil
}

// ask sends one query for an address, and a second one for an IPv6 address when there is no other.
func ask(ctx context.Context, server, host string) (answer, error) {
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		query := new(dns.Msg)
		query.SetQuestion(dns.Fqdn(host), kind)
		// An answer's time begins when it is asked for: on a slow machine it would else live for longer than it may.
		asked := time.Now()
		reply, _, err := new(dns.Client).ExchangeContext(ctx, query, server)
		if err != nil {
			return answer{}, err
		}
		if reply.Rcode != dns.RcodeSuccess {
			return answer{}, errors.New(dns.RcodeToString[reply.Rcode])
		}
		for _, rr := range reply.Answer {
			until := asked.Add(time.Duration(rr.Header().Ttl) * time.Second)
			switch rr := rr.(type) {
			case *dns.A:
				return answer{rr.A.String(), until}, nil
			case *dns.AAAA:
				return answer{rr.AAAA.String(), until}, nil
			}
		}
	}
	return answer{}, errors.New("it has no address")
}

// through makes a transport dial what its resolvers say, one after the other.
func through(t *http.Transport, server string, resolvers int) *http.Transport {
	if server == "" {
		return t
	}
	var next atomic.Int64
	all := make([]*resolver, resolvers)
	for i := range all {
		all[i] = newResolver(server)
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		host, err = all[int(next.Add(1))%len(all)].address(ctx, host)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
	}
	return t
}
