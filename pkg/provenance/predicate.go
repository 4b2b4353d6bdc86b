package provenance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Predicate gives the provenance as JSON. The same build gives the same bytes.
func Predicate(b Build) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	external, err := structpb.NewStruct(b.external())
	if err != nil {
		return nil, fmt.Errorf("writing the provenance of commit %q: %w", b.Commit, err)
	}
	internal, err := structpb.NewStruct(b.internal())
	if err != nil {
		return nil, fmt.Errorf("writing the provenance of commit %q: %w", b.Commit, err)
	}
	p := &slsa.Provenance{
		BuildDefinition: &slsa.BuildDefinition{
			BuildType: BuildType, ExternalParameters: external, InternalParameters: internal, ResolvedDependencies: b.dependencies(),
		},
		RunDetails: &slsa.RunDetails{
			Builder: b.builder(),
			Metadata: &slsa.BuildMetadata{
				InvocationId: b.RunURL, StartedOn: stamp(b.Started), FinishedOn: stamp(b.Finished),
			},
		},
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("writing the provenance of commit %q: %w", b.Commit, err)
	}
	text, err := protojson.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing the provenance of commit %q: %w", b.Commit, err)
	}
	// protojson puts spaces in at random, so that nobody relies on its bytes. A signature does.
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil, fmt.Errorf("writing the provenance of commit %q: %w", b.Commit, err)
	}
	return out.Bytes(), nil
}

// external are what the user chose; what was not chosen is left out.
func (b Build) external() map[string]any {
	all := map[string]any{"repository": b.Repository, "commit": b.Commit}
	for name, text := range map[string]string{"ref": b.Ref, "context": b.Context, "dockerfile": b.Dockerfile, "target": b.Target} {
		if text != "" {
			all[name] = text
		}
	}
	for name, texts := range map[string][]string{"platforms": b.Platforms, "buildArgs": b.Arguments, "buildSecrets": b.Secrets} {
		if len(texts) > 0 {
			all[name] = list(texts)
		}
	}
	return all
}

// internal are what this program chose.
func (b Build) internal() map[string]any {
	all := map[string]any{"builder": b.Builder, "sourceDateEpoch": float64(b.Epoch.Unix())}
	if b.Recipe != "" {
		all["recipe"] = b.Recipe
	}
	return all
}

// list is sorted: what a set of names was written in says nothing.
func list(texts []string) []any {
	var all []any
	for _, text := range slices.Sorted(slices.Values(texts)) {
		all = append(all, text)
	}
	return all
}

// dependencies are the source and the bases, in the order of the Dockerfile.
func (b Build) dependencies() []*intoto.ResourceDescriptor {
	source := "git+" + b.Repository
	if b.Ref != "" {
		source += "@" + b.Ref
	}
	all := []*intoto.ResourceDescriptor{{Uri: source, Digest: gitDigest(b.Commit)}}
	for _, base := range b.Bases {
		all = append(all, &intoto.ResourceDescriptor{
			Uri: "oci://" + base.Repository, Digest: map[string]string{"sha256": strings.TrimPrefix(base.Digest, "sha256:")},
		})
	}
	return all
}

// builder is the workflow, which decides what runs.
func (b Build) builder() *slsa.Builder {
	made := &slsa.Builder{
		Id:      strings.TrimSuffix(b.Server, "/") + "/" + b.Workflow,
		Version: map[string]string{"promote": b.Version},
	}
	if b.Runner != "" {
		made.Version["runner"] = b.Runner
	}
	if b.WorkflowCommit != "" {
		path, _, _ := strings.Cut(b.Workflow, "@")
		made.BuilderDependencies = []*intoto.ResourceDescriptor{{Name: path, Digest: gitDigest(b.WorkflowCommit)}}
	}
	return made
}

// gitDigest names a commit. The set of digests knows commits of SHA-1 as gitCommit and has no name for the others
// (in-toto, "DigestSet"), which are SHA-256.
func gitDigest(commit string) map[string]string {
	if len(commit) == 64 {
		return map[string]string{"sha256": commit}
	}
	return map[string]string{"gitCommit": commit}
}

func stamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t.UTC().Truncate(time.Second)) }
