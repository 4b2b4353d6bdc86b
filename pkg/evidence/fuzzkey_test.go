package evidence

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/org/promote/pkg/hostile"
)

// FuzzParseKey reads keys of any bytes: one that is taken is the same after its public half was written and read, and signs what
// that verifies; no error holds a line of what may be a private key.
func FuzzParseKey(f *testing.F) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fatal(f, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	fatal(f, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	fatal(f, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ed)
	fatal(f, err)
	public, err := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	fatal(f, err)
	sealed, err := encrypted.Encrypt(pkcs8, []byte("secret"))
	fatal(f, err)
	for kind, der := range map[string][]byte{"EC PRIVATE KEY": sec1, "PRIVATE KEY": pkcs8, "PUBLIC KEY": public, "ENCRYPTED COSIGN PRIVATE KEY": sealed, "RSA PRIVATE KEY": sec1} {
		f.Add(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	f.Add([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"))
	// Parameters of the key derivation that would take all the memory there is.
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED COSIGN PRIVATE KEY", Bytes: []byte(`{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":64,"p":64},"salt":"AA=="},"cipher":{"name":"nacl/secretbox","nonce":"AA=="},"ciphertext":"AA=="}`)}))
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add([]byte(text))
			f.Add([]byte("-----BEGIN " + text + "-----\nAAAA\n-----END " + text + "-----\n"))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := ParseKey(text, []byte("secret"))
		if err != nil {
			speaks(t, err, string(text))
			return
		}
		written, err := key.PublicPEM()
		check(t, err)
		half, err := ParseKey(written, nil)
		check(t, err)
		if half.ID() != key.ID() || half.CanSign() || key.ID() == "" {
			t.Errorf("its public half has the id %q, and itself %q", half.ID(), key.ID())
		}
		if !key.CanSign() {
			return
		}
		// A key whose halves do not belong together may refuse to sign; it may not sign what its public half refuses.
		if signature, err := key.signed(t.Context(), []byte("message")); err == nil && !half.verifies([]byte("message"), signature) {
			t.Error("the public half does not verify what it signed")
		}
	})
}

// speaks fails the test when an error holds a line of the key, or is long.
func speaks(t *testing.T, err error, text string) {
	t.Helper()
	said := err.Error()
	if len(said) > 1<<10 || strings.ContainsAny(said, "\n\r\x1b") {
		t.Errorf("the error has %d bytes: %.200q", len(said), said)
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "-----") && strings.Contains(said, line) {
			t.Errorf("a line of it stands in %q", said)
		}
	}
}

func fatal(f *testing.F, err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}
