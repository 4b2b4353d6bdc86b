package manifest

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The names that package cluster gives its labels and annotations. They are written again here because this package may not
// import a Kubernetes client; a test compares them.
const (
	labelPrefix      = "promote.dev/"
	labelService     = labelPrefix + "service"
	labelRelease     = labelPrefix + "release"
	labelEnvironment = labelPrefix + "environment"
	labelServe       = labelPrefix + "serve"

	annotationCommit = labelPrefix + "commit"
	annotationDigest = labelPrefix + "digest"
	annotationRun    = labelPrefix + "run"
)

// serviceLabels are on every object. A shared object has no more than these: with the release's id on it, each release would
// change each shared object.
func serviceLabels(req VersionRequest) map[string]string {
	return map[string]string{labelService: req.Service, labelEnvironment: req.Environment}
}

func releaseLabels(req VersionRequest) map[string]string {
	labels := serviceLabels(req)
	labels[labelRelease] = req.Release
	return labels
}

// stamp marks a versioned object as part of its release and makes it immutable where Kubernetes can.
func stamp(o *unstructured.Unstructured, req VersionRequest) {
	label(o, releaseLabels(req))
	origin := map[string]string{annotationCommit: req.Commit, annotationDigest: req.Digest, annotationRun: req.Run}
	annotate(o.Object, origin)
	switch {
	case isKind(o, configMap, secretKind):
		o.Object["immutable"] = true
	case isKind(o, deployment):
		spec := o.Object["spec"].(map[string]any)
		merge(child(child(spec, "selector"), "matchLabels"), map[string]string{labelRelease: req.Release})
		template := child(spec, "template")
		pod := releaseLabels(req)
		pod[labelServe] = "true"
		merge(child(child(template, "metadata"), "labels"), pod)
		// Without the run: a second run of the same release must not restart its pods.
		delete(origin, annotationRun)
		annotate(template, origin)
	}
}

func label(o *unstructured.Unstructured, labels map[string]string) {
	merge(child(child(o.Object, "metadata"), "labels"), labels)
}

// annotate adds the annotations that have a value.
func annotate(object map[string]any, annotations map[string]string) {
	annotations = maps.Clone(annotations)
	maps.DeleteFunc(annotations, func(_, value string) bool { return value == "" })
	if len(annotations) > 0 {
		merge(child(child(object, "metadata"), "annotations"), annotations)
	}
}

// child returns the map under key, made when it is not there.
func child(parent map[string]any, key string) map[string]any {
	if found, ok := parent[key].(map[string]any); ok {
		return found
	}
	made := map[string]any{}
	parent[key] = made
	return made
}

func merge(into map[string]any, from map[string]string) {
	for key, value := range from {
		into[key] = value
	}
}
