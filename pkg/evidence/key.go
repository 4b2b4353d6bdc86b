package evidence

import (
	"context"
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
	"errors"
	"fmt"
	"os"
	"strings"
)

// Key signs and verifies statements; one that was made from a public half alone only verifies. A nil *Key is the unsigned
// mode.
type Key struct {
	public crypto.PublicKey
	id     string
	sign   func(ctx context.Context, message []byte) ([]byte, error) // nil for a public half
}

// KeyOptions are what some kinds of key need besides their name.
type KeyOptions struct {
	// Password opens an encrypted key of cosign's.
	Password []byte
	// Region is the AWS region of a KMS key that is not named by its ARN; "" leaves it to the SDK's configuration.
	Region string
}

// OpenKey gives the key that s names: PEM text, the path of a PEM file, or "awskms:///…" (see [OpenKMS]). No error quotes s
// unless it is a URI, since s may be the key itself.
func OpenKey(ctx context.Context, s string, o KeyOptions) (*Key, error) {
	switch {
	case strings.HasPrefix(s, kmsScheme):
		return OpenKMS(ctx, s, o.Region)
	case strings.Contains(s, "-----BEGIN"):
		return ParseKey([]byte(s), o.Password)
	case s == "" || strings.ContainsAny(s, "\n\x00"):
		return nil, errors.New("opening the evidence key: it is neither PEM text, nor the path of a PEM file, nor awskms:///alias/…")
	}
	text, err := os.ReadFile(s)
	if err != nil {
		var failed *os.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("opening the evidence key: it is not PEM text and not awskms:///alias/…, and as the path of a file: %w", err)
	}
	return ParseKey(text, o.Password)
}

// ID is the SHA-256 of the public half (PKIX, DER) in base64: the hint by which Sigstore bundles name their key.
func (k *Key) ID() string {
	if k == nil {
		return ""
	}
	return k.id
}

// CanSign says whether the key has its private half.
func (k *Key) CanSign() bool { return k != nil && k.sign != nil }

// PublicPEM is the public half as `cosign verify-attestation --key` takes it.
func (k *Key) PublicPEM() ([]byte, error) {
	if k == nil {
		return nil, errors.New("writing the public half of the evidence key: there is no key")
	}
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return nil, fmt.Errorf("writing the public half of the evidence key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// newKey takes the algorithms that cosign verifies with nothing but the key given, each with SHA-256 where it hashes.
func newKey(public crypto.PublicKey) (*Key, error) {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return nil, errors.New("the key's curve is not P-256")
		}
	case *rsa.PublicKey:
		if p.N.BitLen() < 2048 {
			return nil, fmt.Errorf("the RSA key has %d bits, less than 2048", p.N.BitLen())
		}
	case ed25519.PublicKey:
	default:
		return nil, fmt.Errorf("a key of type %T is not supported; valid are ECDSA P-256, Ed25519 and RSA", public)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return &Key{public: public, id: base64.StdEncoding.EncodeToString(sum[:])}, nil
}

// with adds a private half that is in this process.
func (k *Key) with(private crypto.Signer) *Key {
	k.sign = func(_ context.Context, message []byte) ([]byte, error) {
		if _, pure := private.Public().(ed25519.PublicKey); pure {
			return private.Sign(rand.Reader, message, crypto.Hash(0))
		}
		digest := sha256.Sum256(message)
		return private.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	return k
}

// signed gives a signature that was verified: a signer that answers something else must not be noticed by the next gate.
func (k *Key) signed(ctx context.Context, message []byte) ([]byte, error) {
	if k.sign == nil {
		return nil, errors.New("the key is a public half: it verifies and cannot sign")
	}
	signature, err := k.sign(ctx, message)
	if err != nil {
		return nil, err
	}
	if !k.verifies(message, signature) {
		return nil, errors.New("the signature that was made does not verify with the key's own public half")
	}
	return signature, nil
}

func (k *Key) verifies(message, signature []byte) bool {
	digest := sha256.Sum256(message)
	switch p := k.public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(p, digest[:], signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(p, crypto.SHA256, digest[:], signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(p, message, signature)
	}
	return false
}
