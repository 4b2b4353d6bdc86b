//go:build lab

package e2e

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// plain is a service's manifests, with places for what the tests get wrong.
const plain = `apiVersion: apps/v1
kind: Deployment
metadata: {name: plain, labels: {app: plain}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain}}
    spec:
      containers:
        - {name: plain, image: "{{ .Image }}", ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: plain}
spec: {selector: {app: plain}, ports: [{port: 80, targetPort: 8080}]}
`

// TestBadInputIsOneClearError is point 5 of the first milestone: each mistake gives one error that names what to change,
// and leaves cluster and registry as they were.
func TestBadInputIsOneClearError(t *testing.T) {
	t.Parallel()
	h, p := newHub(t), newPlace(t, "test")
	h.commit("main", map[string]string{"README.md": "plain\n"})
	_, head, opened := h.pull("change", map[string]string{
		"deploy/plain.yaml":         plain,
		"missing/plain.yaml":        strings.Replace(plain, ".Values.replicas", ".Values.replicaz", 1),
		"unknown-secret/plain.yaml": plain + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {key: '{{ secret \"no/such/secret\" }}'}\n",
		"Dockerfile":                "FROM scratch\nCOPY README.md /\n",
	})
	repository, toBuild := h.repository("plain"), h.repository("plain-build")
	exists := h.push(repository, head)
	nowhere := "127.0.0.1:1/plain"
	deploy := map[string]string{
		"environment": "test", "service": "plain", "image": repository, "digest": exists, "manifests": "deploy",
		"values": "replicas: 1", "timeout": "20s", "namespace": p.namespace, "kubeconfig": p.kubeconfig,
	}
	build := map[string]string{"image": toBuild}

	for _, tc := range []struct {
		name, action string
		inputs       map[string]string
		change       map[string]string
		want         []string
	}{
		{"a missing required input", "deploy", deploy, map[string]string{"service": ""}, []string{"service"}},
		{"an unknown builder", "build", build, map[string]string{"builder": "kaniko"}, []string{"builder", "kaniko", "buildx"}},
		{"a template with a missing key", "deploy", deploy, map[string]string{"manifests": "missing"}, []string{"plain.yaml:5", "replicaz"}},
		{"an unknown secret", "deploy", deploy, map[string]string{"manifests": "unknown-secret"}, []string{"no/such/secret"}},
		{"an unreachable registry on build", "build", build, map[string]string{"image": nowhere}, []string{"127.0.0.1:1", "image"}},
		{"an unreachable registry on deploy", "deploy", deploy, map[string]string{"image": nowhere}, []string{"127.0.0.1:1", "image"}},
		{"an image that does not exist", "deploy", deploy, map[string]string{"digest": "sha256:" + strings.Repeat("0", 64)}, []string{"sha256:0000", "digest"}},
		{"a runner of another environment", "deploy", deploy, map[string]string{"environment": "stage"}, []string{"runner", "stage", "runs-on"}},
		{"a canary without a service", "canary", nil, map[string]string{"environment": "test"}, []string{"service", "image", "manifests"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h.t = t
			inputs := maps.Clone(tc.inputs)
			if inputs == nil {
				inputs = map[string]string{}
			}
			maps.Copy(inputs, tc.change)
			before, images := h.snapshot(p.namespace), h.tags(repository)+h.tags(toBuild)
			res := h.run(tc.action, opened, inputs)
			if res.code != 1 {
				t.Errorf("exit code %d, want 1\n%s", res.code, res.output)
			}
			errors := annotations(res.output)
			if len(errors) == 0 {
				t.Fatalf("no ::error in the output:\n%s", res.output)
			}
			if tc.name != "a canary without a service" && len(errors) != 1 {
				t.Errorf("%d errors, want one:\n%s", len(errors), strings.Join(errors, "\n"))
			}
			for _, want := range tc.want {
				if !strings.Contains(strings.Join(errors, "\n"), want) {
					t.Errorf("the error does not name %q:\n%s", want, strings.Join(errors, "\n"))
				}
			}
			if after := h.snapshot(p.namespace); after != before {
				t.Errorf("the cluster changed from\n%s\nto\n%s", before, after)
			}
			if after := h.tags(repository) + h.tags(toBuild); after != images {
				t.Errorf("the registry changed from\n%s\nto\n%s", images, after)
			}
		})
	}
}

// annotations are the lines that GitHub shows as errors.
func annotations(output string) []string {
	var found []string
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "::error") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// tags is what the registry answers for a repository's tags.
func (h *hub) tags(repository string) string {
	h.t.Helper()
	host, path, _ := strings.Cut(repository, "/")
	res, err := http.Get("http://" + host + "/v2/" + path + "/tags/list")
	h.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	h.must(err)
	return string(body) + "\n"
}

// push puts a small image of its own into a repository under the commit's tag, and returns its digest.
func (h *hub) push(repository, commit string) string {
	h.t.Helper()
	image, err := random.Image(64, 1)
	h.must(err)
	tag, err := name.NewTag(repository + ":" + commit)
	h.must(err)
	h.must(remote.Write(tag, image))
	digest, err := image.Digest()
	h.must(err)
	return digest.String()
}
