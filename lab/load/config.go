package load

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"
)

// Bounds on what one run may do. maxRate is what this generator was seen to hold on two cores; maxRequests
// keeps a forgotten run from filling memory and disk (about 200 bytes per request each).
const (
	maxRate     = 2000
	maxRequests = 1_000_000
)

// Config says what to send.
type Config struct {
	URL      string        // where the service is, without a path
	Rate     float64       // requests per second
	Duration time.Duration // 0: until [Run.Stop], the context's end, or Max
	Max      int           // most requests; 0: 1,000,000
	Scenario Scenario      // what to request

	KeepAlive     float64 // share of requests, 0 to 1, that clients send on connections they keep
	Clients       int     // clients that keep connections; 0: so many that each sends about once a second, at most 20
	PerConnection int     // requests after which a client takes a new connection; 0: 20

	// Resolver is a name server (host:port) that the URL's host is looked up at. Each client that keeps connections keeps its own answers
	// too, for as long as their time to live; other requests share 20 such memories. "": names are looked up as the machine does.
	Resolver string

	Timeout  time.Duration // of one request; 0: 10 s
	InFlight int           // most requests without an answer, beyond which requests fail unsent; 0: 1000
	Log      io.Writer     // gets each [Record] as a line of JSON; nil: none
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	set := func(value *int, fallback int) {
		if *value == 0 {
			*value = fallback
		}
	}
	set(&c.Max, maxRequests)
	// A connection that rests for longer than a service drains is closed while at rest, and a request that leaves
	// at that very moment is lost: no service can help it. Clients that send every second don't rest that long.
	set(&c.Clients, min(max(int(c.Rate*c.KeepAlive), 1), 20))
	set(&c.PerConnection, 20)
	set(&c.InFlight, 1000)
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c
}

// validate reports every problem at once.
func (c Config) validate() error {
	var problems []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	target, err := url.Parse(c.URL)
	want(err == nil && (target.Scheme == "http" || target.Scheme == "https") && target.Host != "",
		"URL %q: want the form http://host:port", c.URL)
	if c.Resolver != "" {
		_, _, err := net.SplitHostPort(c.Resolver)
		want(err == nil, "name server %q: want the form host:port", c.Resolver)
	}
	want(c.Rate > 0 && c.Rate <= maxRate, "rate %v: want more than 0 and at most %d requests per second", c.Rate, maxRate)
	want(c.Duration >= 0, "duration %v: want 0 or more", c.Duration)
	want(c.Max > 0 && c.Max <= maxRequests, "number of requests %d: want 1 to %d", c.Max, maxRequests)
	want(c.KeepAlive >= 0 && c.KeepAlive <= 1, "keep-alive %v: want a share from 0 to 1", c.KeepAlive)
	want(c.Clients > 0 && c.PerConnection > 0 && c.InFlight > 0 && c.Timeout > 0,
		"clients, requests per connection, requests in flight and timeout: want each above 0")
	want(c.Scenario != nil, "scenario: there is none")
	return errors.Join(problems...)
}
