package manifest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// labelValue is a DNS label, which may be a label's value, part of a name, and a Service's name.
var labelValue = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// admit returns what keeps one object out of a release.
func admit(o *unstructured.Unstructured, namespace string) []error {
	var problems []error
	refuse := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: "+format, append([]any{subject(o)}, args...)...))
	}
	if o.GetNamespace() != "" && o.GetNamespace() != namespace && !clusterScoped(o, nil) {
		refuse("it names namespace %q, but the release goes to %q; leave metadata.namespace out, or use {{ .Namespace }}",
			o.GetNamespace(), namespace)
	}
	if o.GetNamespace() != "" && clusterScoped(o, nil) {
		refuse("%s is cluster-scoped, and it names the namespace %q; leave metadata.namespace out", o.GetKind(), o.GetNamespace())
	}
	if isKind(o, deployment, configMap, secretKind, autoscaler) {
		if wrong := validation.IsDNS1123Subdomain(o.GetName()); len(wrong) > 0 {
			refuse("its name cannot be versioned: %s", strings.Join(wrong, "; "))
		}
	}
	for _, path := range [][]string{{"spec", "selector"}, {"spec", "selector", "matchLabels"}} {
		selector, _, _ := unstructured.NestedMap(o.Object, path...)
		for _, key := range slices.Sorted(maps.Keys(selector)) {
			if strings.HasPrefix(key, labelPrefix) {
				refuse("its selector names %s, which promote sets itself; leave it out", key)
			}
		}
	}
	if isKind(o, deployment) {
		if _, found, _ := unstructured.NestedMap(o.Object, "spec", "template"); !found {
			refuse("it has no spec.template")
		}
	}
	return problems
}

// clusterScoped says that an object belongs to the whole cluster: by what Kubernetes itself has, or by a definition among objs.
// A kind that neither knows is taken for one of namespaces; the cluster knows better when it is asked.
func clusterScoped(o *unstructured.Unstructured, objs []*unstructured.Unstructured) bool {
	if namespaced, known := openapi.IsNamespaceScoped(yaml.TypeMeta{APIVersion: o.GetAPIVersion(), Kind: o.GetKind()}); known {
		return !namespaced
	}
	kind := o.GroupVersionKind()
	return slices.ContainsFunc(objs, func(crd *unstructured.Unstructured) bool {
		spec, _, _ := unstructured.NestedMap(crd.Object, "spec")
		names, _ := spec["names"].(map[string]any)
		return isKind(crd, definition) && spec["group"] == kind.Group && names["kind"] == kind.Kind && spec["scope"] == "Cluster"
	})
}

// definition is the kind that defines kinds.
var definition = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// danglers returns a problem for each object that stays shared but scales or targets a Deployment by a name that changes with
// every release, such as a KEDA ScaledObject. kustomize knows no such reference.
func danglers(objs []*unstructured.Unstructured) []error {
	deployments := map[string]bool{}
	for _, o := range objs {
		if isKind(o, deployment) {
			deployments[o.GetName()] = true
		}
	}
	var problems []error
	for _, o := range objs {
		if isKind(o, deployment, configMap, secretKind, autoscaler) {
			continue
		}
		for _, name := range targets(o.Object) {
			if deployments[name] {
				problems = append(problems, fmt.Errorf("%s: it refers to Deployment %q, whose name changes with every release; "+
					"of such objects only HorizontalPodAutoscalers can be part of a release: use one", subject(o), name))
			}
		}
	}
	return problems
}

// targets returns the names in every {kind: Deployment, name: …} below value, sorted. KEDA's scaleTargetRef means a Deployment where
// it names no kind.
func targets(value any) []string {
	var found []string
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			found = append(found, targets(item)...)
		}
	case map[string]any:
		name, named := v["name"].(string)
		if v["kind"] == deployment.Kind && named {
			found = append(found, name)
		}
		for key, field := range v {
			found = append(found, targets(field)...)
			if to, is := field.(map[string]any); is && key == "scaleTargetRef" && to["kind"] == nil {
				if name, named := to["name"].(string); named {
					found = append(found, name)
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// podSpecs are where the kinds that make pods keep the pod's spec.
var podSpecs = map[schema.GroupKind][]string{
	{Kind: "Pod"}:                        {"spec"},
	{Kind: "ReplicationController"}:      {"spec", "template", "spec"},
	deployment:                           {"spec", "template", "spec"},
	{Group: "apps", Kind: "ReplicaSet"}:  {"spec", "template", "spec"},
	{Group: "apps", Kind: "StatefulSet"}: {"spec", "template", "spec"},
	{Group: "apps", Kind: "DaemonSet"}:   {"spec", "template", "spec"},
	{Group: "batch", Kind: "Job"}:        {"spec", "template", "spec"},
	{Group: "batch", Kind: "CronJob"}:    {"spec", "jobTemplate", "spec", "template", "spec"},
	{Group: "", Kind: "PodTemplate"}:     {"template", "spec"},
}
