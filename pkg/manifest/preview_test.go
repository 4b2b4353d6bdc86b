package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAPreviewShowsWhatGoesWhere(t *testing.T) {
	text := strings.ReplaceAll(web, "IMAGE", input.Image) + webService + `---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData:
  password: {{ secret "checkout/db" "password" }}
  url: "postgres://u:{{ secret "checkout/db" "password" | urlquery }}@db"
data:
  whole: {{ secret "cert" | b64enc }}
  together: {{ printf "u:%s" (secret "cert") | b64enc }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: {{ param "/limit" | int }}, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: job}
spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {containers: [{name: j, image: {{ param "/image" }}}]}}}}}
`
	out, err := render(t, files("app.yaml", text)).Preview(request)
	if err != nil {
		t.Fatal(err)
	}
	got, err := out.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"password: <secret checkout/db password>\n", "url: postgres://u:<secret checkout/db password | urlquery>@db\n",
		"whole: <secret cert | b64enc>\n", "together: <\"u:<secret cert>\" | b64enc>\n", "maxReplicas: <param /limit | int>\n",
		"image: <param /image>\n", "kind: Service\n", "name: web-" + request.Release + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the preview lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, tokenPrefix) {
		t.Errorf("a token is shown:\n%s", got)
	}
}

func TestAPreviewRefusesWhatVersionRefuses(t *testing.T) {
	rendered := render(t, files("app.yaml", strings.Replace(strings.ReplaceAll(web, "IMAGE", "x:1"), "name: web}", `name: web, namespace: other}`, 1)))
	_, refused := rendered.Preview(request)
	objects, err := rendered.Fill(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, want := Version(objects, request)
	if refused == nil || want == nil {
		t.Fatalf("got %v and %v, want refusals", refused, want)
	}
	if diff := cmp.Diff(want.Error(), refused.Error()); diff != "" {
		t.Errorf("the refusals differ (-want +got):\n%s", diff)
	}
}

// TestYAMLKeepsEveryCharacter reads back what was written. A way over JSON turned U+0085 into a blank.
func TestYAMLKeepsEveryCharacter(t *testing.T) {
	const odd = "a\u0085b\u2028c\ttab 'single' \"double\" # no comment\n\nüß😀\x01 yes"
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "odd"},
		"data": map[string]any{odd: odd, "yes": "0123", "big": int64(1) << 62, "share": 1e-7},
	}}
	text, err := (&Objects{Shared: []*unstructured.Unstructured{o}}).YAML()
	if err != nil {
		t.Fatal(err)
	}
	back, err := parseYAML([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(any(o.Object), back); diff != "" {
		t.Error(diff)
	}
}
