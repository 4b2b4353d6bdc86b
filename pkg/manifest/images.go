package manifest

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// pinned is an image with a digest. A tag may stand before it; the digest is what counts.
var pinned = regexp.MustCompile(`^[^@\s]+@sha256:[0-9a-f]{64}$`)

// images returns a problem for each container whose image can change under the same name, and one when no container runs the
// release's own digest: such a release would roll nothing out and still be reported as tested.
func images(objs []*unstructured.Unstructured, req VersionRequest) []error {
	var problems []error
	pods, own := 0, false
	for _, o := range objs {
		path, ok := podSpecs[o.GroupVersionKind().GroupKind()]
		if !ok {
			continue
		}
		spec, _, _ := unstructured.NestedMap(o.Object, path...)
		pods++
		for _, use := range imagesOf(spec) {
			if req.preview != nil && req.preview.holds(use.image) {
				own = true // It is looked up, and may be the one.
				continue
			}
			if use.image == "" {
				problems = append(problems, fmt.Errorf("%s: %s has no image", subject(o), use.where))
			} else if !pinned.MatchString(use.image) {
				problems = append(problems, fmt.Errorf("%s: the image %q of %s has no digest; use {{ .Image }}, or repository@sha256:…",
					subject(o), use.image, use.where))
			}
			own = own || strings.HasSuffix(use.image, "@"+req.Digest)
		}
	}
	if req.Digest != "" && pods > 0 && !own && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("no container runs the image of this release (%s); use {{ .Image }} in the manifest", req.Digest))
	}
	return problems
}

// use is one place of a pod's spec that names an image.
type use struct{ where, image string }

func imagesOf(spec map[string]any) []use {
	var uses []use
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		containers, _ := spec[list].([]any)
		for i, item := range containers {
			container, _ := item.(map[string]any)
			image, _ := container["image"].(string)
			name, _ := container["name"].(string)
			if name == "" {
				name = fmt.Sprintf("[%d]", i)
			}
			uses = append(uses, use{where: strings.TrimSuffix(list, "s") + " " + name, image: image})
		}
	}
	volumes, _ := spec["volumes"].([]any)
	for _, item := range volumes {
		volume, _ := item.(map[string]any)
		if source, ok := volume["image"].(map[string]any); ok {
			image, _ := source["reference"].(string)
			uses = append(uses, use{where: fmt.Sprintf("volume %v", volume["name"]), image: image})
		}
	}
	return uses
}
