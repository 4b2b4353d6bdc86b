package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/org/promote/pkg/image"
)

// Attest says something about an image, "repository@sha256:…", beside it in its registry: an SBOM
// (https://spdx.dev/Document), its provenance (https://slsa.dev/provenance/v1), or whatever else the predicate type names.
// The predicate is a JSON object. With a nil key the statement is not signed. It returns the digest of the referrer.
//
// The same said again with the same key is not written again: the digest is that of what is there.
func Attest(ctx context.Context, reference, predicateType string, predicate json.RawMessage, key *Key) (referrer string, err error) {
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("attesting %q of %q: %w", predicateType, reference, err)
	}
	if address, err := url.Parse(predicateType); err != nil || address.Scheme == "" || address.Host == "" {
		return fail(errors.New("the predicate type is not a URL"))
	}
	payload, err := encode(reference, predicateType, predicate)
	if err != nil {
		return fail(err)
	}
	there, err := Attestations(ctx, reference, predicateType, key)
	if err != nil {
		return fail(err)
	}
	for _, one := range there {
		if one.Problem == "" && one.ID == digestOf(payload) {
			return one.Referrer, nil
		}
	}
	if referrer, err = attach(ctx, reference, predicateType, payload, key); err != nil {
		return fail(err)
	}
	return referrer, nil
}

// attach signs a statement, if there is a key, and puts it beside its image.
func attach(ctx context.Context, reference, predicateType string, payload []byte, key *Key) (referrer string, err error) {
	a := image.Artifact{ArtifactType: unsignedType, MediaType: payloadType, Data: payload, Annotations: map[string]string{predicateAnnotation: predicateType}}
	if key != nil {
		a.ArtifactType, a.MediaType = bundleType, bundleType
		a.Annotations[contentAnnotation] = "dsse-envelope"
		if a.Data, err = seal(ctx, payload, key); err != nil {
			return "", err
		}
	}
	return image.Attach(ctx, reference, a)
}

// Unsigned is what to say, once, where statements are written or read without a key.
func Unsigned() string {
	return "evidence is not signed: whoever can push to the image's repository can claim that a gate was passed; set evidence-key to a PEM key or awskms:///alias/… to have proof"
}
