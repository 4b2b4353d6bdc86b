//go:build lab

package e2e

import (
	"io"
	"strings"
	"testing"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/secrets"
)

// quiet is a log that nobody reads.
type quiet struct{}

func (quiet) Infof(string, ...any)    {}
func (quiet) Warningf(string, ...any) {}
func (quiet) Group(string) func()     { return func() {} }
func (quiet) Child() io.WriteCloser   { return nil }

const fielded = `{{- if false }}
nothing
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout}
spec:
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      containers:
      - name: app
        image: {{ .Image }}
        EXTRA
---
{apiVersion: v1, kind: Service, metadata: {name: checkout}, spec: {selector: {app: checkout}, ports: [{port: 80}]}}
`

// TestWhatTheAPIServerRefusesHasItsLineInTheTemplate asks a real API server, whose words about fields differ by what is wrong.
func TestWhatTheAPIServerRefusesHasItsLineInTheTemplate(t *testing.T) {
	p := newPlace(t, "test")
	c := p.connect()
	dryRun := func(extra string) error {
		image, err := testImage()
		p.must(image, err)
		_, err = release.Prepare(t.Context(), release.Deps{Cluster: c, Secrets: secrets.Static{}, Log: quiet{}, Mask: func(string) bool { return true }}, release.Request{
			Service: "checkout", Environment: "test", Namespace: p.namespace, Image: image, Run: "1-1", DryRun: true,
			Change: change.Change{Head: strings.Repeat("a", 40)},
			Files:  []manifest.File{{Name: "deploy/app.yaml", Data: []byte(strings.Replace(fielded, "EXTRA", extra, 1))}},
		})
		return err
	}
	for name, test := range map[string]struct{ extra, want string }{
		"a port out of range":    {"ports:\n        - name: http\n          containerPort: 99999", "deploy/app.yaml:17: checking Deployment/"},
		"a field that is needed": {"env:\n        - name: A\n          value: b\n        - value: c", "deploy/app.yaml:18: checking Deployment/"},
		"a value that is none":   {"imagePullPolicy: Sometimes", "deploy/app.yaml:15: checking Deployment/"},
	} {
		t.Run(name, func(t *testing.T) {
			err := dryRun(test.extra)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want it to begin with %q", err, test.want)
			}
		})
	}
	t.Run("and it takes what the table of fields takes", func(t *testing.T) {
		if err := dryRun("lifecycle: {preStop: {sleep: {seconds: 1}}}"); err != nil {
			t.Error(err)
		}
	})
	t.Run("and refuses the fields that the table refuses", func(t *testing.T) {
		rendered, err := manifest.Render([]manifest.File{{Name: "app.yaml", Data: []byte(strings.NewReplacer("EXTRA", "imagee: x", "{{ .Image }}", "x").Replace(fielded))}}, manifest.Input{})
		p.must(rendered, err)
		if rendered.Unknown() == nil {
			t.Fatal("the table takes imagee")
		}
		objects := p.objects(deployment("misspelt", "a", 1))
		spec := objects[0].Object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
		spec["containers"].([]any)[0].(map[string]any)["imagee"] = "x"
		_, err = c.DryRun(t.Context(), objects)
		if err == nil || !strings.Contains(err.Error(), "imagee") {
			t.Fatalf("the API server says %v", err)
		}
		if at := rendered.Locate("Deployment", "checkout", "", err); at != "app.yaml:15" {
			t.Errorf("its words are placed at %q: %v", at, err)
		}
	})
}
