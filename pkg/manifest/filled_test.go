package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlacesNameWhatIsFilledInAndWhere(t *testing.T) {
	rendered := render(t, files("app.yaml", `
apiVersion: v1
kind: ConfigMap
metadata: {name: app}
data:
  url: pg://app:{{ secret "db" "password" }}@db
  encoded: {{ secret "db" "password" | b64enc }}
  plain: nothing
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: {{ param "n" | int }}
  template: {spec: {containers: [{name: a}, {name: b, args: [x, '{{ secret "key" }}']}]}}
`))
	want := []Place{
		{"ConfigMap", "app", []string{"data", "encoded"}, "(secret db#password)"},
		{"ConfigMap", "app", []string{"data", "url"}, "pg://app:(secret db#password)@db"},
		{"Deployment", "app", []string{"spec", "replicas"}, "(param n)"},
		{"Deployment", "app", []string{"spec", "template", "spec", "containers", "1", "args", "1"}, "(secret key)"},
	}
	if diff := cmp.Diff(want, rendered.Places()); diff != "" {
		t.Error(diff)
	}
}
