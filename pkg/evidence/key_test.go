package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

func pemOf(t *testing.T, kind string, der []byte, err error) []byte {
	t.Helper()
	check(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	pkcs8, pkcs8Err := x509.MarshalPKCS8PrivateKey(ec)
	check(t, pkcs8Err)
	sealed, sealErr := encrypted.Encrypt(pkcs8, []byte("secret"))
	for name, test := range map[string]struct {
		private crypto.Signer
		text    []byte
	}{
		"SEC 1":            {ec, pemOf(t, "EC PRIVATE KEY", sec1, err)},
		"OpenSSL's SEC 1":  {ec, append(pemOf(t, "EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil), pemOf(t, "EC PRIVATE KEY", sec1, err)...)},
		"PKCS#1":           {rs, pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs), nil)},
		"PKCS#8 ECDSA":     {ec, pemOf(t, "PRIVATE KEY", pkcs8, nil)},
		"PKCS#8 Ed25519":   {ed, pkcs8Of(t, ed)},
		"PKCS#8 RSA":       {rs, pkcs8Of(t, rs)},
		"encrypted cosign": {ec, pemOf(t, "ENCRYPTED SIGSTORE PRIVATE KEY", sealed, sealErr)},
	} {
		t.Run(name+" signs, and the public half verifies", func(t *testing.T) {
			key, err := ParseKey(test.text, []byte("secret"))
			check(t, err)
			text, err := key.PublicPEM()
			check(t, err)
			public, err := ParseKey(text, nil)
			check(t, err)
			signature, err := key.signed(t.Context(), []byte("message"))
			check(t, err)
			if !public.verifies([]byte("message"), signature) || public.verifies([]byte("massage"), signature) {
				t.Error("the public half does not tell them apart")
			}
			der, err := x509.MarshalPKIXPublicKey(test.private.Public())
			check(t, err)
			sum := sha256.Sum256(der)
			if want := base64.StdEncoding.EncodeToString(sum[:]); key.ID() != want || public.ID() != want || public.CanSign() || !key.CanSign() {
				t.Errorf("ids %q and %q, want %q", key.ID(), public.ID(), want)
			}
		})
	}
}

func pkcs8Of(t *testing.T, private crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return pemOf(t, "PRIVATE KEY", der, err)
}

func TestOpenKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	text := pkcs8Of(t, ec)
	path := filepath.Join(t.TempDir(), "key.pem")
	check(t, os.WriteFile(path, text, 0o600))
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	check(t, err)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	check(t, err)
	sealed, err := encrypted.Encrypt([]byte("x"), []byte("secret"))
	cosign := string(pemOf(t, "ENCRYPTED SIGSTORE PRIVATE KEY", sealed, err))
	t.Run("takes PEM text and the path of a file", func(t *testing.T) {
		for _, s := range []string{string(text), path} {
			key, err := OpenKey(t.Context(), s, KeyOptions{})
			check(t, err)
			if !key.CanSign() {
				t.Error("it cannot sign")
			}
		}
	})
	// body is the key without its frame: what is left of a secret that was pasted badly.
	body := strings.ReplaceAll(strings.Join(strings.Split(string(text), "\n")[1:3], ""), "\n", "")
	for name, test := range map[string]struct{ key, want string }{
		"an empty one":                    {"", "neither PEM text"},
		"a file that is not there":        {filepath.Join(t.TempDir(), "none"), "no such file"},
		"a key without its frame":         {body, "it is not PEM text"},
		"joined lines":                    {strings.ReplaceAll(string(text), "\n", ""), "joined"},
		"another curve":                   {string(pkcs8Of(t, p384)), "P-256"},
		"a short RSA key":                 {string(pkcs8Of(t, small)), "1024 bits"},
		"PEM that is no key":              {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "ENCRYPTED SIGSTORE PRIVATE KEY"},
		"a private key that is none":      {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"},
		"an encrypted one, no password":   {cosign, "no password"},
		"a KMS key with an endpoint":      {"awskms://localhost:4566/alias/x", "AWS_ENDPOINT_URL"},
		"a KMS key that has no such name": {"awskms:///../x", "awskms:///alias/evidence"},
	} {
		t.Run("refuses "+name+", and does not show the key", func(t *testing.T) {
			_, err := OpenKey(t.Context(), test.key, KeyOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), body[:20]) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	t.Run("refuses a wrong password", func(t *testing.T) {
		if _, err := OpenKey(t.Context(), cosign, KeyOptions{Password: []byte("wrong")}); err == nil || !strings.Contains(err.Error(), "does not open it") {
			t.Errorf("got %v", err)
		}
	})
}
