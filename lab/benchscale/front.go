package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// front stands before the API server and counts. It speaks HTTP/2 on both sides, as the API server does: with HTTP/1.1 each watch
// would cost a canary a connection of its own. (lab/fault's front speaks 1.1, which a port-forward needs; and it keeps every request.)
type front struct {
	url    string
	ca     []byte
	server *httptest.Server
	next   http.RoundTripper
	tally  atomic.Pointer[tally]
}

// newFront starts one. What passes is counted in the tally that was set last.
func newFront(admin *rest.Config) (*front, error) {
	to, err := url.Parse(admin.Host)
	if err != nil {
		return nil, fmt.Errorf("reading the API server's address %q: %w", admin.Host, err)
	}
	ca := admin.CAData
	if len(ca) == 0 {
		if ca, err = os.ReadFile(admin.CAFile); err != nil {
			return nil, err
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.TLSClientConfig = nil, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	f := &front{next: transport}
	f.tally.Store(newTally())
	f.server = httptest.NewUnstartedServer(&httputil.ReverseProxy{
		FlushInterval: -1, // watches
		Transport:     f,
		ErrorLog:      log.New(io.Discard, "", 0),
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(to) },
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.server.EnableHTTP2 = true
	f.server.StartTLS()
	f.url = f.server.URL
	f.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	return f, nil
}

// RoundTrip passes a request on and counts it.
func (f *front) RoundTrip(r *http.Request) (*http.Response, error) {
	t := f.tally.Load()
	c := classify(r)
	t.request(c)
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = &counted{r.Body, &t.bytes}
	}
	resp, err := f.next.RoundTrip(r)
	switch {
	case err == nil:
		t.answer(c, resp.StatusCode)
		resp.Body = &counted{resp.Body, &t.bytes}
	case !errors.Is(err, context.Canceled): // which is a client that no longer wants the answer
		t.answer(c, 0)
	}
	return resp, err
}

// count begins a new tally and gives it.
func (f *front) count() *tally {
	t := newTally()
	f.tally.Store(t)
	return t
}

func (f *front) close() {
	f.server.CloseClientConnections()
	f.server.Close()
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
