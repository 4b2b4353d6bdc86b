package manifest

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/org/promote/pkg/secrets"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var input = Input{
	Service: "checkout", Environment: "test", Namespace: "test", Image: "registry.example/checkout@" + digest, Digest: digest,
	Commit: "89abcdef0123456789abcdef0123456789abcdef", Repository: "org/checkout", PullRequest: 7,
	Values: map[string]any{"replicas": int64(3), "nothing": nil, "hosts": map[string]any{"b": "2", "a": "1", "c": "3", "d": "4"}},
}

func files(nameAndText ...string) []File {
	var all []File
	for i := 0; i < len(nameAndText); i += 2 {
		all = append(all, File{Name: nameAndText[i], Data: []byte(nameAndText[i+1])})
	}
	return all
}

// configMapWith wraps a value expression into data.value of an object whose fields may be of any type.
func configMapWith(value string) []File {
	return files("app.yaml", "apiVersion: example.org/v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  value: "+value+"\n")
}

func render(t *testing.T, all []File) *Rendered {
	t.Helper()
	rendered, err := Render(all, input)
	if err != nil {
		t.Fatalf("rendering: %v", err)
	}
	return rendered
}

// fill renders and fills in, with the same value for every ref that values does not name.
func fill(t *testing.T, all []File, values map[string]string) []*unstructured.Unstructured {
	t.Helper()
	rendered := render(t, all)
	found := map[secrets.Ref]secrets.Value{}
	for _, ref := range rendered.Refs() {
		found[ref] = secrets.Value{Data: secrets.Bytes(values[ref.String()]), Version: "v1"}
	}
	objects, err := rendered.Fill(found)
	if err != nil {
		t.Fatalf("filling in: %v", err)
	}
	return objects
}

// ones is the value "1" for every ref: it fits as text and as a number.
func ones(rendered *Rendered) map[secrets.Ref]secrets.Value {
	found := map[secrets.Ref]secrets.Value{}
	for _, ref := range rendered.Refs() {
		found[ref] = secrets.Value{Data: secrets.Bytes("1"), Version: "v1"}
	}
	return found
}

func at(t *testing.T, o *unstructured.Unstructured, path ...string) any {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(o.Object, path...)
	if err != nil || !found {
		t.Fatalf("%s has no %v (%v)", subject(o), path, err)
	}
	return value
}

// wantError fails unless err holds every part.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q:\n%v", part, err)
		}
	}
	if strings.Contains(err.Error(), tokenPrefix) {
		t.Errorf("the error shows a token instead of what it stands for:\n%v", err)
	}
}
