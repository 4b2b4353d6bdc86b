package aws

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ECR is the running container registry with the proxy that leads to it.
//
// A registry of Amazon's is known by its name, so it cannot be served under another one. Clients find it through an HTTPS proxy
// that leads the names of ECR here, and every other name nowhere: HTTPS_PROXY=<Proxy> SSL_CERT_FILE=<file with CA>. Both are
// read once by a Go program, before its first request.
type ECR struct {
	// Proxy is the address for HTTPS_PROXY.
	Proxy string
	// CA is the certificate that signed the registry's, in PEM.
	CA []byte

	server *Server
	proxy  *http.Server
	tls    *http.Server
	secure string // address of tls
	done   sync.WaitGroup

	registry *ecrRegistry
}

// StartECR serves the registry until ctx ends or Close is called.
func (s *Server) StartECR(ctx context.Context) (*ECR, error) {
	e := &ECR{server: s, registry: newECRRegistry(s)}
	authority, err := newAuthority(time.Now())
	if err != nil {
		return nil, fmt.Errorf("starting ECR's double: %w", err)
	}
	e.CA = authority.pem
	var listen net.ListenConfig
	secure, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting ECR's double: %w", err)
	}
	open, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting ECR's double: %w", err), secure.Close())
	}
	e.secure, e.Proxy = secure.Addr().String(), "http://"+open.Addr().String()
	e.tls = &http.Server{Handler: http.HandlerFunc(e.serve), ReadHeaderTimeout: 10 * time.Second}
	e.proxy = &http.Server{Handler: http.HandlerFunc(e.connect), ReadHeaderTimeout: 10 * time.Second}
	for server, listener := range map[*http.Server]net.Listener{
		e.proxy: open, e.tls: tls.NewListener(secure, &tls.Config{GetCertificate: authority.certificate, MinVersion: tls.VersionTLS12}),
	} {
		e.done.Go(func() {
			// The only errors Serve can give here are those of a closed listener: that is how it ends.
			_ = server.Serve(listener)
		})
	}
	context.AfterFunc(ctx, func() { _ = e.Close() })
	return e, nil
}

// NoReferrers takes the referrers API away, as ECR was before 2024, or gives it back.
func (e *ECR) NoReferrers(yes bool) { e.registry.noReferrers.Store(yes) }

// Close stops serving and waits until the listeners are gone.
func (e *ECR) Close() error {
	err := errors.Join(e.proxy.Close(), e.tls.Close())
	e.done.Wait()
	return err
}

// serve answers for all names: the API's or the registry's.
func (e *ECR) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Host, "api.ecr.") {
		e.server.ServeHTTP(w, r)
		return
	}
	e.registry.ServeHTTP(w, r)
}

// connect is the proxy.
func (e *ECR) connect(w http.ResponseWriter, r *http.Request) {
	host := strings.TrimSuffix(r.Host, ":443")
	ours := strings.HasSuffix(host, ".amazonaws.com") && (strings.HasPrefix(host, account+".dkr.ecr.") || strings.HasPrefix(host, "api.ecr."))
	if r.Method != http.MethodConnect || !ours {
		http.Error(w, "ECR's double leads to ECR alone, not to "+r.Host, http.StatusForbidden)
		return
	}
	there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", e.secure)
	if err != nil {
		http.Error(w, "ECR's double is gone", http.StatusBadGateway)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, err = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	}
	if err != nil {
		_ = there.Close()
		return
	}
	// Each direction ends when either side has hung up; nobody is left to hear of its error.
	go func() {
		_, _ = io.Copy(there, here)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

// authority signs a certificate for every name it is asked for.
type authority struct {
	pem    []byte
	parent *x509.Certificate
	key    *ecdsa.PrivateKey

	mu   sync.Mutex
	made map[string]*tls.Certificate
}

func newAuthority(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ECR's double"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	parent, err := x509.ParseCertificate(der)
	return &authority{
		pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), parent: parent, key: key, made: map[string]*tls.Certificate{},
	}, err
}

func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if made := a.made[hello.ServerName]; made != nil {
		return made, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(a.made) + 2)), DNSNames: []string{hello.ServerName},
		NotBefore: a.parent.NotBefore, NotAfter: a.parent.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.parent, &a.key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	a.made[hello.ServerName] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
	return a.made[hello.ServerName], nil
}
