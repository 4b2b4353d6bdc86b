package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// checks are what each canary is judged by.
const checks = `- name: errors
  type: ratio
  bad: sum(increase(bad_total{namespace="$namespace",release="$release"}[$window]))
  total: sum(increase(all_total{namespace="$namespace",release="$release"}[$window]))
  max: 0.05
  compare: true
`

// What the monitor makes up: requests a second, and the share of bad ones, which is everybody's.
const (
	baselineRate  = 80.0
	candidateRate = 20.0
	badShare      = 0.001
)

// monitor speaks the part of Prometheus' HTTP API that a query takes.
type monitor struct {
	url    string
	server *httptest.Server
	asked  atomic.Int64

	mu sync.Mutex
	// baselines are the releases that served before, by namespace.
	baselines map[string]string
}

func newMonitor() *monitor {
	m := &monitor{baselines: map[string]string{}}
	m.server = httptest.NewServer(m)
	m.url = m.server.URL
	return m
}

// serves says which release of a namespace is the baseline.
func (m *monitor) serves(namespace, release string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.baselines[namespace] = release
}

var queryOf = regexp.MustCompile(`(bad|all)_total\{namespace="([^"]+)",release="([^"]+)"\}\[(\d+)s\]`)

// ServeHTTP answers a query for the time that it names.
func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.asked.Add(1)
	found := queryOf.FindStringSubmatch(r.FormValue("query"))
	if r.URL.Path != "/api/v1/query" || found == nil {
		http.Error(w, `{"status":"error","errorType":"bad_data","error":"not asked for in this bench"}`, http.StatusBadRequest)
		return
	}
	at := r.FormValue("time")
	if at == "" {
		at = strconv.FormatInt(time.Now().Unix(), 10)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%s,"%g"]}]}}`, at, m.value(found))
}

// value is what a query gives, taken apart.
func (m *monitor) value(query []string) float64 {
	m.mu.Lock()
	baseline := m.baselines[query[2]]
	m.mu.Unlock()
	seconds, _ := strconv.ParseFloat(query[4], 64) // by the pattern it is a number
	rate := candidateRate
	if strings.EqualFold(query[3], baseline) {
		rate = baselineRate
	}
	if query[1] == "bad" {
		rate *= badShare
	}
	return rate * seconds
}

func (m *monitor) close() { m.server.Close() }
