package aws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func (w *world) kms(k Key) *kms.Client { return kms.NewFromConfig(w.config("us-east-1", k)) }

func (w *world) newKMSKey(spec string, aliases ...string) string {
	w.t.Helper()
	id, err := w.server.CreateKMSKey(spec, aliases...)
	check(w.t, err)
	return id
}

// publicKey is the key's public half, by the SDK.
func publicKey(t *testing.T, c *kms.Client, id string) any {
	t.Helper()
	out, err := c.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &id})
	check(t, err)
	key, err := x509.ParsePKIXPublicKey(out.PublicKey)
	check(t, err)
	return key
}

func TestKMSSignatures(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.kms(root)
	message := []byte("a message")
	digest := sha256.Sum256(message)
	sign := func(t *testing.T, id string, algorithm types.SigningAlgorithmSpec, kind types.MessageType, message []byte) []byte {
		t.Helper()
		out, err := c.Sign(t.Context(), &kms.SignInput{KeyId: &id, Message: message, MessageType: kind, SigningAlgorithm: algorithm})
		check(t, err)
		return out.Signature
	}
	t.Run("of a P-256 key verify, over the message and over its digest", func(t *testing.T) {
		id := w.newKMSKey("ECC_NIST_P256")
		key := publicKey(t, c, id).(*ecdsa.PublicKey)
		for _, signature := range [][]byte{
			sign(t, id, types.SigningAlgorithmSpecEcdsaSha256, types.MessageTypeRaw, message),
			sign(t, id, types.SigningAlgorithmSpecEcdsaSha256, types.MessageTypeDigest, digest[:]),
			sign(t, id, types.SigningAlgorithmSpecEcdsaSha256, "", message),
		} {
			if !ecdsa.VerifyASN1(key, digest[:], signature) {
				t.Error("it does not verify")
			}
		}
	})
	t.Run("of a digest called raw are over the digest's digest", func(t *testing.T) {
		id := w.newKMSKey("ECC_NIST_P256")
		twice := sha256.Sum256(digest[:])
		signature := sign(t, id, types.SigningAlgorithmSpecEcdsaSha256, types.MessageTypeRaw, digest[:])
		if key := publicKey(t, c, id).(*ecdsa.PublicKey); ecdsa.VerifyASN1(key, digest[:], signature) || !ecdsa.VerifyASN1(key, twice[:], signature) {
			t.Error("it was not hashed again")
		}
	})
	t.Run("of a P-384 key are over SHA-384", func(t *testing.T) {
		id := w.newKMSKey("ECC_NIST_P384")
		sum := sha512.Sum384(message)
		if !ecdsa.VerifyASN1(publicKey(t, c, id).(*ecdsa.PublicKey), sum[:], sign(t, id, types.SigningAlgorithmSpecEcdsaSha384, types.MessageTypeDigest, sum[:])) {
			t.Error("it does not verify")
		}
	})
	t.Run("of an RSA key verify in both schemes", func(t *testing.T) {
		id := w.newKMSKey("RSA_2048")
		key := publicKey(t, c, id).(*rsa.PublicKey)
		check(t, rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sign(t, id, types.SigningAlgorithmSpecRsassaPkcs1V15Sha256, types.MessageTypeDigest, digest[:])))
		check(t, rsa.VerifyPSS(key, crypto.SHA256, digest[:], sign(t, id, types.SigningAlgorithmSpecRsassaPssSha256, types.MessageTypeRaw, message), nil))
	})
	t.Run("of an Ed25519 key are over the message itself", func(t *testing.T) {
		id := w.newKMSKey("ECC_NIST_EDWARDS25519")
		if !ed25519.Verify(publicKey(t, c, id).(ed25519.PublicKey), message, sign(t, id, types.SigningAlgorithmSpecEd25519Sha512, types.MessageTypeRaw, message)) {
			t.Error("it does not verify")
		}
	})
}

