package manifest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// selects returns the selector of o when o is a Service that selects pods of a Deployment among objs, and nil otherwise.
func selects(o *unstructured.Unstructured, objs []*unstructured.Unstructured) map[string]string {
	if !isKind(o, service) {
		return nil
	}
	selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
	if kind, _, _ := unstructured.NestedString(o.Object, "spec", "type"); len(selector) == 0 || kind == "ExternalName" {
		return nil
	}
	for _, other := range objs {
		if !isKind(other, deployment) {
			continue
		}
		labels, _, _ := unstructured.NestedStringMap(other.Object, "spec", "template", "metadata", "labels")
		if subset(selector, labels) {
			return selector
		}
	}
	return nil
}

func subset(selector, labels map[string]string) bool {
	for key, value := range selector {
		if have, ok := labels[key]; !ok || have != value {
			return false
		}
	}
	return true
}
