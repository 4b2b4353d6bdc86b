package manifest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// subject names an object: Kind/namespace/name, or Kind/name while it has no namespace.
func subject(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + "/" + o.GetName()
	}
	return o.GetKind() + "/" + o.GetNamespace() + "/" + o.GetName()
}

// duplicates returns a problem for each object that is there twice. The API version does not count: apps/v1 and apps/v1beta1
// name the same object.
func duplicates(objects []object, namespace string) []error {
	type identity struct {
		kind            schema.GroupKind
		namespace, name string
	}
	var problems []error
	first := map[identity]object{}
	for _, o := range objects {
		id := identity{o.GroupVersionKind().GroupKind(), o.GetNamespace(), o.GetName()}
		if id.namespace == "" {
			id.namespace = namespace
		}
		if before, ok := first[id]; ok {
			problems = append(problems, fmt.Errorf("%s: %s is already there, from %s", o.at, subject(o.Unstructured), before.at))
			continue
		}
		first[id] = o
	}
	return problems
}
