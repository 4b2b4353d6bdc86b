package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificate describes one certificate of the lab's own authority.
type certificate struct {
	file         string
	name         string
	organization []string
	hosts        []string
}

// validity is long, because a lab that is left running must not die of an expired certificate.
const validity = 5 * 365 * 24 * time.Hour

func certificates() []certificate {
	return []certificate{
		{file: "apiserver", name: "kube-apiserver", hosts: []string{nodeAddress, apiService, "127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		{file: "kubelet-server", name: nodeName, hosts: []string{nodeAddress, nodeName}},
		{file: "admin", name: "promote-lab:admin", organization: []string{"system:masters"}},
		{file: "apiserver-kubelet", name: "kube-apiserver", organization: []string{"system:masters"}},
		{file: "controllers", name: "system:kube-controller-manager"},
		{file: "scheduler", name: "system:kube-scheduler"},
		{file: "kubelet", name: "system:node:" + nodeName, organization: []string{"system:nodes"}},
		{file: "proxy", name: "system:kube-proxy"},
		{file: "prometheus", name: prometheusUser},
	}
}

// writePKI makes the authority, the certificates and the key that signs service accounts' tokens, unless they are there. They
// are made as a whole, so a half-made set is never used.
func (l *Lab) writePKI() error {
	if exists(l.path("pki", "ca.crt")) {
		return nil
	}
	dir := l.path("pki.new")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := writeKey(filepath.Join(dir, "ca.key"))
	if err != nil {
		return fmt.Errorf("making the lab's authority: %w", err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "promote-lab"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(validity),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if err := writeCertificate(filepath.Join(dir, "ca.crt"), ca, ca, key, key); err != nil {
		return fmt.Errorf("making the lab's authority: %w", err)
	}
	for i, c := range certificates() {
		if err := issue(dir, c, int64(i+2), ca, key); err != nil {
			return fmt.Errorf("issuing certificate %q: %w", c.file, err)
		}
	}
	if _, err := writeKey(filepath.Join(dir, "accounts.key")); err != nil {
		return fmt.Errorf("making the key of service accounts: %w", err)
	}
	return os.Rename(dir, l.path("pki"))
}

func issue(dir string, c certificate, serial int64, ca *x509.Certificate, caKey *ecdsa.PrivateKey) error {
	key, err := writeKey(filepath.Join(dir, c.file+".key"))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: c.name, Organization: c.organization},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(validity), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(c.hosts) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, host := range c.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return writeCertificate(filepath.Join(dir, c.file+".crt"), template, ca, key, caKey)
}

func writeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

func writeCertificate(path string, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
