package aws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"time"
)

// kmsKey is one asymmetric key for signing.
type kmsKey struct {
	id, arn, spec string
	aliases       []string // "alias/evidence"
	private       crypto.Signer
	state         string
	created       time.Time
}

// States of a KMS key.
const (
	keyEnabled  = "Enabled"
	keyDisabled = "Disabled"
	keyDeleting = "PendingDeletion"
)

// kmsSpecs are the kinds of key that the double makes.
var kmsSpecs = map[string]func() (crypto.Signer, error){
	"ECC_NIST_P256": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	"ECC_NIST_P384": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
	"RSA_2048":      func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
	"RSA_3072":      func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) },
	"RSA_4096":      func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 4096) },
	"ECC_NIST_EDWARDS25519": func() (crypto.Signer, error) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	},
}

// CreateKMSKey makes a key for SIGN_VERIFY and returns its id. The spec is one that KMS has, for instance ECC_NIST_P256;
// aliases begin with "alias/". Policies name a KMS key by its id or by an alias.
func (s *Server) CreateKMSKey(spec string, aliases ...string) (string, error) {
	generate := kmsSpecs[spec]
	if generate == nil {
		return "", fmt.Errorf("creating a KMS key: unknown spec %q; the double has ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_EDWARDS25519, RSA_2048, RSA_3072, RSA_4096", spec)
	}
	for _, alias := range aliases {
		if name, ok := strings.CutPrefix(alias, "alias/"); !ok || name == "" || strings.HasPrefix(name, "aws/") {
			return "", fmt.Errorf("creating a KMS key: alias %q does not begin with alias/, or is one of AWS's own", alias)
		}
	}
	private, err := generate()
	if err != nil {
		return "", fmt.Errorf("creating a KMS key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, alias := range aliases {
		if k := s.findKMSKey(alias); k != nil {
			return "", fmt.Errorf("creating a KMS key: alias %q is %s's already", alias, k.id)
		}
	}
	id := requestID()
	s.kms[id] = &kmsKey{
		id: id, arn: s.arn("kms", "key/"+id), spec: spec, aliases: slices.Clone(aliases), private: private, state: keyEnabled, created: s.clock(),
	}
	return id, nil
}

// DisableKMSKey makes a key unusable until EnableKMSKey.
func (s *Server) DisableKMSKey(id string) error { return s.setKMSKey(id, keyDisabled) }

// EnableKMSKey undoes DisableKMSKey and ScheduleKMSKeyDeletion.
func (s *Server) EnableKMSKey(id string) error { return s.setKMSKey(id, keyEnabled) }

// ScheduleKMSKeyDeletion makes a key unusable as one is that waits for its deletion.
func (s *Server) ScheduleKMSKeyDeletion(id string) error { return s.setKMSKey(id, keyDeleting) }

func (s *Server) setKMSKey(id, state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.findKMSKey(id)
	if k == nil {
		return fmt.Errorf("changing KMS key %q: no such key", id)
	}
	k.state = state
	return nil
}

// findKMSKey finds a key by its id, its alias, or the ARN of either.
func (s *Server) findKMSKey(id string) *kmsKey {
	if rest, isARN := strings.CutPrefix(id, s.arn("kms", "")); isARN {
		id = strings.TrimPrefix(rest, "key/")
	}
	for _, k := range s.kms {
		if k.id == id || slices.Contains(k.aliases, id) {
			return k
		}
	}
	return nil
}

// usableKMSKey is the key for an operation that needs it enabled; IAM is asked before the key's state, as in AWS.
func (s *Server) usableKMSKey(k Key, id, action string) (*kmsKey, error) {
	held, err := s.permittedKMSKey(k, id, action)
	if err != nil {
		return nil, err
	}
	switch held.state {
	case keyDisabled:
		return nil, refuse("DisabledException", "%s is disabled.", held.arn)
	case keyDeleting:
		return nil, refuse("KMSInvalidStateException", "%s is pending deletion.", held.arn)
	}
	return held, nil
}

func (s *Server) permittedKMSKey(k Key, id, action string) (*kmsKey, error) {
	if id == "" {
		return nil, refuse("ValidationException", "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null")
	}
	held := s.findKMSKey(id)
	if held == nil {
		switch {
		case strings.HasPrefix(id, "alias/"):
			id = "Alias " + s.arn("kms", id) + " is not found."
		case strings.HasPrefix(id, "arn:"):
			id += " is not found."
		default:
			id = "Key '" + s.arn("kms", "key/"+id) + "' does not exist"
		}
		return nil, refuse("NotFoundException", "%s", id)
	}
	allowed := slices.ContainsFunc(append([]string{held.id}, held.aliases...), k.allows)
	if !allowed || slices.Contains(k.Deny, action) {
		return nil, k.denied(action, held.arn)
	}
	return held, nil
}
