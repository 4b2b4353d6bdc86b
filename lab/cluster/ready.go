package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// askLimit bounds one question to a component that may not answer yet.
const askLimit = 2 * time.Second

// httpReady asks a URL for an answer below 400.
func (l *Lab) httpReady(url string) func(context.Context) error {
	return func(ctx context.Context) error { return ask(ctx, http.DefaultTransport, url) }
}

// httpsReady asks a port of loopback whose certificate the component made for itself; only its health is read.
func (l *Lab) httpsReady(port int, path string) func(context.Context) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	return func(ctx context.Context) error { return ask(ctx, transport, "https://"+loopback(port)+path) }
}

// apiReady asks the API server, as the admin, whether it is ready for everyone.
func (l *Lab) apiReady(ctx context.Context) error {
	ca, err := os.ReadFile(l.path("pki", "ca.crt"))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(l.path("pki", "admin.crt"), l.path("pki", "admin.key"))
	if err != nil {
		return err
	}
	cfg := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
	return ask(ctx, &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}, apiURL()+"/readyz?verbose")
}

func ask(ctx context.Context, transport http.RoundTripper, url string) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 16<<10))
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	if res.StatusCode >= 400 {
		return fmt.Errorf("asking %s: %s: %s", url, res.Status, unready(string(body)))
	}
	return nil
}

// unready picks the lines of a verbose health answer that say what is not ready.
func unready(body string) string {
	var bad []string
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "[-]") {
			bad = append(bad, strings.TrimSpace(line))
		}
	}
	if len(bad) == 0 {
		return strings.TrimSpace(body[:min(len(body), 200)])
	}
	return strings.Join(bad, ", ")
}
