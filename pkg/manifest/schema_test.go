package manifest

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var update = flag.Bool("update", false, "write schema.txt anew")

// scalars are the types that read themselves from JSON.
var scalars = map[reflect.Type]string{
	reflect.TypeFor[intstr.IntOrString](): "int or string", reflect.TypeFor[resource.Quantity](): "quantity",
	reflect.TypeFor[metav1.Time](): "time", reflect.TypeFor[metav1.MicroTime](): "time", reflect.TypeFor[metav1.Duration](): "string",
	reflect.TypeFor[runtime.RawExtension](): "any", reflect.TypeFor[metav1.FieldsV1](): "any", reflect.TypeFor[[]byte](): "bytes",
}

// typeTable writes the lines of schema.txt.
type typeTable struct {
	t     *testing.T
	lines map[string]string
}

// name names a type as the table does, and adds its line.
func (table *typeTable) name(of reflect.Type) string {
	if scalar, ok := scalars[of]; ok {
		return scalar
	}
	if of.Kind() == reflect.Pointer {
		return table.name(of.Elem())
	}
	if reflect.PointerTo(of).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		table.t.Fatalf("%s reads itself from JSON in a way the table does not know", of)
	}
	switch of.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Float64:
		return "float"
	case reflect.Slice:
		return "[]" + table.name(of.Elem())
	case reflect.Map:
		return "map " + table.name(of.Elem())
	case reflect.Struct:
		parts := strings.Split(of.PkgPath(), "/")
		group, version := parts[len(parts)-2], parts[len(parts)-1]
		name := group + "/" + version + "." + of.Name()
		if _, done := table.lines[name]; !done {
			table.lines[name] = "" // It may contain itself.
			fields := map[string]string{}
			table.fields(of, fields)
			var line []string
			for _, field := range slices.Sorted(maps.Keys(fields)) {
				line = append(line, field+":"+strings.ReplaceAll(fields[field], " ", "_"))
			}
			table.lines[name] = strings.Join(line, " ")
		}
		return name
	}
	table.t.Fatalf("%s is of a kind the table does not know", of)
	return ""
}

func (table *typeTable) fields(of reflect.Type, into map[string]string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported():
		case name == "" && (field.Anonymous || strings.Contains(options, "inline")):
			table.fields(field.Type, into)
		case name == "":
			table.t.Fatalf("%s.%s has no name in JSON", of, field.Name)
		default:
			into[name] = table.name(field.Type)
		}
	}
}

func TestTheTableOfFieldsIsThatOfTheLibrary(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, autoscalingv1.AddToScheme, autoscalingv2.AddToScheme,
		networkingv1.AddToScheme, policyv1.AddToScheme, rbacv1.AddToScheme, schedulingv1.AddToScheme, storagev1.AddToScheme,
		discoveryv1.AddToScheme, coordinationv1.AddToScheme, admissionv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	table := typeTable{t: t, lines: map[string]string{}}
	for kind, of := range scheme.AllKnownTypes() {
		meta, has := of.FieldByName("ObjectMeta")
		if !has || meta.Type != reflect.TypeFor[metav1.ObjectMeta]() || kind.Version == runtime.APIVersionInternal {
			continue
		}
		made := table.name(of)
		if known := typeOf(kind); known != made {
			table.lines[known] = table.lines[made] // "v1.Pod" for "core/v1.Pod", with the group as manifests write it.
		}
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(table.lines)) {
		fmt.Fprintf(&text, "%s %s\n", name, table.lines[name])
	}
	if *update {
		if err := os.WriteFile("schema.txt", []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if schemaTable != text.String() && !*update {
		t.Error("schema.txt is not what k8s.io/api has; run make generate")
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("k8s.io/api v0.%d.", KubernetesMinor); !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not have %s; change KubernetesMinor", want)
	}
}
