package image

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Labels that say which commit an image was first built from. CommitLabel is promote's own; RevisionLabel is the one that
// registries and scanners know (OCI image specification, annotations), which users may set to something else.
const (
	CommitLabel   = "dev.promote.commit"
	RevisionLabel = "org.opencontainers.image.revision"
)

// recordType is the artifact type of a note that says which other commit an image stands for.
const recordType = "application/vnd.promote.commit.v1+json"

// Record notes that an image ("repository@sha256:…") stands for a commit, besides those it stands for already: one with the
// same tree, for which nothing was built. The image itself stays as it is, and no layer is moved. The note is a referrer
// (OCI distribution specification 1.1) that repeats the image's own manifest with the commit in an annotation: every
// registry that took the image takes it, and has all of its blobs.
func Record(ctx context.Context, reference, commit string) error {
	if !IsCommitTag(commit) {
		return fmt.Errorf("noting commit %q: it is not a full commit SHA", commit)
	}
	image, err := referenceOf(reference)
	if err != nil {
		return err
	}
	known, err := commitsOf(ctx, image)
	if err != nil || slices.Contains(known, commit) {
		return err
	}
	subject, err := remote.Get(image, options(ctx)...)
	if err != nil {
		return classify(ctx, image.Context(), image.DigestStr(), err)
	}
	n, err := noteOn(subject, commit)
	if err != nil {
		return fmt.Errorf("noting commit %.7s on %q: %w", commit, reference, err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(n.manifest))
	if err != nil {
		return fmt.Errorf("noting commit %.7s on %q: %w", commit, reference, err)
	}
	err = remote.Put(image.Context().Digest(digest.String()), n, options(ctx)...)
	return classify(ctx, image.Context(), "", err)
}

// commitNote is a manifest that is pushed as it is.
type commitNote struct {
	manifest  []byte
	mediaType types.MediaType
}

// RawManifest and MediaType make it a [remote.Taggable].
func (n commitNote) RawManifest() ([]byte, error)        { return n.manifest, nil }
func (n commitNote) MediaType() (types.MediaType, error) { return n.mediaType, nil }

// noteOn makes the note from the image's own manifest or index.
func noteOn(subject *remote.Descriptor, commit string) (commitNote, error) {
	fields := map[string]any{}
	if err := json.Unmarshal(subject.Manifest, &fields); err != nil {
		return commitNote{}, fmt.Errorf("reading its manifest: %w", err)
	}
	fields["subject"] = v1.Descriptor{MediaType: subject.MediaType, Size: subject.Size, Digest: subject.Digest}
	fields["artifactType"] = recordType
	fields["annotations"] = map[string]string{CommitLabel: commit}
	// Only OCI's manifests have a subject. They may hold layers and a config of docker's types, which differ in name alone.
	as := types.OCIManifestSchema1
	if subject.MediaType.IsIndex() {
		as = types.OCIImageIndex
	}
	fields["mediaType"] = as
	data, err := json.Marshal(fields)
	return commitNote{manifest: data, mediaType: as}, err
}

// commitsOf lists the commits that an image stands for: the one it was built from, if it says so, and those noted since.
func commitsOf(ctx context.Context, image name.Digest) ([]string, error) {
	info, err := Inspect(ctx, image.Name())
	if err != nil {
		return nil, err
	}
	var commits []string
	for _, label := range []string{CommitLabel, RevisionLabel} {
		if commit := info.Labels[label]; IsCommitTag(commit) {
			commits = append(commits, commit)
			break
		}
	}
	list, err := listReferrers(ctx, image)
	if err != nil {
		return nil, err
	}
	for _, referrer := range list.descriptors {
		commit := referrer.Annotations[CommitLabel]
		if IsCommitTag(commit) && !slices.Contains(commits, commit) {
			commits = append(commits, commit)
		}
	}
	return commits, nil
}
