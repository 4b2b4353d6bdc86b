package evidence

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

// ParseKey reads a key from PEM: PKCS#8, SEC 1 or PKCS#1 private keys, PKIX public keys, and the encrypted private keys that
// `cosign generate-key-pair` writes, which need the password. No error holds a part of the key.
func ParseKey(text, password []byte) (*Key, error) {
	key, err := parseKey(text, password)
	if err != nil {
		return nil, fmt.Errorf("parsing the evidence key: %w", err)
	}
	return key, nil
}

func parseKey(text, password []byte) (*Key, error) {
	block, rest := pem.Decode(text)
	if block != nil && block.Type == "EC PARAMETERS" { // as `openssl ecparam -genkey` writes before the key
		block, _ = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("it is no PEM; its lines may have been joined")
	}
	der := block.Bytes
	switch block.Type {
	case "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, errors.New("its public key is not PKIX")
		}
		return newKey(public)
	case "EC PRIVATE KEY":
		private, err := x509.ParseECPrivateKey(der)
		return withPrivate(private, err)
	case "RSA PRIVATE KEY":
		private, err := x509.ParsePKCS1PrivateKey(der)
		return withPrivate(private, err)
	case "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY":
		if len(password) == 0 {
			return nil, errors.New("it is encrypted and no password is given")
		}
		var err error
		if der, err = encrypted.Decrypt(der, password); err != nil {
			return nil, errors.New("the password does not open it")
		}
	case "PRIVATE KEY":
	default:
		return nil, fmt.Errorf("PEM of type %q is not supported; valid are PRIVATE KEY (PKCS#8), EC PRIVATE KEY, RSA PRIVATE KEY, ENCRYPTED SIGSTORE PRIVATE KEY, PUBLIC KEY", block.Type)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	return withPrivate(private, err)
}

// withPrivate leaves out what the parser says: it may quote what it could not parse.
func withPrivate(private any, err error) (*Key, error) {
	signer, ok := private.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("its private key cannot be read")
	}
	key, err := newKey(signer.Public())
	if err != nil {
		return nil, err
	}
	return key.with(signer), nil
}
