package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/image"
)

// Problem says why something that is attached to an image counts for nothing; "" is for what counts.
type Problem string

// The problems.
const (
	// Unreadable: the registry lists it and does not have it, or not whole. What it said is unknown.
	Unreadable Problem = "unreadable"
	// Malformed: its bytes are there, and they are no statement.
	Malformed Problem = "malformed"
	// NotSigned: it is unsigned, and a key is configured.
	NotSigned Problem = "unsigned"
	// NoKey: it is signed, and no key is configured.
	NoKey Problem = "no key"
	// OtherKey: another key signed it, by its own account.
	OtherKey Problem = "another key"
	// Altered: it names the key that is configured, and its signature does not verify.
	Altered Problem = "altered"
	// OtherImage: it verifies, and is about another digest.
	OtherImage Problem = "another image"
)

// Attestation is something that was said about an image, as it was found.
type Attestation struct {
	// Referrer is the digest of its manifest in the registry.
	Referrer string
	// ID is the digest of the statement's own bytes, "" when they could not be had.
	ID string
	// Predicate is what was said; nil when there is a Problem.
	Predicate json.RawMessage
	// Signer is the id of the key that verified it, "" for one that counts unsigned.
	Signer string
	// Problem and Reason say why it counts for nothing.
	Problem Problem
	Reason  string

	// claimed is an unproven predicate. It serves to explain, and to nothing else.
	claimed json.RawMessage
}

// Attestations reads and verifies what was said about an image, "repository@sha256:…", with one predicate type. A nil key
// is the unsigned mode. What does not verify is among them, with its Problem; a bundle of another predicate type is not.
// An error means that the registry gave no answer.
func Attestations(ctx context.Context, reference, predicateType string, key *Key) ([]Attestation, error) {
	if _, _, err := subjectOf(reference); err != nil {
		return nil, err
	}
	found, err := image.Referrers(ctx, reference, "", func(r image.Referrer) bool { return mayBe(r, predicateType) })
	if err != nil {
		return nil, err
	}
	var all []Attestation
	for _, r := range found {
		if one, ours := open(r, reference, predicateType, key); ours {
			all = append(all, one)
		}
	}
	return all, nil
}

// mayBe leaves out other artifacts by what their manifests say. Who could falsify that could also delete them.
func mayBe(r image.Referrer, predicateType string) bool {
	named, has := r.Annotations[predicateAnnotation]
	if has && named != predicateType {
		return false
	}
	switch {
	case r.ArtifactType == unsignedType, strings.HasPrefix(r.ArtifactType, bundlePrefix):
		// A bundle that is not of cosign's making may lack the annotation. Bundles of signatures say so.
		return has || r.Annotations[contentAnnotation] != "message-signature"
	case r.Digest != "" && r.MediaType == "":
		// Its manifest could not be read; the list says that it is something else, or nothing.
		return has || r.ArtifactType == "" || r.ArtifactType == "application/vnd.oci.empty.v1+json"
	}
	return false
}

// open verifies one referrer. ours is false for one that says something else.
func open(r image.Referrer, reference, predicateType string, key *Key) (one Attestation, ours bool) {
	one.Referrer = r.Digest
	bad := func(problem Problem, reason string) (Attestation, bool) {
		one.Problem, one.Reason = problem, short(reason)
		return one, true
	}
	var lost *image.LostError
	switch {
	case errors.As(r.Err, &lost):
		return bad(Unreadable, r.Err.Error())
	case r.Err != nil:
		return bad(Malformed, r.Err.Error())
	}
	sealed := envelope{payload: r.Data}
	signed := r.ArtifactType != unsignedType
	if signed {
		var err error
		if sealed, err = unseal(r.Data); err != nil {
			return bad(Malformed, err.Error())
		}
	}
	one.ID = digestOf(sealed.payload)
	statement, err := decode(sealed.payload)
	if err != nil {
		return bad(Malformed, err.Error())
	}
	if statement.GetPredicateType() != predicateType {
		return Attestation{}, false
	}
	said, err := predicateOf(sealed.payload)
	if err != nil {
		return bad(Malformed, err.Error())
	}
	one.claimed = said
	switch {
	case !signed && key != nil:
		return bad(NotSigned, "it is not signed, and a key is configured")
	case signed && key == nil:
		return bad(NoKey, "it is signed, and no key is configured to verify it")
	case signed && !sealed.verifies(key) && sealed.keyID == key.id:
		return bad(Altered, "its signature does not verify with the configured key, which it names: it was changed")
	case signed && !sealed.verifies(key):
		return bad(OtherKey, fmt.Sprintf("it is signed with key %q, and the configured one is %q", sealed.keyID, key.id))
	}
	_, digest, _ := strings.Cut(reference, "@")
	subjects := statement.GetSubject()
	if len(subjects) != 1 || "sha256:"+subjects[0].GetDigest()["sha256"] != digest {
		return bad(OtherImage, fmt.Sprintf("it is about %q", subjects[0].GetName()+"@sha256:"+subjects[0].GetDigest()["sha256"]))
	}
	one.Predicate, one.Signer = said, ""
	if signed {
		one.Signer = key.id
	}
	return one, true
}

// predicateOf gives the predicate's bytes as they were written.
func predicateOf(payload []byte) (json.RawMessage, error) {
	var statement struct {
		Predicate json.RawMessage `json:"predicate"`
	}
	err := json.Unmarshal(payload, &statement)
	if err == nil && len(statement.Predicate) == 0 {
		err = errors.New("it has no predicate")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the in-toto statement: %w", err)
	}
	return statement.Predicate, nil
}

// short keeps what others wrote, and an error quotes, from filling a log.
func short(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
