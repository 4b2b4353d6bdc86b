package aws

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"strings"
)

// maxKMSMessage is the most bytes that Sign takes.
const maxKMSMessage = 4096

// kmsAlgorithms are what each kind of key signs with. Ed25519 with a hash before it is left out.
var kmsAlgorithms = map[string][]string{
	"ECC_NIST_P256":         {"ECDSA_SHA_256"},
	"ECC_NIST_P384":         {"ECDSA_SHA_384"},
	"ECC_NIST_EDWARDS25519": {"ED25519_SHA_512"},
	"RSA_2048":              rsaAlgorithms, "RSA_3072": rsaAlgorithms, "RSA_4096": rsaAlgorithms,
}

var rsaAlgorithms = []string{
	"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
	"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
}

// hashOf is the hash in an algorithm's name; 0 for one that takes the message as it is.
func hashOf(algorithm string) crypto.Hash {
	switch {
	case strings.HasPrefix(algorithm, "ED25519"):
		return 0
	case strings.HasSuffix(algorithm, "_256"):
		return crypto.SHA256
	case strings.HasSuffix(algorithm, "_384"):
		return crypto.SHA384
	}
	return crypto.SHA512
}

func (s *Server) kmsSign(k Key, body []byte) (any, []string, error) {
	var in struct {
		KeyID            string `json:"KeyId"`
		Message          []byte
		MessageType      string
		SigningAlgorithm string
		DryRun           bool
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	names := []string{in.KeyID}
	held, err := s.usableKMSKey(k, in.KeyID, "kms:Sign")
	if err != nil {
		return nil, names, err
	}
	digest, err := toSign(held, in.Message, in.MessageType, in.SigningAlgorithm)
	if err != nil {
		return nil, names, err
	}
	if in.DryRun {
		return nil, names, refuse("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	var options crypto.SignerOpts = hashOf(in.SigningAlgorithm)
	if strings.HasPrefix(in.SigningAlgorithm, "RSASSA_PSS") {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hashOf(in.SigningAlgorithm)}
	}
	signature, err := held.private.Sign(rand.Reader, digest, options)
	if err != nil {
		return nil, names, err
	}
	return map[string]any{"KeyId": held.arn, "Signature": signature, "SigningAlgorithm": in.SigningAlgorithm}, names, nil
}

// toSign gives what goes into the key's own arithmetic, or refuses what KMS refuses.
func toSign(held *kmsKey, message []byte, kind, algorithm string) ([]byte, error) {
	if algorithm == "" || len(message) == 0 {
		return nil, refuse("ValidationException", "1 validation error detected: 'message' and 'signingAlgorithm' must not be null")
	}
	if len(message) > maxKMSMessage {
		return nil, refuse("ValidationException", "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to %d", maxKMSMessage)
	}
	known := false
	for _, one := range kmsAlgorithms[held.spec] {
		known = known || one == algorithm
	}
	if !known {
		return nil, refuse("ValidationException", "Algorithm %s is incompatible with key spec %s.", algorithm, held.spec)
	}
	hash := hashOf(algorithm)
	switch {
	case kind == "DIGEST" && hash == 0:
		return nil, refuse("ValidationException", "Message type DIGEST is incompatible with algorithm %s.", algorithm)
	case kind == "DIGEST" && len(message) != hash.Size():
		return nil, refuse("ValidationException", "Digest is invalid length for algorithm %s.", algorithm)
	case kind == "DIGEST" || hash == 0 && (kind == "RAW" || kind == ""):
		return message, nil
	case kind == "RAW" || kind == "":
		h := hash.New()
		h.Write(message)
		return h.Sum(nil), nil
	}
	return nil, refuse("ValidationException", "1 validation error detected: Value '%s' at 'messageType' failed to satisfy constraint: Member must satisfy enum value set: [RAW, DIGEST]", kind)
}

func (s *Server) kmsGetPublicKey(k Key, body []byte) (any, []string, error) {
	var in struct {
		KeyID string `json:"KeyId"`
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	held, err := s.usableKMSKey(k, in.KeyID, "kms:GetPublicKey")
	if err != nil {
		return nil, []string{in.KeyID}, err
	}
	der, err := x509.MarshalPKIXPublicKey(held.private.Public())
	return map[string]any{
		"KeyId": held.arn, "PublicKey": der, "KeySpec": held.spec, "CustomerMasterKeySpec": held.spec, "KeyUsage": "SIGN_VERIFY",
		"SigningAlgorithms": kmsAlgorithms[held.spec],
	}, []string{in.KeyID}, err
}

// kmsDescribeKey answers for keys in every state.
func (s *Server) kmsDescribeKey(k Key, body []byte) (any, []string, error) {
	var in struct {
		KeyID string `json:"KeyId"`
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	held, err := s.permittedKMSKey(k, in.KeyID, "kms:DescribeKey")
	if err != nil {
		return nil, []string{in.KeyID}, err
	}
	return map[string]any{"KeyMetadata": map[string]any{
		"AWSAccountId": account, "KeyId": held.id, "Arn": held.arn, "CreationDate": epoch(held.created), "Enabled": held.state == keyEnabled,
		"KeyState": held.state, "KeySpec": held.spec, "CustomerMasterKeySpec": held.spec, "KeyUsage": "SIGN_VERIFY", "KeyManager": "CUSTOMER",
		"Origin": "AWS_KMS", "MultiRegion": false, "SigningAlgorithms": kmsAlgorithms[held.spec],
	}}, []string{in.KeyID}, nil
}