func TestKMSRefuses(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.newKMSKey("ECC_NIST_P256", "alias/prod/evidence")
	c := w.kms(root)
	digest := make([]byte, 32)
	for _, test := range []struct {
		name, code, text string
		in               kms.SignInput
	}{
		{"another key's algorithm", "ValidationException", "incompatible with key spec ECC_NIST_P256", kms.SignInput{Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecRsassaPssSha256}},
		{"an algorithm with another hash", "ValidationException", "incompatible", kms.SignInput{Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha384}},
		{"a digest that is too short", "ValidationException", "Digest is invalid length", kms.SignInput{Message: digest[:20], MessageType: types.MessageTypeDigest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}},
		{"a message of more than 4096 bytes", "ValidationException", "less than or equal to 4096", kms.SignInput{Message: make([]byte, 4097), SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}},
		{"a kind of message that is none", "ValidationException", "messageType", kms.SignInput{Message: digest, MessageType: "HEX", SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}},
		{"an alias that is not there", "NotFoundException", "alias/none is not found", kms.SignInput{KeyId: sdk.String("alias/none"), Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}},
		{"a key that is not there", "NotFoundException", "does not exist", kms.SignInput{KeyId: sdk.String("00000000-0000-4000-8000-000000000000"), Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}},
		{"an ARN of another account", "NotFoundException", "is not found", kms.SignInput{KeyId: sdk.String("arn:aws:kms:us-east-1:111111111111:key/" + id), Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}},
		{"a rehearsal, as KMS answers one", "DryRunOperationException", "", kms.SignInput{DryRun: sdk.Bool(true), Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := test.in
			if in.KeyId == nil {
				in.KeyId = &id
			}
			_, err := c.Sign(t.Context(), &in)
			wantError(t, err, test.code, test.text)
		})
	}
	t.Run("a key that is disabled or waits for deletion, though it can be described", func(t *testing.T) {
		states := map[string]func(string) error{"DisabledException": w.server.DisableKMSKey, "KMSInvalidStateException": w.server.ScheduleKMSKeyDeletion}
		for code, change := range states {
			check(t, change("alias/prod/evidence"))
			_, err := c.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &id})
			wantError(t, err, code, id)
			_, err = c.Sign(t.Context(), &kms.SignInput{KeyId: &id, Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256})
			wantError(t, err, code, id)
			out, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &id})
			check(t, err)
			if out.KeyMetadata.Enabled {
				t.Errorf("the key is %s", out.KeyMetadata.KeyState)
			}
		}
		check(t, w.server.EnableKMSKey(id))
		var disabled *types.DisabledException
		if _, err := c.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &id}); errors.As(err, &disabled) {
			t.Errorf("enabled again, it is %v", err)
		}
	})
	t.Run("who may not use the key, or may only verify", func(t *testing.T) {
		stage := Key{AccessKey: "AKIASTAGE", SecretKey: "s", Allow: []string{"stage/", "alias/stage/"}}
		reader := Key{AccessKey: "AKIAREADER", SecretKey: "r", Allow: []string{"alias/prod/"}, Deny: []string{"kms:Sign"}}
		check(t, w.server.AddKey(stage))
		check(t, w.server.AddKey(reader))
		in := &kms.SignInput{KeyId: &id, Message: digest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}
		_, err := w.kms(stage).GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &id})
		wantError(t, err, "AccessDeniedException", "kms:GetPublicKey")
		_, err = w.kms(reader).Sign(t.Context(), in)
		wantError(t, err, "AccessDeniedException", "kms:Sign")
		publicKey(t, w.kms(reader), id)
	})
	t.Run("what KMS cannot make", func(t *testing.T) {
		for _, bad := range [][]string{{"RSA_512"}, {"ECC_NIST_P256", "evidence"}, {"ECC_NIST_P256", "alias/aws/x"}, {"ECC_NIST_P256", "alias/prod/evidence"}} {
			if _, err := w.server.CreateKMSKey(bad[0], bad[1:]...); err == nil {
				t.Errorf("%q was made", bad)
			}
		}
		if w.server.DisableKMSKey("alias/none") == nil {
			t.Error("a key that is not there was disabled")
		}
	})
}

func TestKMSKeysHaveFourNames(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.newKMSKey("ECC_NIST_P256", "alias/evidence")
	for _, name := range []string{id, "alias/evidence", "arn:aws:kms:us-east-1:000000000000:key/" + id, "arn:aws:kms:us-east-1:000000000000:alias/evidence"} {
		out, err := w.kms(root).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &name})
		check(t, err)
		if got := out.KeyMetadata; sdk.ToString(got.KeyId) != id || !slices.Equal(got.SigningAlgorithms, []types.SigningAlgorithmSpec{"ECDSA_SHA_256"}) {
			t.Errorf("%s is %v", name, got)
		}
	}
}
