package manifest

import (
	_ "embed" // the table of fields
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// KubernetesMinor is the minor version of Kubernetes (1.x) whose fields this package knows.
const KubernetesMinor = 37

// schemaTable has the fields of Kubernetes' own kinds, a type a line: "apps/v1.DeploymentSpec replicas:int selector:…". It is made
// from k8s.io/api by `make generate`, since the types themselves would add 2 MB to a binary, and this adds a tenth of that.
//
//go:embed schema.txt
var schemaTable string

// schemaTypes are the lines of the table, by the name of their type.
var schemaTypes = sync.OnceValue(func() map[string]string {
	types := map[string]string{}
	for line := range strings.Lines(schemaTable) {
		name, fields, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		types[name] = fields
	}
	return types
})

// fieldsOf returns the fields of a type and their types; ok is false for a type that is not in the table.
func fieldsOf(name string) (fields map[string]string, ok bool) {
	line, ok := schemaTypes()[name]
	if !ok {
		return nil, false
	}
	fields = map[string]string{}
	for _, field := range strings.Fields(line) {
		name, kind, _ := strings.Cut(field, ":")
		fields[name] = strings.ReplaceAll(kind, "_", " ")
	}
	return fields, true
}

// typeOf names the type of a kind in the table.
func typeOf(kind schema.GroupVersionKind) string {
	return kind.GroupVersion().String() + "." + kind.Kind
}
