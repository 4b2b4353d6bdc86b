package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRender200Documents is the case that `helm template` takes 0.086 s for.
func BenchmarkRender200Documents(b *testing.B) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "---\n"+`apiVersion: apps/v1
kind: Deployment
metadata: {name: app-%d, labels: {app: {{ .Service | quote }}}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: {{ .Image }}
        env:
        - {name: PASSWORD, value: {{ secret "app/db" "password" | quote }}}
        - {name: NAME, value: {{ printf "%%s-%%s" .Environment .Service | upper | quote }}}
`, i)
	}
	all := files("app.yaml", text.String())
	for b.Loop() {
		rendered, err := Render(all, input)
		if err != nil {
			b.Fatal(err)
		}
		if len(rendered.objects) != 200 {
			b.Fatalf("%d objects", len(rendered.objects))
		}
	}
}

func BenchmarkVersionOneService(b *testing.B) {
	rendered, err := Render(files("app.yaml", strings.ReplaceAll(web+webService+webScaler, "IMAGE", input.Image)), input)
	if err != nil {
		b.Fatal(err)
	}
	objects, err := rendered.Fill(nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Version(objects, request); err != nil {
			b.Fatal(err)
		}
	}
}
