package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// readersAtOnce keeps a long list from taking all of a registry's patience.
const readersAtOnce = 8

// Referrer is an artifact that refers to an image. What it says is as true as who can push to the repository is honest;
// only that Digest and Data belong together is checked here, and that the image is the manifest's subject is not.
type Referrer struct {
	Digest       string // of its manifest
	ArtifactType string
	MediaType    string // of Data
	Annotations  map[string]string
	Data         []byte
	// Err says that it is listed and cannot be had: a *[LostError], or that it is no artifact of one layer, or too large.
	// The registry's own trouble is no such thing: it fails the whole call.
	Err error
}

// Referrers reads what refers to the image "repository@sha256:…", has the artifact type ("" is every type) and is wanted;
// a nil wanted wants all. It is asked before the artifact's bytes are read, with everything but Data, and for one whose
// manifest is gone with what the list says of it, which may be nothing. The order is that of the digests. An image that nothing refers to, or that is not there, gives none.
func Referrers(ctx context.Context, reference, artifactType string, wanted func(Referrer) bool) ([]Referrer, error) {
	subject, err := referenceOf(reference)
	if err != nil {
		return nil, err
	}
	listed, err := listReferrers(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("listing what refers to %q: %w", reference, err)
	}
	puller, err := remote.NewPuller(options(ctx)...)
	if err != nil {
		return nil, err
	}
	all := make([]*Referrer, len(listed.descriptors))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(readersAtOnce)
	for i, d := range listed.descriptors {
		// The type in the list is not asked: go-containerregistry's registry gives the config's there.
		group.Go(func() error {
			one, err := readReferrer(within, puller, subject.Context().Digest(d.Digest.String()), d, artifactType, wanted)
			all[i] = one
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("reading what refers to %q: %w", reference, err)
	}
	var found []Referrer
	for _, one := range all {
		if one != nil {
			found = append(found, *one)
		}
	}
	slices.SortFunc(found, func(a, b Referrer) int { return strings.Compare(a.Digest, b.Digest) })
	return found, nil
}

// readReferrer gives nil for one that is of another type or not wanted.
func readReferrer(ctx context.Context, puller *remote.Puller, ref name.Digest, listed v1.Descriptor, artifactType string, wanted func(Referrer) bool) (*Referrer, error) {
	one := &Referrer{Digest: ref.DigestStr(), ArtifactType: listed.ArtifactType, Annotations: listed.Annotations}
	got, err := puller.Get(ctx, ref)
	if err != nil {
		one, err = lost(ctx, ref, one, err)
		// What is gone is of the type that the list says, if it says one.
		known := one != nil && one.ArtifactType != "" && one.ArtifactType != string(emptyConfigType)
		if known && artifactType != "" && one.ArtifactType != artifactType || one != nil && wanted != nil && !wanted(*one) {
			return nil, nil
		}
		return one, err
	}
	var manifest struct {
		ArtifactType string            `json:"artifactType"`
		Config       v1.Descriptor     `json:"config"`
		Layers       []v1.Descriptor   `json:"layers"`
		Annotations  map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(got.Manifest, &manifest); err != nil {
		one.Err = fmt.Errorf("reading manifest %q: %w", ref.Name(), err)
		return one, nil
	}
	one.Annotations, one.ArtifactType = manifest.Annotations, manifest.ArtifactType
	if one.ArtifactType == "" { // as the image specification has it for manifests older than artifactType
		one.ArtifactType = string(manifest.Config.MediaType)
	}
	if artifactType != "" && one.ArtifactType != artifactType {
		return nil, nil
	}
	if len(manifest.Layers) == 1 {
		one.MediaType = string(manifest.Layers[0].MediaType)
	}
	if wanted != nil && !wanted(*one) {
		return nil, nil
	}
	if len(manifest.Layers) != 1 {
		one.Err = fmt.Errorf("reading manifest %q: it has %d layers, want 1", ref.Name(), len(manifest.Layers))
		return one, nil
	}
	layer := manifest.Layers[0]
	if layer.Size > maxArtifact {
		one.Err = fmt.Errorf("reading %q: it has %d bytes, more than %d", ref.Name(), layer.Size, maxArtifact)
		return one, nil
	}
	one.Data, err = readBlob(ctx, puller, ref.Context().Digest(layer.Digest.String()))
	if err != nil {
		return lost(ctx, ref, one, err)
	}
	return one, nil
}

// LostError says that a registry lists an artifact and does not have it, or has other bytes in its place: what it said is
// unknown.
type LostError struct {
	Artifact string // repository@sha256:… of its manifest
	Err      error
}

func (e *LostError) Error() string { return fmt.Sprintf("reading %q: %v", e.Artifact, e.Err) }

func (e *LostError) Unwrap() error { return e.Err }

// lost tells what the registry does not have from what it cannot give at the moment.
func lost(ctx context.Context, ref name.Digest, one *Referrer, err error) (*Referrer, error) {
	err = classify(ctx, ref.Context(), ref.DigestStr(), err)
	var missing *NotFoundError
	var altered *notItsDigestError
	if errors.As(err, &missing) || errors.As(err, &altered) {
		one.Err = &LostError{Artifact: ref.Name(), Err: err}
		return one, nil
	}
	return nil, err
}

// notItsDigestError says that a registry gave other bytes than were asked for.
type notItsDigestError struct{ Want, Got string }

func (e *notItsDigestError) Error() string {
	return fmt.Sprintf("the registry gave %s where %s was asked for", e.Got, e.Want)
}

func readBlob(ctx context.Context, puller *remote.Puller, ref name.Digest) ([]byte, error) {
	layer, err := puller.Layer(ctx, ref)
	if err != nil {
		return nil, err
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxArtifact+1))
	if got := digestOf(data); got != ref.DigestStr() {
		if err != nil && !strings.Contains(err.Error(), "verifying") { // the client library's own check has no type
			return nil, err
		}
		return nil, &notItsDigestError{Want: ref.DigestStr(), Got: got}
	}
	return data, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
