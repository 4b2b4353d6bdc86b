package metrics

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
)

// TLSConfig is for monitors whose certificate is signed by an authority of one's own, or that ask for one.
type TLSConfig struct {
	// CA are the authorities to trust, in PEM, in place of the machine's.
	CA []byte
	// Cert and Key are the client's certificate and private key, in PEM.
	Cert, Key []byte
}

// transport is Go's own with these certificates.
func (c TLSConfig) transport() (http.RoundTripper, error) {
	if len(c.CA) == 0 && len(c.Cert) == 0 && len(c.Key) == 0 {
		return http.DefaultTransport, nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	var errs []error
	if len(c.CA) > 0 {
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(c.CA) {
			errs = append(errs, errors.New("reading the certificate authority: it holds no certificate in PEM"))
		}
	}
	switch {
	case (len(c.Cert) > 0) != (len(c.Key) > 0):
		errs = append(errs, errors.New("reading the client's certificate: it takes both a certificate and its key"))
	case len(c.Cert) > 0:
		pair, err := tls.X509KeyPair(c.Cert, c.Key)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading the client's certificate: %w", err))
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = settings
	return transport, nil
}
