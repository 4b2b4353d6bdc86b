package image

import (
	"bytes"
	"encoding/csv"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Both builders drive the same BuildKit and must give the same digest, so they are told the same things:
//
//   - time stamps are the commit's, in the config (SOURCE_DATE_EPOCH) and in the layers (rewrite-timestamp);
//   - no provenance or SBOM attestation: they carry the build's own time, which makes every build a new digest;
//   - the OCI layout comes as files (tar=false), so that layers are not copied twice.

// buildxArgs are the arguments after "docker buildx".
func buildxArgs(r BuildRequest) []string {
	args := []string{
		"build", "--progress=plain", "--provenance=false", "--sbom=false",
		"--file=" + r.Dockerfile,
		"--output=" + ociOutput(r.Out),
	}
	if r.Cache != "" {
		args = append(args, "--cache-from="+cacheFrom(r.Cache), "--cache-to="+cacheTo(r.Cache))
	}
	for _, arg := range buildArgs(r) {
		args = append(args, "--build-arg="+arg)
	}
	for _, label := range r.Labels {
		args = append(args, "--label="+label)
	}
	for _, id := range slices.Sorted(maps.Keys(r.Secrets)) {
		args = append(args, "--secret="+fields("id="+id, "src="+r.Secrets[id]))
	}
	if r.Target != "" {
		args = append(args, "--target="+r.Target)
	}
	if len(r.Platforms) > 0 {
		args = append(args, "--platform="+strings.Join(r.Platforms, ","))
	}
	return append(args, r.Context)
}

// buildctlArgs are the arguments after "buildctl".
func buildctlArgs(r BuildRequest) []string {
	args := []string{
		"build", "--progress=plain", "--frontend=dockerfile.v0",
		"--local=context=" + r.Context,
		"--local=dockerfile=" + filepath.Dir(r.Dockerfile),
		"--opt=filename=" + filepath.Base(r.Dockerfile),
		"--output=" + ociOutput(r.Out),
	}
	if r.Cache != "" {
		args = append(args, "--import-cache="+cacheFrom(r.Cache), "--export-cache="+cacheTo(r.Cache))
	}
	for _, arg := range buildArgs(r) {
		args = append(args, "--opt=build-arg:"+arg)
	}
	for _, label := range r.Labels {
		args = append(args, "--opt=label:"+label)
	}
	for _, id := range slices.Sorted(maps.Keys(r.Secrets)) {
		args = append(args, "--secret="+fields("id="+id, "src="+r.Secrets[id]))
	}
	if r.Target != "" {
		args = append(args, "--opt=target="+r.Target)
	}
	if len(r.Platforms) > 0 {
		args = append(args, "--opt=platform="+strings.Join(r.Platforms, ","))
	}
	return args
}

// buildArgs are the build arguments as key=value, in a fixed order.
func buildArgs(r BuildRequest) []string {
	args := []string{epochArg + "=" + strconv.FormatInt(r.Epoch.Unix(), 10)}
	for _, name := range slices.Sorted(maps.Keys(r.Args)) {
		args = append(args, name+"="+r.Args[name])
	}
	return args
}

func ociOutput(dir string) string {
	return fields("type=oci", "dest="+dir, "tar=false", "rewrite-timestamp=true")
}

func cacheFrom(ref string) string { return fields("type=registry", "ref="+ref) }

// cacheTo keeps every step (mode=max), as one image manifest, since Amazon's registry takes no other form. A cache that
// cannot be written costs time and must not cost the build.
func cacheTo(ref string) string {
	return fields("type=registry", "ref="+ref, "mode=max", "image-manifest=true", "oci-mediatypes=true", "ignore-error=true")
}

// fields joins key=value pairs the way BuildKit's command lines read them: as one line of CSV.
func fields(pairs ...string) string {
	var line bytes.Buffer
	w := csv.NewWriter(&line)
	_ = w.Write(pairs) // a bytes.Buffer takes everything
	w.Flush()
	return strings.TrimSuffix(line.String(), "\n")
}
