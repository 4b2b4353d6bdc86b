package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxArtifact is the most bytes that an attached artifact may have. A statement has a few thousand, the list of a large
// image's packages a few million.
const maxArtifact = 16 << 20

// A registry without the referrers API keeps the list of what refers to an image in a tag, and two writers that change it
// at once lose one another's entries: each reads the list, adds its own and writes all. There is no conditional write to
// stop that, so an entry counts as kept when it is still listed a while after it was written, longer than another writer
// needs from its reading to its writing.
const attachTries = 10

var settle = time.Second // a variable for the tests, whose registry answers within a millisecond

// emptyConfig is what an artifact has in place of an image's config (OCI image specification 1.1, "empty descriptor").
const emptyConfigType types.MediaType = "application/vnd.oci.empty.v1+json"

// Artifact is something that is kept beside an image in its registry and refers to it.
type Artifact struct {
	// ArtifactType and MediaType say what it is and what its bytes are; for most things they are the same.
	ArtifactType, MediaType string
	Data                    []byte
	Annotations             map[string]string
}

// Attach pushes an artifact that refers to the image "repository@sha256:…" and returns the digest of the artifact's
// manifest. The image itself does not change. It works with the referrers API and with the tag that stands for it in older
// registries, and returns only after the registry has listed the artifact.
//
// The same artifact attached again is the same manifest, listed once. The image must be in the registry, or the error is a
// *[NotFoundError].
func Attach(ctx context.Context, reference string, a Artifact) (digest string, err error) {
	subject, err := referenceOf(reference)
	if err != nil {
		return "", err
	}
	if err := a.check(); err != nil {
		return "", fmt.Errorf("attaching to %q: %w", reference, err)
	}
	digest, err = attach(ctx, subject, a)
	if err != nil {
		return "", fmt.Errorf("attaching %q to %q: %w", a.ArtifactType, reference, err)
	}
	return digest, nil
}

func (a Artifact) check() error {
	switch {
	case a.ArtifactType == "" || a.MediaType == "":
		return errors.New("the artifact has no type")
	case len(a.Data) == 0:
		return errors.New("the artifact is empty")
	case len(a.Data) > maxArtifact:
		return fmt.Errorf("the artifact has %d bytes; at most %d are read back", len(a.Data), maxArtifact)
	}
	return nil
}

func attach(ctx context.Context, subject name.Digest, a Artifact) (string, error) {
	got, err := remote.Get(subject, options(ctx)...)
	if err != nil {
		return "", classify(ctx, subject.Context(), subject.DigestStr(), err)
	}
	layer := static.NewLayer(a.Data, types.MediaType(a.MediaType))
	config := static.NewLayer([]byte("{}"), emptyConfigType)
	for _, blob := range []v1.Layer{config, layer} {
		err := interruptible(ctx, func() error { return remote.WriteLayer(subject.Context(), blob, options(ctx)...) })
		if err != nil {
			return "", classify(ctx, subject.Context(), "", err)
		}
	}
	manifest, err := newArtifactManifest(got.Descriptor, config, layer, a)
	if err != nil {
		return "", err
	}
	ref := subject.Context().Digest(manifest.digest)
	if err := putListed(ctx, subject, ref, manifest); err != nil {
		return "", err
	}
	return manifest.digest, nil
}

// putListed writes the manifest until it is listed among what refers to the subject.
func putListed(ctx context.Context, subject, ref name.Digest, manifest artifactManifest) error {
	seen := 0 // how often in a row it was found listed
	for try := 1; try <= attachTries; try++ {
		if seen == 0 {
			// Put, not Push: Push leaves a manifest alone that is there already, and with it the list that may lack it.
			if err := interruptible(ctx, func() error { return remote.Put(ref, manifest, options(ctx)...) }); err != nil {
				return putError(ctx, subject, err)
			}
		}
		found, err := listReferrers(ctx, subject)
		if err != nil {
			return err
		}
		if !found.has(ref.DigestStr()) {
			seen = 0
		} else if seen++; !found.fallback || seen > 1 {
			return nil
		}
		if err := pause(ctx, settle); err != nil {
			return err
		}
	}
	return fmt.Errorf("the registry does not list it after %d tries: other runs keep replacing the tag %q; run this again", attachTries, fallbackTag(subject).TagStr())
}

// putError says what to change where a registry needs the fallback tag and does not let it move.
func putError(ctx context.Context, subject name.Digest, err error) error {
	var answer *transport.Error
	if errors.As(err, &answer) && answer.Request != nil && answer.Request.Method == http.MethodPut &&
		answer.Request.URL.Path == "/v2/"+subject.Context().RepositoryStr()+"/manifests/"+fallbackTag(subject).TagStr() && !answer.Temporary() {
		return fmt.Errorf("%w; this registry has no referrers API and needs the tag %q to move: exclude tags that begin with sha256- from immutability",
			classify(ctx, subject.Context(), fallbackTag(subject).TagStr(), err), fallbackTag(subject).TagStr())
	}
	return classify(ctx, subject.Context(), "", err)
}

// artifactManifest is an OCI image manifest with an artifactType, which the client library's own type cannot hold.
type artifactManifest struct {
	raw    []byte
	digest string
}

func newArtifactManifest(subject v1.Descriptor, config, layer v1.Layer, a Artifact) (artifactManifest, error) {
	configDescriptor, err := describeBlob(config)
	if err != nil {
		return artifactManifest{}, err
	}
	layerDescriptor, err := describeBlob(layer)
	if err != nil {
		return artifactManifest{}, err
	}
	raw, err := json.Marshal(struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     types.MediaType   `json:"mediaType"`
		ArtifactType  string            `json:"artifactType"`
		Config        v1.Descriptor     `json:"config"`
		Layers        []v1.Descriptor   `json:"layers"`
		Subject       v1.Descriptor     `json:"subject"`
		Annotations   map[string]string `json:"annotations,omitempty"`
	}{
		2, types.OCIManifestSchema1, a.ArtifactType, configDescriptor, []v1.Descriptor{layerDescriptor},
		// Nothing but what names the subject: two registries may describe it with different words.
		v1.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
		maps.Clone(a.Annotations),
	})
	if err != nil {
		return artifactManifest{}, err
	}
	return artifactManifest{raw: raw, digest: digestOf(raw)}, nil
}

// RawManifest and MediaType make it a [remote.Taggable].
func (m artifactManifest) RawManifest() ([]byte, error) { return m.raw, nil }

// MediaType is that of an image's manifest: registries that know no artifacts take it too.
func (m artifactManifest) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func describeBlob(blob v1.Layer) (v1.Descriptor, error) {
	digest, err := blob.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := blob.Size()
	if err != nil {
		return v1.Descriptor{}, err
	}
	mediaType, err := blob.MediaType()
	return v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size}, err
}
