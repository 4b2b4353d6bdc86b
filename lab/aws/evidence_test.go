package aws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/org/promote/pkg/evidence"
)

// TestEvidenceKeysInKMS opens keys as promote does. That what they sign is right is shown in lab/e2e/evidence, by cosign.
func TestEvidenceKeysInKMS(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.newKMSKey("ECC_NIST_P256", "alias/prod/evidence")
	for _, k := range []Key{
		{AccessKey: "AKIAWRITER", SecretKey: "w", Allow: []string{"alias/prod/"}},
		{AccessKey: "AKIAREADER", SecretKey: "r", Allow: []string{"alias/prod/"}, Deny: []string{"kms:Sign"}},
		{AccessKey: "AKIASTAGE", SecretKey: "s", Allow: []string{"alias/stage/"}},
	} {
		check(t, w.server.AddKey(k))
	}
	w.config("us-east-1", root) // for the environment it sets
	open := func(uri, accessKey, secretKey string) (*evidence.Key, error) {
		return evidence.OpenKMS(t.Context(), uri, "us-east-1", config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")))
	}
	t.Run("by every name they are the same key", func(t *testing.T) {
		ids := map[string]bool{}
		for _, name := range []string{id, "alias/prod/evidence", "arn:aws:kms:us-east-1:000000000000:key/" + id, "arn:aws:kms:us-east-1:000000000000:alias/prod/evidence"} {
			key, err := open("awskms:///"+name, "AKIAWRITER", "w")
			check(t, err)
			ids[key.ID()] = true
		}
		if len(ids) != 1 {
			t.Errorf("got %v", ids)
		}
	})
	t.Run("RSA keys of all sizes that KMS has suit, other kinds are refused by name", func(t *testing.T) {
		key, err := open("awskms:///"+w.newKMSKey("RSA_2048"), root.AccessKey, root.SecretKey)
		check(t, err)
		if !key.CanSign() {
			t.Error("it cannot sign")
		}
		for _, spec := range []string{"ECC_NIST_P384", "ECC_NIST_EDWARDS25519"} {
			if _, err := open("awskms:///"+w.newKMSKey(spec), root.AccessKey, root.SecretKey); err == nil || !strings.Contains(err.Error(), spec) || !strings.Contains(err.Error(), "ECC_NIST_P256") {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("a role that may only verify opens them", func(t *testing.T) {
		_, err := open("awskms:///alias/prod/evidence", "AKIAREADER", "r")
		check(t, err)
	})
	for _, test := range []struct{ name, uri, accessKey, secretKey, want string }{
		{"a denial names the permission", "awskms:///alias/prod/evidence", "AKIASTAGE", "s", "(the role needs kms:GetPublicKey)"},
		{"an alias that is not there is named", "awskms:///alias/none", "AKIAWRITER", "w", "alias/none is not found"},
		{"an endpoint in the URI is refused", "awskms://127.0.0.1:4566/alias/x", "AKIAWRITER", "w", "AWS_ENDPOINT_URL"},
		{"what is no key's name is refused", "awskms:///evidence", "AKIAWRITER", "w", "awskms:///alias/evidence"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := open(test.uri, test.accessKey, test.secretKey); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.uri) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	t.Run("a disabled key is refused as one", func(t *testing.T) {
		check(t, w.server.DisableKMSKey(id))
		if _, err := open("awskms:///alias/prod/evidence", "AKIAWRITER", "w"); err == nil || !strings.Contains(err.Error(), "DisabledException") {
			t.Errorf("got %v", err)
		}
	})
}
