package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// mentions says whether an object refers to another one of its namespace by name: in volumes, projections, environments, image
// pull secrets, accounts, scale targets, backends, certificates, role bindings. It goes by the names of fields, so kinds that it
// does not know are read too; what it takes for a reference and is none only keeps an object from being pruned. What an object
// owns or is owned by is no mention.
func mentions(o *unstructured.Unstructured, kind, name string) bool {
	for field, value := range o.Object {
		if field != "metadata" && field != "status" && mentioned(field, value, kind, name) {
			return true
		}
	}
	return false
}

func mentioned(field string, value any, kind, name string) bool {
	switch v := value.(type) {
	case string:
		return v == name && namedBy(field) == kind
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return mentioned(field, item, kind, name) })
	case map[string]any:
		if v["name"] == name && (v["kind"] == kind || v["kind"] == nil && refersTo(field) == kind) {
			return true
		}
		for key, item := range v {
			if mentioned(key, item, kind, name) {
				return true
			}
		}
	}
	return false
}

// namedBy is the kind of what a field with nothing but a name refers to.
func namedBy(field string) string {
	switch field {
	case "secretName":
		return "Secret"
	case "serviceAccountName", "serviceAccount":
		return "ServiceAccount"
	case "serviceName":
		return "Service"
	}
	return ""
}

// refersTo is the kind of what a field refers to by an object with a name in it.
func refersTo(field string) string {
	lower := strings.ToLower(field)
	switch {
	case field == "imagePullSecrets", field == "secrets", field == "secret", strings.HasSuffix(lower, "secretref"), strings.HasSuffix(lower, "secretkeyref"):
		return "Secret"
	case field == "configMap", strings.HasSuffix(lower, "configmapref"), strings.HasSuffix(lower, "configmapkeyref"):
		return "ConfigMap"
	case field == "service", field == "backendRefs":
		return "Service"
	}
	// A projected volume's sources have both "secret" and "configMap", which the walk comes to by itself.
	return ""
}
