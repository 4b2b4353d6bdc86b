package main

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// call is a kind of request: a verb as RBAC has it, with what Kubernetes' own metrics tell apart beyond that, and a resource.
type call struct {
	Verb     string `json:"verb"`
	Resource string `json:"resource"`
}

// classify reads a request as the API server does: /api/v1/namespaces/NS/RESOURCE/NAME/SUB, /apis/GROUP/VERSION/….
func classify(r *http.Request) call {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		parts = parts[3:]
	default:
		return call{verbOf(r, false), "/" + parts[0]}
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	resource := parts[0]
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	return call{verbOf(r, len(parts) > 1), resource}
}

func verbOf(r *http.Request, named bool) string {
	query := r.URL.Query()
	verb := strings.ToLower(r.Method) // which delete's and patch's are
	switch r.Method {
	case http.MethodGet:
		switch watch := query.Get("watch"); {
		case watch == "true" || watch == "1":
			verb = "watch"
		case named:
			verb = "get"
		default:
			verb = "list"
		}
	case http.MethodPost:
		verb = "create"
	case http.MethodPut:
		verb = "update"
	case http.MethodPatch:
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/apply-patch") {
			verb = "apply"
		}
	}
	if query.Get("dryRun") != "" {
		verb += ", dry run"
	}
	return verb
}

// tally is what passed in one measurement.
type tally struct {
	began time.Time
	bytes atomic.Int64

	mu sync.Mutex
	// calls are the requests of each kind; statuses the answers other than 2xx, 0 for none; seconds the requests in each second.
	calls    map[call]int
	statuses map[int]int
	seconds  map[int]int
}

func newTally() *tally {
	return &tally{began: time.Now(), calls: map[call]int{}, statuses: map[int]int{}, seconds: map[int]int{}}
}

func (t *tally) request(c call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[c]++
	t.seconds[int(time.Since(t.began)/time.Second)]++
}

func (t *tally) answer(_ call, status int) {
	if status >= 200 && status < 300 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statuses[status]++
}

// busiest is the largest number of requests in one second.
func (t *tally) busiest() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	most := 0
	for _, n := range t.seconds {
		most = max(most, n)
	}
	return most
}
