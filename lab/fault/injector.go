package fault

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is what becomes of one request.
type Fault struct {
	// Status answers in the server's place, with the words that the API server has for it; 0 passes the request on.
	Status int
	// Reset breaks the connection in place of an answer; the server never gets the request.
	Reset bool
	// Stall holds the request back so long before it is passed on.
	Stall time.Duration
	// After runs when the server has answered, before the client hears of it.
	After func()
}

// Request is one request that passes a front.
type Request struct {
	// Number counts all requests of the injector, from 1.
	Number int
	// Same counts the requests with this method and URL, from 1.
	Same int
	*http.Request
}

// String is the request as a log has it.
func (r Request) String() string {
	return fmt.Sprintf("request %d, %s %s", r.Number, r.Method, r.URL.RequestURI())
}

// Injector decides about the requests of all its fronts.
type Injector struct {
	decide func(Request) Fault

	bytes atomic.Int64

	mu   sync.Mutex
	all  int
	same map[string]int
	log  []Request
}

// NewInjector asks decide about each request, one at a time.
func NewInjector(decide func(Request) Fault) *Injector {
	return &Injector{decide: decide, same: map[string]int{}}
}

// Seen are the requests that have passed so far.
func (i *Injector) Seen() []Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]Request{}, i.log...)
}

// Bytes is how much has passed so far, both ways: bodies as they were sent, compressed ones as such, without headers and
// without what goes through upgraded connections.
func (i *Injector) Bytes() int64 { return i.bytes.Load() }

// next counts a request and decides about it.
func (i *Injector) next(r *http.Request) Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := r.Method + " " + r.URL.RequestURI()
	i.all++
	i.same[key]++
	seen := Request{Number: i.all, Same: i.same[key], Request: r}
	i.log = append(i.log, seen)
	return i.decide(seen)
}

// faulty passes requests on as the injector decides.
type faulty struct {
	injector *Injector
	next     http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.UserAgent(), "containerd/") { // the node's own pulls
		return f.next.RoundTrip(r)
	}
	fault := f.injector.next(r)
	switch {
	case fault.Reset:
		return nil, errReset
	case fault.Status != 0:
		return answer(r, fault.Status), nil
	case fault.Stall > 0:
		timer := time.NewTimer(fault.Stall)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = &counted{r.Body, &f.injector.bytes}
	}
	resp, err := f.next.RoundTrip(r)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols { // whose body is a connection
		resp.Body = &counted{resp.Body, &f.injector.bytes}
	}
	if fault.After != nil {
		fault.After()
	}
	return resp, err
}

// answer is what the API server says with a status; other servers' clients read the code alone.
func answer(r *http.Request, status int) *http.Response {
	reason := map[int]string{401: "Unauthorized", 409: "Conflict", 429: "TooManyRequests", 500: "InternalError"}[status]
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"injected: %s","reason":%q,"code":%d}`,
		http.StatusText(status), reason, status)
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// counted adds up what is read.
type counted struct {
	io.ReadCloser
	total *atomic.Int64
}

// Read implements [io.Reader].
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.total.Add(int64(n))
	return n, err
}
