package release

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
)

const service1 = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: "{{ .Image }}", env: [{name: PIN, value: '{{ secret "app" "pin" }}'}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: app, annotations: {key: '{{ secret "app" "key" }}', size: '{{ param "/size" }}'}}
spec: {selector: {app: app}, ports: [{port: 80}]}
`

// warnings remembers what it is warned of.
type warnings struct {
	memory
	said []string
}

func (w *warnings) Warningf(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func TestRenderMasksFirstAndHidesByPlace(t *testing.T) {
	var log warnings
	var masked []string
	out, err := render(t.Context(), Deps{
		Log: &log,
		Secrets: secrets.Static{
			{Kind: secrets.Secret, ID: "app", Key: "pin"}: "123", {Kind: secrets.Secret, ID: "app", Key: "key"}: "long enough", {Kind: secrets.Param, ID: "/size"}: "3",
		},
		Mask: func(value string) bool { masked = append(masked, value); return len(value) > 3 },
	}, Request{
		Service: "app", Environment: "test", Namespace: "test", Image: "registry.example.com/app@sha256:" + strings.Repeat("0", 64),
		Change: change.Change{Head: strings.Repeat("a", 40)}, Files: []manifest.File{{Name: "app.yaml", Data: []byte(service1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(masked) != 3 {
		t.Errorf("%d values are masked, want all 3", len(masked))
	}
	t.Run("a secret that is too short to be masked is named, a setting is not", func(t *testing.T) {
		if len(log.said) != 1 || !strings.HasPrefix(log.said[0], "secret app#pin: ") || strings.Contains(log.said[0], "123") {
			t.Errorf("warned of %q", log.said)
		}
	})
	t.Run("its place is hidden in the versioned object", func(t *testing.T) {
		want := cluster.Filled{
			Kind: "Deployment", Name: "app-" + out.id, Shown: "(secret app#pin)",
			Path: []string{"spec", "template", "spec", "containers", "0", "env", "0", "value"},
		}
		found := false
		for _, f := range out.filled {
			found = found || cmp.Equal(f, want)
		}
		if !found {
			t.Errorf("%v is not among %v", want, out.filled)
		}
	})
}
