//go:build lab

package e2e

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/promote/lab/aws"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// eksName is the cluster that the fronts are.
const eksName = "lab"

// front is EKS's API server: it lets in who has a token that EKS takes at the time it is, and is the lab's API server behind.
type front struct {
	t   *testing.T
	aws *aws.Server
	url string
	ca  []byte

	mu      sync.Mutex
	ahead   time.Duration      // of the simulated time before the real one
	taken   map[string]seen    // by token
	dead    map[string]bool    // tokens that were revoked
	refused []string           // why, one for each answer of 401
	watches map[*watching]bool // that are open
	begun   []*watching        // all of them
}

// seen is a token that was taken.
type seen struct {
	aws.Caller
	requests int
}

// watching is one watch through the front.
type watching struct {
	path, key string
	end       context.CancelFunc
}

// newFront stands before the place's API server and makes the cluster known. Behind it requests come from the place's account,
// which has the Role of the documentation.
func newFront(t *testing.T, p *place, double *aws.Server) *front {
	t.Helper()
	f := &front{t: t, aws: double, taken: map[string]seen{}, dead: map[string]bool{}, watches: map[*watching]bool{}}
	config, err := clientcmd.BuildConfigFromFlags("", p.kubeconfig)
	p.must(config, err)
	// An upgraded connection cannot be one of many on HTTP/2.
	config.NextProtos = []string{"http/1.1"}
	behind, err := rest.TransportFor(config)
	p.must(behind, err)
	target, err := url.Parse(config.Host)
	p.must(target, err)
	// What it would log is that watches were ended, as the test wants.
	quiet := log.New(io.Discard, "", 0)
	proxy := &httputil.ReverseProxy{Transport: behind, FlushInterval: -1, ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Del("Authorization")
	}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(proxy, w, r) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(f.endWatches)
	f.url, f.ca = server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	double.PutEKSCluster(aws.EKSCluster{Name: eksName, Endpoint: f.url, CA: f.ca})
	return f
}

func (f *front) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	caller, reason := f.admit(token)
	if reason != "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`))
		return
	}
	if r.URL.Query().Get("watch") != "" {
		ctx, cancel := context.WithCancel(r.Context())
		one := &watching{path: r.URL.Path, key: caller.AccessKey, end: cancel}
		f.mu.Lock()
		f.watches[one] = true
		f.begun = append(f.begun, one)
		f.mu.Unlock()
		defer func() {
			cancel()
			f.mu.Lock()
			delete(f.watches, one)
			f.mu.Unlock()
		}()
		r = r.WithContext(ctx)
	}
	next.ServeHTTP(w, r)
}

// admit says why a token is refused, or who has it.
func (f *front) admit(token string) (aws.Caller, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	caller, err := f.aws.Authenticate(token, eksName, time.Now().Add(f.ahead))
	if err == nil && !f.dead[token] {
		s := f.taken[token]
		f.taken[token] = seen{caller, s.requests + 1}
		return caller, ""
	}
	reason := "revoked"
	if err != nil {
		reason = err.Error()
	}
	f.refused = append(f.refused, reason)
	return caller, reason
}

// clock is the simulated time.
func (f *front) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.ahead)
}

// advance lets simulated time pass, without waiting.
func (f *front) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead += d
}

// endWatches ends all that are open, as an API server does with each after some minutes.
func (f *front) endWatches() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watches {
		w.end()
	}
}

// revoke refuses from now on every token that was taken so far.
func (f *front) revoke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for token := range f.taken {
		f.dead[token] = true
	}
}

// forget begins to count anew.
func (f *front) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken, f.refused, f.begun = map[string]seen{}, nil, nil
}

// look gives what was seen so far.
func (f *front) look() (taken map[string]seen, refused []string, watches []*watching) {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken = map[string]seen{}
	for token, s := range f.taken {
		taken[token] = s
	}
	return taken, append([]string{}, f.refused...), append([]*watching{}, f.begun...)
}

// podWatches counts the watches of pods that were begun.
func (f *front) podWatches() int {
	_, _, watches := f.look()
	n := 0
	for _, w := range watches {
		if strings.HasSuffix(w.path, "/pods") {
			n++
		}
	}
	return n
}

// awaitOr waits until something is so; what ends early ends it with an error.
func awaitOr[T any](t *testing.T, what string, ended <-chan T, so func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(20 * time.Second); !so(); {
		select {
		case got := <-ended:
			t.Fatalf("awaiting %s: it ended with %v", what, got)
		case <-ticker.C:
		}
		if time.Now().After(deadline) {
			t.Fatalf("awaiting %s: not in 20 s", what)
		}
	}
}
