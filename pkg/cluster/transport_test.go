package cluster

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// clusterOn connects to a server that speaks plain HTTP.
func clusterOn(t *testing.T, url string, cfg Config) *Cluster {
	t.Helper()
	c, err := connect(&rest.Config{Host: url}, "ns", cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const aService = `{"apiVersion":"v1","kind":"Service","metadata":{"name":"checkout","namespace":"ns","resourceVersion":"1"},"spec":{"selector":{"app":"checkout"}}}`

// answers serves one handler after the other and counts; the last serves the rest.
func answers(t *testing.T, handlers ...http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		handlers[min(i, len(handlers)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s, &n
}

func respond(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text))
	}
}

// reset drops the connection after the request has arrived.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
}

func TestOutage(t *testing.T) {
	t.Run("a read survives resets and 503s", func(t *testing.T) {
		s, n := answers(t, reset, respond(503), respond(502), body(aService))
		got, err := clusterOn(t, s.URL, Config{}).Selector(t.Context(), "checkout")
		if err != nil || got["app"] != "checkout" {
			t.Errorf("got %v, %v", got, err)
		}
		if n.Load() != 4 {
			t.Errorf("%d requests, want 4", n.Load())
		}
	})
	t.Run("an internal error passes, or is told after few tries", func(t *testing.T) {
		s, n := answers(t, respond(500), respond(500), body(aService))
		if _, err := clusterOn(t, s.URL, Config{}).Selector(t.Context(), "checkout"); err != nil || n.Load() != 3 {
			t.Errorf("got %v after %d requests", err, n.Load())
		}
		s, n = answers(t, respond(500), respond(500), respond(500), respond(500), respond(500), body(aService))
		if _, err := clusterOn(t, s.URL, Config{}).Selector(t.Context(), "checkout"); err == nil || n.Load() != 5 {
			t.Errorf("got %v after %d requests, want the error after 5", err, n.Load())
		}
	})
	t.Run("a read survives a connection that breaks in the middle of the answer", func(t *testing.T) {
		half := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(aService)))
			_, _ = w.Write([]byte(aService[:len(aService)/2]))
			w.(http.Flusher).Flush()
			reset(w, nil)
		}
		s, n := answers(t, half, half, body(aService))
		got, err := clusterOn(t, s.URL, Config{}).Selector(t.Context(), "checkout")
		if err != nil || got["app"] != "checkout" || n.Load() != 3 {
			t.Errorf("got %v, %v after %d requests", got, err, n.Load())
		}
	})
	t.Run("a server that is not there yet is waited for", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		server := &http.Server{Addr: address, Handler: body(aService)}
		time.AfterFunc(500*time.Millisecond, func() { _ = server.ListenAndServe() })
		defer server.Close()
		if _, err := clusterOn(t, "http://"+address, Config{}).Selector(t.Context(), "checkout"); err != nil {
			t.Error(err)
		}
	})
	t.Run("after its time the error says how long the server was away", func(t *testing.T) {
		s, _ := answers(t, reset)
		started := time.Now()
		_, err := clusterOn(t, s.URL, Config{Outage: 3 * time.Second}).Selector(t.Context(), "checkout")
		var away *UnreachableError
		if !errors.As(err, &away) {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(started); took > 4*time.Second {
			t.Errorf("took %s: client-go began to wait again", took)
		}
	})
	t.Run("a creation that may have arrived is looked for before it is sent again", func(t *testing.T) {
		var methods []string
		note := func(next http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { methods = append(methods, r.Method); next(w, r) }
		}
		stored := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"promote-checkout","resourceVersion":"1"},"data":{"state.json":` +
			`"{\"version\":2,\"service\":\"checkout\",\"environment\":\"\",\"phase\":\"\"}"}}`
		s, _ := answers(t, note(reset), note(body(stored)))
		if err := clusterOn(t, s.URL, Config{}).SaveState(t.Context(), &State{Service: "checkout"}); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"POST", "GET"}, methods); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a refusal right after an outage is not believed", func(t *testing.T) {
		s, n := answers(t, respond(503), respond(403), respond(401), body(aService))
		if _, err := clusterOn(t, s.URL, Config{}).Selector(t.Context(), "checkout"); err != nil || n.Load() != 4 {
			t.Errorf("%d requests, error %v", n.Load(), err)
		}
	})
	t.Run("a refusal without an outage is final", func(t *testing.T) {
		s, n := answers(t, respond(403))
		if _, err := clusterOn(t, s.URL, Config{}).Selector(t.Context(), "checkout"); err == nil || n.Load() != 1 {
			t.Errorf("%d requests, error %v", n.Load(), err)
		}
	})
	t.Run("Retry-After is honoured", func(t *testing.T) {
		s, n := answers(t, respond(429, "Retry-After", "1"), body(aService))
		started := time.Now()
		if _, err := clusterOn(t, s.URL, Config{}).Selector(t.Context(), "checkout"); err != nil || n.Load() != 2 {
			t.Errorf("%d requests, error %v", n.Load(), err)
		}
		if took := time.Since(started); took < time.Second {
			t.Errorf("came back after %s", took)
		}
	})
	t.Run("a cancelled context ends the waiting at once", func(t *testing.T) {
		s, _ := answers(t, respond(503))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		started := time.Now()
		_, err := clusterOn(t, s.URL, Config{}).Selector(ctx, "checkout")
		if err == nil || time.Since(started) > time.Second {
			t.Errorf("after %s: %v", time.Since(started), err)
		}
	})
	t.Run("a name that does not resolve is an error at once", func(t *testing.T) {
		started := time.Now()
		_, err := clusterOn(t, "http://no-such-host.invalid", Config{}).Selector(t.Context(), "checkout")
		if err == nil || time.Since(started) > 5*time.Second {
			t.Errorf("after %s: %v", time.Since(started), err)
		}
	})
}

func TestRedaction(t *testing.T) {
	t.Run("the API server's own words lose secret values and keep their meaning", func(t *testing.T) {
		s, _ := answers(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(404)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"s3cr3t is not here"}`))
		})
		c := clusterOn(t, s.URL, Config{Redact: func(s string) string { return strings.ReplaceAll(s, "s3cr3t", "***") }})
		_, err := c.Selector(t.Context(), "checkout")
		if !IsNotFound(err) || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "*** is not here") {
			t.Errorf("got %v", err)
		}
	})
}

