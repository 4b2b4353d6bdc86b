package agnostic

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

// Secrets of a real shape, put together when the test runs: neither a scanner of sources nor this test's own program, which is
// one of the clean images' files, has one whole.
var (
	accessKey   = join("AKIA", "Q3EGWT7ZKD5N2VXB")
	sessionKey  = join("ASIA", "Q3EGWT7ZKD5N2VXB")
	secretKey   = join("hR7pZ2wQx9Lk4Vt0", "sYbN3mEo8JcUaGf5iDq1X6+T")
	githubToken = join("ghs_", "a8Kx02mLqPz7Rt5vBnYw3cJd9fHs4gTe6uXi")
	npmToken    = join("npm_", "Zk3Qw8Lm2Xv7Tp5Rb9Ny")
	password    = "tr0ub4dor-and-3"
)

func join(parts ...string) string { return strings.Join(parts, "") }

// planted are all secrets that stand in dirty images; no finding may hold one.
var planted = []string{accessKey[4:], secretKey, githubToken[4:], npmToken[4:], password}

// keys makes private keys in every format that PEM frames.
func keys(t testing.TB) map[string]string {
	t.Helper()
	must := func(der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	frame := func(label string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	openssh := append([]byte("openssh-key-v1\x00"), make([]byte, 200)...)
	copy(openssh[15:], must(x509.MarshalPKCS8PrivateKey(ed)))
	//nolint:staticcheck // the old format is what is to be found
	old, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r), []byte(password), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	// A DSA key is six numbers (OpenSSL's own form): version, p, q, g, y and x.
	number := new(big.Int).Lsh(big.NewInt(1), 1023)
	dsa := must(asn1.Marshal([]*big.Int{big.NewInt(0), number, number, number, number, number}))
	return map[string]string{
		"dsa": frame("DSA PRIVATE KEY", dsa),
		"rsa": frame("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r)), "ec": frame("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(e))),
		"pkcs8": frame("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed))), "openssh": frame("OPENSSH PRIVATE KEY", openssh),
		"encrypted": string(pem.EncodeToMemory(old)),
	}
}

// certificate is no key, in the form of a bundle.
func certificate(t testing.TB) string {
	t.Helper()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: make([]byte, 900)}))
}
