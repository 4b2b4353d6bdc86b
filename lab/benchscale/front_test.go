package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"k8s.io/client-go/rest"
)

func TestTheFrontPassesOnWithHTTP2AndCounts(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token" || r.ProtoMajor != 2 {
			http.Error(w, r.Proto, http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	f, err := newFront(&rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{
		CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	counted := f.count()
	for token, want := range map[string]int{"token": http.StatusOK, "": http.StatusTooManyRequests} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, f.url+"/api/v1/namespaces/a/pods", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want || resp.ProtoMajor != 2 {
			t.Errorf("with token %q it answered %d over %s, want %d over HTTP/2", token, resp.StatusCode, resp.Proto, want)
		}
	}
	if n := counted.calls[call{"list", "pods"}]; n != 2 || counted.statuses[429] != 1 || counted.busiest() == 0 || counted.bytes.Load() < int64(len("hello")) {
		t.Errorf("counted %v with statuses %v, and %d bytes", counted.calls, counted.statuses, counted.bytes.Load())
	}
}
