package fault

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
)

// errReset becomes a connection that breaks.
var errReset = errors.New("injected reset")

// Front is one server's front.
type Front struct {
	// URL is where clients reach it; CA is the authority, in PEM, that signed it, when the server speaks TLS.
	URL string
	CA  []byte

	server *httptest.Server
}

// Front starts a front for the server at target, which must be closed. roots are the authorities that a server with TLS is
// trusted by. The client's Host stays as it is: AWS signatures cover it.
func (i *Injector) Front(target string, roots *x509.CertPool) (*Front, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("reading the target %q: %w", target, err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.TLSClientConfig = nil, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	transport.ForceAttemptHTTP2 = false // an upgrade (port-forward) needs HTTP/1.1
	transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1, // watches
		Transport:     &faulty{injector: i, next: transport},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = to.Scheme, to.Host, p.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	f := &Front{}
	if to.Scheme == "https" {
		f.server = httptest.NewTLSServer(proxy)
		f.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	} else {
		f.server = httptest.NewServer(proxy)
	}
	f.URL = f.server.URL
	return f, nil
}

// Close breaks what is open, and ends the front.
func (f *Front) Close() {
	f.server.CloseClientConnections()
	f.server.Close()
}
