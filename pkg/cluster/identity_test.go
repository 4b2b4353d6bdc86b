package cluster

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// purse is an identity with some tokens: one that is refused is followed by the next, as far as they go.
type purse struct {
	tokens []string
	empty  error
}

func (p *purse) Token(_ context.Context, refused string) (string, error) {
	if p.empty != nil {
		return "", p.empty
	}
	if refused == p.tokens[0] && len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
	return p.tokens[0], nil
}

func (p *purse) Advise(_ context.Context, status int) string {
	return "let the purse in: " + http.StatusText(status)
}

// entry is an API server behind TLS that lets in who has one of the tokens, and counts.
func entry(t *testing.T, next http.HandlerFunc, valid ...string) (*Endpoint, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !slices.Contains(valid, token) {
			respond(401)(w, r)
			return
		}
		next(w, r)
	}))
	t.Cleanup(s.Close)
	return &Endpoint{URL: s.URL, CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})}, &n
}

func (e *Endpoint) with(t *testing.T, identity Identity) *Cluster {
	t.Helper()
	e.Identity = identity
	c, err := Connect(Config{Endpoint: e, Namespace: "ns", Outage: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIdentity(t *testing.T) {
	t.Run("a request carries the identity's token", func(t *testing.T) {
		e, n := entry(t, body(aService), "good")
		if _, err := e.with(t, &purse{tokens: []string{"good"}}).Selector(t.Context(), "checkout"); err != nil || n.Load() != 1 {
			t.Errorf("%d requests, error %v", n.Load(), err)
		}
	})
	t.Run("a token that is refused is changed once, also for a write, whose body goes along", func(t *testing.T) {
		var sent string
		e, n := entry(t, func(w http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			sent = r.Method + " " + string(data)
			w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
			_, _ = w.Write(data)
		}, "good")
		if err := e.with(t, &purse{tokens: []string{"old", "good"}}).SaveState(t.Context(), &State{Service: "checkout"}); err != nil {
			t.Error(err)
		}
		if n.Load() != 2 || !strings.HasPrefix(sent, "POST ") || !strings.Contains(sent, "promote-checkout") {
			t.Errorf("%d requests, the last %q", n.Load(), sent)
		}
	})
	t.Run("a second token that is refused too is the end, with the advice and without the token", func(t *testing.T) {
		e, n := entry(t, body(aService))
		_, err := e.with(t, &purse{tokens: []string{"first-token", "second-token", "third-token"}}).Selector(t.Context(), "checkout")
		if !apierrors.IsUnauthorized(err) || !strings.Contains(err.Error(), "let the purse in: Unauthorized") || strings.Contains(err.Error(), "-token") {
			t.Errorf("got %v", err)
		}
		if n.Load() != 2 {
			t.Errorf("%d requests, want 2", n.Load())
		}
	})
	t.Run("when there is no other token nothing is sent again", func(t *testing.T) {
		e, n := entry(t, body(aService))
		_, err := e.with(t, &purse{tokens: []string{"only"}}).Selector(t.Context(), "checkout")
		if !apierrors.IsUnauthorized(err) || n.Load() != 1 {
			t.Errorf("%d requests, error %v", n.Load(), err)
		}
	})
	t.Run("a clock that is off is named", func(t *testing.T) {
		s := httptest.NewTLSServer(respond(401, "Date", time.Now().Add(-20*time.Minute).UTC().Format(http.TimeFormat)))
		t.Cleanup(s.Close)
		e := &Endpoint{URL: s.URL, CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})}
		_, err := e.with(t, &purse{tokens: []string{"only"}}).Selector(t.Context(), "checkout")
		if err == nil || !strings.Contains(err.Error(), "clock is 20m") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("trouble with the credentials is no outage of the API server: it ends at once, and is named", func(t *testing.T) {
		e, n := entry(t, body(aService), "good")
		started := time.Now()
		_, err := e.with(t, &purse{empty: errors.New("no credentials here")}).Selector(t.Context(), "checkout")
		var none *IdentityError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), "no credentials here") || n.Load() != 0 || time.Since(started) > time.Second {
			t.Errorf("%d requests after %s, error %v", n.Load(), time.Since(started), err)
		}
	})
	t.Run("another host than the endpoint never gets the token", func(t *testing.T) {
		var leaked atomic.Value
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			leaked.Store(r.Header.Get("Authorization"))
			body(aService)(w, r)
		}))
		t.Cleanup(other.Close)
		e, _ := entry(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}, "good")
		_, _ = e.with(t, &purse{tokens: []string{"good"}}).Selector(t.Context(), "checkout")
		if got := leaked.Load(); got != "" {
			t.Errorf("the other host was sent %q, want a request without a token", got)
		}
	})
	t.Run("an address without TLS is refused", func(t *testing.T) {
		_, err := Connect(Config{Endpoint: &Endpoint{URL: "http://10.0.0.1", Identity: &purse{}}})
		if err == nil || !strings.Contains(err.Error(), "https") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a server that never answers is named with where it can be reached from", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		e := &Endpoint{URL: "https://" + l.Addr().String(), Reach: "it is private", Identity: &purse{tokens: []string{"good"}}}
		_, err = e.with(t, e.Identity).Selector(t.Context(), "checkout")
		var away *UnreachableError
		if !errors.As(err, &away) || !strings.Contains(err.Error(), "it is private") {
			t.Errorf("got %v", err)
		}
	})
}

func TestPreflightOfAnIdentity(t *testing.T) {
	t.Run("a missing right is explained with what gives it", func(t *testing.T) {
		e, _ := entry(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(403)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"namespaces is forbidden"}`))
		}, "good")
		err := e.with(t, &purse{tokens: []string{"good"}}).Preflight(t.Context(), "prod", nil)
		if err == nil || !strings.Contains(err.Error(), "let the purse in: Forbidden") || !strings.Contains(err.Error(), "this job's identity") {
			t.Errorf("got %v", err)
		}
	})
}
