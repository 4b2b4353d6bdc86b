package aws

import (
	"fmt"
	"strings"
	"time"
)

// Key is a key pair with its policy.
type Key struct {
	AccessKey, SecretKey string
	// SessionToken, when set, must come with every request, as with temporary credentials.
	SessionToken string
	// Role, when set, is the role whose session the key belongs to; else it is a user's.
	Role string
	// Expires, when set, is when the session ends.
	Expires time.Time
	// Allow holds prefixes of the names of secrets and parameters that may be read, of repositories that may be used, of EKS
	// clusters that may be described, and of the ids and aliases of KMS keys that may be used; "" is every name.
	Allow []string
	// Deny holds actions on KMS keys, container repositories, EKS clusters, hosted zones and load balancers that are refused whatever Allow says, such as "kms:Sign" for
	// who only verifies, or "ecr:PutImage" for who only pulls.
	Deny []string
	// Policy says what the key may do with hosted zones and load balancers. Without one it may do everything there if it may
	// read every name, and else nothing.
	Policy *Policy
	// region is where the request that the key signed goes.
	region string
}

// AddKey makes another key pair known, or replaces it.
func (s *Server) AddKey(k Key) error {
	if k.AccessKey == "" || k.SecretKey == "" {
		return fmt.Errorf("adding key %q: access key and secret key are both needed", k.AccessKey)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.AccessKey] = k
	return nil
}

// allows is the policy by name.
func (k Key) allows(name string) bool {
	for _, prefix := range k.Allow {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// denied is what IAM says, to names that exist and names that do not alike.
func (k Key) denied(action, resource string) *refusal {
	return refuse("AccessDeniedException",
		"User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action", k.arn(), action, resource, action)
}

// arn is who the key's owner is to STS.
func (k Key) arn() string {
	if k.Role != "" {
		return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/session", account, k.Role)
	}
	return fmt.Sprintf("arn:aws:iam::%s:user/%s", account, k.AccessKey)
}

// principal is who the key's owner is to IAM: the role rather than its session.
func (k Key) principal() string {
	if k.Role != "" {
		return fmt.Sprintf("arn:aws:iam::%s:role/%s", account, k.Role)
	}
	return k.arn()
}

func (k Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }
