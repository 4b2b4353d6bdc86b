package release

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
)

// lines is a log as text.
type lines struct{ strings.Builder }

func (l *lines) Infof(format string, args ...any) { fmt.Fprintf(l, format+"\n", args...) }
func (l *lines) Warningf(format string, args ...any) {
	fmt.Fprintf(l, "warning: "+format+"\n", args...)
}
func (l *lines) Group(string) func()   { return func() {} }
func (l *lines) Child() io.WriteCloser { return nil }

// serverOf is a cluster of a minor version whose API server refuses what it is asked to apply, with a message.
func serverOf(t *testing.T, minor, refusal string) *cluster.Cluster {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method == http.MethodPatch:
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422, "message": %q}`, refusal)
		case r.URL.Path == "/version":
			_, _ = fmt.Fprintf(w, `{"major": "1", "minor": %q}`, minor)
		case r.URL.Path == "/apis/apps/v1":
			_, _ = w.Write([]byte(`{"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [{"name": "deployments", "kind": "Deployment", "namespaced": true}]}`))
		default:
			_, _ = w.Write([]byte(`{"kind": "List", "apiVersion": "v1", "items": []}`))
		}
	}))
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := "{clusters: [{name: a, cluster: {server: '" + server.URL + "'}}], contexts: [{name: a, context: {cluster: a}}], current-context: a}"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Connect(cluster.Config{Kubeconfig: kubeconfig, Namespace: "test", Outage: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// requestOf asks for a Deployment with a Service; extra lines go into its one container, which begins in line 13.
func requestOf(extra string) Request {
	text := `{{- if false }}
nothing
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: {{ .Image }}
        env: [{name: P, value: {{ secret "db" }}}]
` + extra + `
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
`
	return Request{
		Service: "web", Environment: "test", Namespace: "test", Image: "registry.example/web@sha256:" + strings.Repeat("a", 64),
		Change: change.Change{Head: strings.Repeat("b", 40)}, Files: []manifest.File{{Name: "deploy/web.yaml", Data: []byte(text)}},
	}
}

// noStore fails a test that reads a secret.
type noStore struct{ t *testing.T }

func (s noStore) Resolve(context.Context, []secrets.Ref) (map[secrets.Ref]secrets.Value, error) {
	s.t.Error("a secret was read")
	return nil, nil
}

func (s noStore) ResolveAt(context.Context, map[secrets.Ref]string) (map[secrets.Ref]secrets.Value, error) {
	return s.Resolve(context.Background(), nil)
}

func TestAnUnknownFieldIsRefusedBeforeAnySecretIsRead(t *testing.T) {
	deps := Deps{Cluster: serverOf(t, "34", ""), Secrets: noStore{t}, Log: &lines{}, Mask: func(string) bool { return true }}
	_, err := render(t.Context(), deps, requestOf("        imagee: x"))
	if err == nil || !strings.HasPrefix(err.Error(), `deploy/web.yaml:16: Deployment/web: there is no field "imagee"`) {
		t.Errorf("got %v", err)
	}
	_, err = render(t.Context(), deps, requestOf("        tty: 7"))
	if err == nil || !strings.HasPrefix(err.Error(), `deploy/web.yaml:16: Deployment/web: .spec.template.spec.containers[0].tty must be true or false`) {
		t.Errorf("got %v", err)
	}
}

func TestANewerClusterDecidesOnFieldsThatThisBuildDoesNotKnow(t *testing.T) {
	var log lines
	store := secrets.Static{{Kind: secrets.Secret, ID: "db"}: "hunter2"}
	deps := Deps{Cluster: serverOf(t, fmt.Sprint(manifest.KubernetesMinor+1)+"+", ""), Secrets: store, Log: &log, Mask: func(string) bool { return true }}
	if _, err := render(t.Context(), deps, requestOf("        brandNew: x")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "warning: ") || !strings.Contains(log.String(), "deploy/web.yaml:16") {
		t.Errorf("the log does not say so: %s", log.String())
	}
}

func TestWhatTheAPIServerRefusesBeginsWithItsLine(t *testing.T) {
	const refusal = `Deployment.apps "web" is invalid: spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive`
	deps := Deps{Cluster: serverOf(t, "34", refusal), Secrets: secrets.Static{{Kind: secrets.Secret, ID: "db"}: "hunter2"}, Log: &lines{}, Mask: func(string) bool { return true }}
	out, err := render(t.Context(), deps, requestOf("        ports:\n        - name: http\n          containerPort: 99999"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = deps.Cluster.DryRun(t.Context(), out.objects.Versioned)
	if err == nil {
		t.Fatal("no refusal")
	}
	if got := out.located(err).Error(); !strings.HasPrefix(got, "deploy/web.yaml:18: checking Deployment/test/web-") || !strings.Contains(got, "99999") {
		t.Errorf("got %s", got)
	}
}

func TestWhatCannotBePartOfAReleaseBeginsWithItsLine(t *testing.T) {
	req := requestOf("")
	req.Files[0].Data = []byte(strings.Replace(string(req.Files[0].Data), "{{ .Image }}", "web:latest", 1))
	deps := Deps{Secrets: secrets.Static{{Kind: secrets.Secret, ID: "db"}: "hunter2"}, Log: &lines{}, Mask: func(string) bool { return true }}
	_, err := render(t.Context(), deps, req)
	if err == nil || !strings.HasPrefix(err.Error(), `deploy/web.yaml:4: Deployment/web: the image "web:latest"`) {
		t.Errorf("got %v", err)
	}
	_, shown := Preview(req)
	if shown == nil || shown.Error() != err.Error() {
		t.Errorf("the preview says %v, want %v", shown, err)
	}
}