func TestConnect(t *testing.T) {
	t.Run("without a kubeconfig outside a cluster says what to name", func(t *testing.T) {
		t.Setenv("KUBERNETES_SERVICE_HOST", "")
		_, err := Connect(Config{})
		if err == nil || !strings.Contains(err.Error(), "KUBECONFIG") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a kubeconfig that does not exist is named", func(t *testing.T) {
		_, err := Connect(Config{Kubeconfig: "/does/not/exist"})
		if err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
			t.Errorf("got %v", err)
		}
	})
}

func TestLockCreation(t *testing.T) {
	t.Run("a lease whose creation was answered by silence is recognised as ours", func(t *testing.T) {
		var stored atomic.Pointer[[]byte]
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch {
			case r.Method == http.MethodGet && stored.Load() == nil:
				w.WriteHeader(404)
				_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`))
			case r.Method == http.MethodPost:
				data := readLease(t, r)
				stored.Store(&data)
				reset(w, r)
			default:
				_, _ = w.Write(*stored.Load())
			}
		}))
		defer s.Close()
		c := clusterOn(t, s.URL, Config{})
		l, err := c.Lock(t.Context(), "checkout", "run-1", LockOptions{Wait: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if l.Token() != 1 {
			t.Errorf("token %d", l.Token())
		}
		_ = l.Release(t.Context())
	})
}

func TestWarnings(t *testing.T) {
	t.Run("the API server's come once each, and client-go's own with them", func(t *testing.T) {
		s, _ := answers(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Add("Warning", `299 - "this is deprecated"`)
			w.WriteHeader(404)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`))
		})
		var got []string
		c := clusterOn(t, s.URL, Config{Warn: func(line string) { got = append(got, line) }})
		for range 2 {
			_, _ = c.Selector(t.Context(), "checkout")
		}
		klog.Errorf("something is odd")
		klog.Infof("nothing is odd")
		if diff := cmp.Diff([]string{"this is deprecated", `client-go: level=ERROR msg="something is odd"`}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAfterAnOutageOnlyTheAPIsOwnWordIsBelieved(t *testing.T) {
	req := httptest.NewRequest(http.MethodGet, "/api/v1/namespaces/test/services/web", nil)
	for kind, repeated := range map[string]bool{"application/json": false, "application/vnd.kubernetes.protobuf": false, "text/plain; charset=utf-8": true} {
		t.Run(kind, func(t *testing.T) {
			p := newPatience(nil, time.Minute)
			p.down.Store(time.Now().UnixNano())
			resp := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{"Content-Type": {kind}}}
			if _, again := p.again(req, resp, nil, 0); again != repeated {
				t.Errorf("asked again: %v, want %v", again, repeated)
			}
		})
	}
}
