package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Stages of a secret's versions.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// secret is one secret with its versions, oldest first.
type secret struct {
	name, arn string
	created   time.Time
	deleted   bool
	versions  []*version
}

// version is one value of a secret. Text and binary exclude each other.
type version struct {
	id      string
	text    *string
	binary  []byte
	stages  []string
	created time.Time
}

// PutSecret stores a text as a secret's current version and returns the version's id. The version before
// becomes AWSPREVIOUS.
func (s *Server) PutSecret(name, value string) (string, error) {
	return s.putSecret(name, &version{text: &value})
}

// PutBinarySecret stores bytes.
func (s *Server) PutBinarySecret(name string, value []byte) (string, error) {
	return s.putSecret(name, &version{binary: slices.Clone(value)})
}

func (s *Server) putSecret(name string, v *version) (string, error) {
	if name == "" || len(name) > 512 || strings.ContainsFunc(name, notInName) {
		return "", fmt.Errorf("putting secret %q: a name has letters, digits and /_+=.@- only", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	held := s.secrets[name]
	if held == nil {
		// AWS adds six characters of its own; made from the name they are the same in every run of a lab.
		sum := sha256.Sum256([]byte(name))
		held = &secret{name: name, created: now, arn: s.arn("secretsmanager", "secret:"+name+"-"+hex.EncodeToString(sum[:])[:6])}
		s.secrets[name] = held
	}
	held.deleted = false
	v.id, v.created, v.stages = requestID(), now, []string{current}
	kept := []*version{v}
	for _, old := range slices.Backward(held.versions) {
		if slices.Contains(old.stages, current) {
			old.stages = []string{previous}
			kept = append([]*version{old}, kept...)
		}
		// What has no stage any more is deprecated; AWS may delete it at any time, the double does at once.
	}
	held.versions = kept
	return v.id, nil
}

func notInName(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+=.@-", r)
}

// DeleteSecret marks a secret for deletion: it can be described but not read.
func (s *Server) DeleteSecret(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets[name] == nil {
		return fmt.Errorf("deleting secret %q: no such secret", name)
	}
	s.secrets[name].deleted = true
	return nil
}

// findSecret finds a secret by its name, its ARN, or its ARN without the six characters at the end, and
// says which name the policy has to allow.
func (s *Server) findSecret(id string) (*secret, string) {
	if held := s.secrets[id]; held != nil {
		return held, id
	}
	prefix := s.arn("secretsmanager", "secret:")
	for _, held := range s.secrets {
		if id == held.arn || id == prefix+held.name {
			return held, held.name
		}
	}
	return nil, strings.TrimPrefix(id, prefix)
}

// find picks a version by its id, its stage, or both; neither means the current one.
func (held *secret) find(id, stage string) (*version, error) {
	if id == "" && stage == "" {
		stage = current
	}
	for _, v := range held.versions {
		if (id == "" || v.id == id) && (stage == "" || slices.Contains(v.stages, stage)) {
			return v, nil
		}
	}
	if id != "" {
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", id)
	}
	return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", stage)
}
