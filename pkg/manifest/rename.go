package manifest

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// rename splits objs into versioned and shared ones, and gives the versioned ones names that end with suffix, with every
// reference to them rewritten. A ConfigMap or Secret that shared objects refer to, such as an Ingress to its certificate, stays
// under its own name for them: a release that is removed must not take it away from under them. When Deployments refer to it
// too, there are both.
//
// kustomize knows where Kubernetes objects refer to each other. It gets to see outlines only (see outline), so no value goes
// through its YAML, and its answers are carried over string by string.
func rename(objs []*unstructured.Unstructured, suffix string) (versioned, shared []*unstructured.Unstructured, err error) {
	renamed, deployments := map[string]bool{}, map[string]bool{}
	for _, o := range objs {
		if isKind(o, deployment, configMap, secretKind) {
			renamed[o.GetName()] = true
		}
		if isKind(o, deployment) {
			deployments[o.GetName()] = true
		}
	}
	answers, err := kustomize(objs, renamed)
	if err != nil {
		return nil, nil, err
	}
	byRelease, byShared := map[reference]bool{}, map[reference]bool{}
	for i, o := range objs {
		switch {
		case isKind(o, configMap, secretKind):
		case isKind(o, deployment), deployments[scaled(o)]: // An HPA of a StatefulSet is shared like its target.
			graft(o.Object["spec"], answers[i]["spec"], suffix, byRelease)
			o.SetName(o.GetName() + suffix)
			versioned = append(versioned, o)
		default:
			graft(runtime.DeepCopyJSON(o.Object), answers[i], suffix, byShared)
			shared = append(shared, o)
		}
	}
	for _, o := range objs {
		if !isKind(o, configMap, secretKind) {
			continue
		}
		own := reference{o.GetKind(), o.GetName()}
		if byShared[own] {
			shared = append(shared, o.DeepCopy())
		}
		if byRelease[own] || !byShared[own] {
			o.SetName(o.GetName() + suffix)
			versioned = append(versioned, o)
		}
	}
	return versioned, shared, tooLong(versioned)
}

// tooLong returns a problem for each object whose versioned name is longer than Kubernetes allows.
func tooLong(objs []*unstructured.Unstructured) error {
	const maxName = 253
	var problems []error
	for _, o := range objs {
		if len(o.GetName()) > maxName {
			problems = append(problems, fmt.Errorf("%s: with the release's id the name is longer than %d characters", subject(o), maxName))
		}
	}
	return errors.Join(problems...)
}

// kustomization marks the names of the kinds that a release owns, each kind in its own way; kustomize then marks what refers
// to them. The marks tell a ConfigMap from a Secret of the same name, and are replaced by the release's id afterwards.
const kustomization = `
resources: [objects.yaml]
transformers:
- |-
  apiVersion: builtin
  kind: SuffixTransformer
  metadata: {name: deployments}
  suffix: --Deployment
  fieldSpecs: [{path: metadata/name, group: apps, kind: Deployment}]
- |-
  apiVersion: builtin
  kind: SuffixTransformer
  metadata: {name: configmaps}
  suffix: --ConfigMap
  fieldSpecs: [{path: metadata/name, version: v1, kind: ConfigMap}]
- |-
  apiVersion: builtin
  kind: SuffixTransformer
  metadata: {name: secrets}
  suffix: --Secret
  fieldSpecs: [{path: metadata/name, version: v1, kind: Secret}]
`

// reference is a name that an object refers to, and the kind it means.
type reference struct{ kind, name string }

// kustomize returns the outlines of objs, in their order, as kustomize renamed them. It is not asked about ConfigMaps and Secrets
// that nobody names: they refer to nothing, and its time grows with the square of the objects.
func kustomize(objs []*unstructured.Unstructured, renamed map[string]bool) ([]map[string]any, error) {
	answers := make([]map[string]any, len(objs))
	asked, at := referring(objs)
	given, err := ask(asked, renamed)
	for i, answer := range given {
		answers[at[i]] = answer
	}
	return answers, err
}

