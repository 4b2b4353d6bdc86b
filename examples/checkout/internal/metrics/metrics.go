// Package metrics counts answered requests and prints the counts in the Prometheus
// text format, version 0.0.4. It holds the two metrics a canary is judged by and
// nothing else; a service with more to tell takes a client library.
//
//	m := metrics.New("8f2c1ab", "POST /orders", "GET /orders/{id}")
//	m.Observe("POST /orders", 201, 3*time.Millisecond)
//	m.WriteTo(w)
package metrics

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// buckets are the upper bounds of the latency histogram in seconds, close together
// where a healthy answer lies.
var buckets = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics is safe for concurrent use.
type Metrics struct {
	version string

	mu     sync.Mutex
	routes map[route]*counts
}

type route struct{ method, path string }

type counts struct {
	codes   map[int]uint64
	buckets [len(buckets)]uint64 // not cumulative: that is done when printing
	seconds float64
}

// New counts for one version of a service. The patterns are those of [http.ServeMux]; their
// counters exist from the start, with a zero for a 500: a series that first appears with
// the first error has no increase, and a monitor would miss exactly that error.
func New(version string, patterns ...string) *Metrics {
	m := &Metrics{version: version, routes: make(map[route]*counts)}
	for _, pattern := range patterns {
		m.of(pattern).codes[http.StatusInternalServerError] = 0
	}
	return m
}

// Observe counts one answer. The pattern, not the path, becomes the label: paths are endless.
func (m *Metrics) Observe(pattern string, code int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.of(pattern)
	c.codes[code]++
	c.seconds += took.Seconds()
	for i, bound := range buckets {
		if took.Seconds() <= bound {
			c.buckets[i]++
			break
		}
	}
}

// of returns the counts of a pattern and makes them where they are missing.
func (m *Metrics) of(pattern string) *counts {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "any", pattern
	}
	key := route{method, path}
	if m.routes[key] == nil {
		m.routes[key] = &counts{codes: make(map[int]uint64)}
	}
	return m.routes[key]
}
