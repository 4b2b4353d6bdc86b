package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	bundlev1 "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	commonv1 "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	dssev1 "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"google.golang.org/protobuf/encoding/protojson"
)

const (
	// payloadType is that of an in-toto statement, in envelopes and as a media type.
	payloadType = "application/vnd.in-toto+json"
	// bundleType is the media type of a Sigstore bundle; older ones begin alike.
	bundleType   = "application/vnd.dev.sigstore.bundle.v0.3+json"
	bundlePrefix = "application/vnd.dev.sigstore.bundle"
	// unsignedType is of our own, so that no tool takes an unsigned statement for more than it is.
	unsignedType = "application/vnd.promote.evidence.unsigned.v1+json"
	// The annotations that cosign v3 writes.
	contentAnnotation   = "dev.sigstore.bundle.content"
	predicateAnnotation = "dev.sigstore.bundle.predicateType"
)

// encode makes the in-toto statement about an image. The predicate's bytes are kept as they are: a detour through protobuf's
// numbers would change large integers.
func encode(reference, predicateType string, predicate json.RawMessage) ([]byte, error) {
	repository, digest, err := subjectOf(reference)
	if err != nil {
		return nil, err
	}
	subject := &intoto.ResourceDescriptor{Name: repository, Digest: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}}
	payload, err := json.Marshal(struct {
		Type          string                       `json:"_type"`
		Subject       []*intoto.ResourceDescriptor `json:"subject"`
		PredicateType string                       `json:"predicateType"`
		Predicate     json.RawMessage              `json:"predicate"`
	}{intoto.StatementTypeUri, []*intoto.ResourceDescriptor{subject}, predicateType, predicate})
	if err != nil {
		return nil, fmt.Errorf("writing the predicate: %w", err)
	}
	_, err = decode(payload)
	return payload, err
}

// decode reads an in-toto statement as its own library does: names that occur twice, or a predicate that is no object, are
// errors.
func decode(payload []byte) (*intoto.Statement, error) {
	statement := &intoto.Statement{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(payload, statement); err != nil {
		return nil, fmt.Errorf("reading the in-toto statement: %w", err)
	}
	if err := statement.Validate(); err != nil {
		return nil, fmt.Errorf("reading the in-toto statement: %w", err)
	}
	return statement, nil
}

// seal signs a statement and makes the bundle.
func seal(ctx context.Context, payload []byte, key *Key) ([]byte, error) {
	signature, err := key.signed(ctx, dsse.PAE(payloadType, payload))
	if err != nil {
		return nil, fmt.Errorf("signing the statement: %w", err)
	}
	text, err := protojson.Marshal(&bundlev1.Bundle{
		MediaType: bundleType,
		VerificationMaterial: &bundlev1.VerificationMaterial{
			Content: &bundlev1.VerificationMaterial_PublicKey{PublicKey: &commonv1.PublicKeyIdentifier{Hint: key.id}},
		},
		Content: &bundlev1.Bundle_DsseEnvelope{DsseEnvelope: &dssev1.Envelope{
			Payload: payload, PayloadType: payloadType, Signatures: []*dssev1.Signature{{Sig: signature}},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the bundle: %w", err)
	}
	var compact bytes.Buffer // protojson puts spaces in at random
	if err := json.Compact(&compact, text); err != nil {
		return nil, fmt.Errorf("writing the bundle: %w", err)
	}
	return compact.Bytes(), nil
}

// envelope is what a bundle holds, not yet verified.
type envelope struct {
	payload   []byte
	signature []byte
	keyID     string // as the bundle says; "" for one that was signed with a certificate
}

// unseal takes a bundle apart.
func unseal(data []byte) (envelope, error) {
	bundle := &bundlev1.Bundle{}
	if err := protojson.Unmarshal(data, bundle); err != nil {
		return envelope{}, fmt.Errorf("reading the bundle: %w", err)
	}
	sealed := bundle.GetDsseEnvelope()
	switch {
	case sealed == nil:
		return envelope{}, errors.New("reading the bundle: it holds no DSSE envelope")
	case sealed.GetPayloadType() != payloadType:
		return envelope{}, fmt.Errorf("reading the bundle: its payload is %q, not %q", sealed.GetPayloadType(), payloadType)
	case len(sealed.GetSignatures()) != 1:
		return envelope{}, fmt.Errorf("reading the bundle: it has %d signatures, want 1", len(sealed.GetSignatures()))
	}
	return envelope{
		payload: sealed.GetPayload(), signature: sealed.GetSignatures()[0].GetSig(),
		keyID: bundle.GetVerificationMaterial().GetPublicKey().GetHint(),
	}, nil
}

// verifies says whether the key signed the payload as an in-toto statement.
func (e envelope) verifies(key *Key) bool {
	return key.verifies(dsse.PAE(payloadType, e.payload), e.signature)
}