// referring are the objects that refer to others and those whose names they hold, and where each stands in objs.
func referring(objs []*unstructured.Unstructured) (found []*unstructured.Unstructured, at []int) {
	named := map[string]bool{}
	for _, o := range objs {
		if !isKind(o, configMap, secretKind) {
			visit(o.Object, nil, func(_ []string, text string) { named[text] = true })
		}
	}
	for i, o := range objs {
		if !isKind(o, configMap, secretKind) || named[o.GetName()] {
			found, at = append(found, o), append(at, i)
		}
	}
	return found, at
}

// ask returns what kustomize makes of the outlines of objs, in their order.
func ask(objs []*unstructured.Unstructured, renamed map[string]bool) ([]map[string]any, error) {
	var documents []string
	for _, o := range objs {
		text, err := yaml.Marshal(outline(o, renamed))
		if err != nil {
			return nil, fmt.Errorf("versioning %s: %w", subject(o), err)
		}
		documents = append(documents, string(text))
	}
	if len(documents) == 0 {
		return nil, nil
	}
	files := filesys.MakeFsInMemory()
	for name, text := range map[string]string{
		"kustomization.yaml": kustomization, "objects.yaml": strings.Join(documents, "---\n"),
	} {
		if err := files.WriteFile(name, []byte(text)); err != nil {
			return nil, fmt.Errorf("versioning the objects: %w", err)
		}
	}
	result, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, ".")
	if err != nil {
		return nil, fmt.Errorf("versioning the objects: %w", err)
	}
	return inOrder(objs, result)
}

// inOrder takes kustomize's answers apart and makes sure that each is the answer to its object.
func inOrder(objs []*unstructured.Unstructured, result resmap.ResMap) ([]map[string]any, error) {
	if result.Size() != len(objs) {
		return nil, fmt.Errorf("versioning the objects: kustomize made %d objects out of %d", result.Size(), len(objs))
	}
	answers := make([]map[string]any, len(objs))
	for i, resource := range result.Resources() {
		if resource.GetKind() != objs[i].GetKind() || !strings.HasPrefix(resource.GetName(), objs[i].GetName()) {
			return nil, fmt.Errorf("versioning %s: kustomize answered with %s/%s", subject(objs[i]), resource.GetKind(), resource.GetName())
		}
		fields, err := resource.Map()
		if err != nil {
			return nil, fmt.Errorf("versioning %s: %w", subject(objs[i]), err)
		}
		answers[i] = fields
	}
	return answers, nil
}

// outline returns the shape of an object with only the strings that can matter for references: what identifies it, and what
// equals one of the names. Annotations of kustomize's own would be orders to it ("local-config" drops the object) and go.
func outline(o *unstructured.Unstructured, names map[string]bool) map[string]any {
	out, _ := blank(o.Object, names).(map[string]any)
	metadata := map[string]any{"name": o.GetName(), "namespace": o.GetNamespace()}
	annotations := map[string]any{}
	for key, value := range o.GetAnnotations() {
		if names[value] && !strings.Contains(key, "config.k") {
			annotations[key] = value
		}
	}
	if len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	out["apiVersion"], out["kind"], out["metadata"] = o.GetAPIVersion(), o.GetKind(), metadata
	if isKind(o, configMap, secretKind) {
		delete(out, "data")
		delete(out, "stringData")
		delete(out, "binaryData")
	}
	return out
}

// blank copies value with "-" for every string that is not one of names.
func blank(value any, names map[string]bool) any {
	switch v := value.(type) {
	case string:
		if names[v] {
			return v
		}
		return "-"
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = blank(item, names)
		}
		return items
	case map[string]any:
		fields := make(map[string]any, len(v))
		for key, field := range v {
			fields[key] = blank(field, names)
		}
		return fields
	}
	return value
}

// graft gives every string that kustomize marked the suffix instead, and notes what it referred to in used.
func graft(object, answer any, suffix string, used map[reference]bool) any {
	switch v := object.(type) {
	case string:
		text, _ := answer.(string)
		for _, kind := range []string{deployment.Kind, configMap.Kind, secretKind.Kind} {
			if text == v+"--"+kind {
				used[reference{kind, v}] = true
				return v + suffix
			}
		}
	case []any:
		items, _ := answer.([]any)
		for i := range min(len(v), len(items)) {
			v[i] = graft(v[i], items[i], suffix, used)
		}
	case map[string]any:
		fields, _ := answer.(map[string]any)
		for key, field := range v {
			v[key] = graft(field, fields[key], suffix, used)
		}
	}
	return object
}
