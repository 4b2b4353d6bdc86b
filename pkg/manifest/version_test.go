package manifest

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var request = VersionRequest{
	Service: "checkout", Environment: "test", Namespace: "test", Release: "89abcde-012345",
	Commit: input.Commit, Digest: digest, Run: "12/1",
}

func objectsFrom(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	return fill(t, files("app.yaml", strings.ReplaceAll(text, "IMAGE", input.Image)), nil)
}

func version(t *testing.T, text string, change func(*VersionRequest)) *Objects {
	t.Helper()
	req := request
	if change != nil {
		change(&req)
	}
	objects, err := Version(objectsFrom(t, text), req)
	if err != nil {
		t.Fatalf("versioning: %v", err)
	}
	return objects
}

// asYAML writes objects the way testdata holds them.
func asYAML(t *testing.T, objects []*unstructured.Unstructured) string {
	t.Helper()
	var documents []string
	for _, o := range objects {
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(text))
	}
	return strings.Join(documents, "---\n")
}

func find(t *testing.T, objects []*unstructured.Unstructured, name string) *unstructured.Unstructured {
	t.Helper()
	var have []string
	for _, o := range objects {
		if o.GetKind()+"/"+o.GetName() == name {
			return o
		}
		have = append(have, o.GetKind()+"/"+o.GetName())
	}
	t.Fatalf("there is no %s among %v", name, have)
	return nil
}

func list(objects []*unstructured.Unstructured) []string {
	var all []string
	for _, o := range objects {
		all = append(all, o.GetKind()+"/"+o.GetName())
	}
	return all
}

// TestVersionRewritesEveryReference compares a release of everything with testdata/service.want.yaml; run it with
// PROMOTE_UPDATE=1 to write that file anew, and read the diff.
func TestVersionRewritesEveryReference(t *testing.T) {
	text, err := os.ReadFile("testdata/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects := version(t, string(text), nil)
	got := "# versioned\n" + asYAML(t, objects.Versioned) + "# services\n" + asYAML(t, objects.Services) + "# shared\n" + asYAML(t, objects.Shared)
	if os.Getenv("PROMOTE_UPDATE") != "" {
		if err := os.WriteFile("testdata/service.want.yaml", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/service.want.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the release differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"checkout-89abcde-012345"}, objects.Deployments); diff != "" {
		t.Errorf("the Deployments differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]map[string]string{"checkout": {"app": "checkout"}, "checkout-pods": {"app": "checkout"}}, objects.UserSelector); diff != "" {
		t.Errorf("the selectors differ (-want +got):\n%s", diff)
	}
}

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: IMAGE}]}
`

const worker = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  replicas: 2
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec: {containers: [{name: worker, image: IMAGE}]}
`

const webService = "---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}\n"
const webScaler = "---\n{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 9}}\n"

func TestReplicas(t *testing.T) {
	nine := func(req *VersionRequest) { n := int32(9); req.Replicas = &n }
	for name, c := range map[string]struct {
		text        string
		change      func(*VersionRequest)
		web, worker any
	}{
		"stay as written":                          {web + worker + webService, nil, int64(4), int64(2)},
		"change where a Service sends traffic":     {web + worker + webService, nine, int64(9), int64(2)},
		"change everywhere without a Service":      {web + worker, nine, int64(9), int64(9)},
		"are left to the HPA that owns them":       {web + worker + webScaler, nil, nil, int64(2)},
		"are written beside an HPA when asked for": {web + worker + webService + webScaler, nine, int64(9), int64(2)},
	} {
		t.Run(name, func(t *testing.T) {
			objects := version(t, c.text, c.change)
			for name, want := range map[string]any{"Deployment/web-89abcde-012345": c.web, "Deployment/worker-89abcde-012345": c.worker} {
				got := find(t, objects.Versioned, name).Object["spec"].(map[string]any)["replicas"]
				if got != want {
					t.Errorf("%s has %v replicas, want %v", name, got, want)
				}
			}
		})
	}
}

func TestServicesAreThoseInFrontOfTheDeployments(t *testing.T) {
	objects := version(t, web+webService+`---
{apiVersion: v1, kind: Service, metadata: {name: other}, spec: {selector: {app: other}}}
---
{apiVersion: v1, kind: Service, metadata: {name: narrower}, spec: {selector: {app: web, tier: none}}}
---
{apiVersion: v1, kind: Service, metadata: {name: endpoints}, spec: {ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: elsewhere}, spec: {type: ExternalName, externalName: x.example, selector: {app: web}}}
`, nil)
	if diff := cmp.Diff([]string{"Service/web"}, list(objects.Services)); diff != "" {
		t.Errorf("the Services differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Service/other", "Service/narrower", "Service/endpoints", "Service/elsewhere"}, list(objects.Shared)); diff != "" {
		t.Errorf("the shared objects differ (-want +got):\n%s", diff)
	}
}

func TestConfigThatSharedObjectsReferToStaysForThem(t *testing.T) {
	const ingress = "---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, spec: {tls: [{secretName: cert}]}}\n"
	const secret = "---\n{apiVersion: v1, kind: Secret, metadata: {name: cert}, data: {a: eA==}}\n"
	mounting := strings.Replace(web, "spec: {containers", "spec: {volumes: [{name: c, secret: {secretName: cert}}], containers", 1)
	t.Run("alone when only they do", func(t *testing.T) {
		objects := version(t, web+ingress+secret, nil)
		if diff := cmp.Diff([]string{"Deployment/web-89abcde-012345"}, list(objects.Versioned)); diff != "" {
			t.Errorf("the versioned objects differ (-want +got):\n%s", diff)
		}
		if got := at(t, find(t, objects.Shared, "Ingress/web"), "spec", "tls").([]any)[0].(map[string]any)["secretName"]; got != "cert" {
			t.Errorf("the Ingress refers to %v, want cert", got)
		}
		if _, immutable := find(t, objects.Shared, "Secret/cert").Object["immutable"]; immutable {
			t.Error("a shared Secret is immutable, so it can never change")
		}
	})
	t.Run("beside a copy for the Deployment that does too", func(t *testing.T) {
		objects := version(t, mounting+ingress+secret, nil)
		find(t, objects.Shared, "Secret/cert")
		find(t, objects.Versioned, "Secret/cert-89abcde-012345")
	})
	t.Run("and not when only the Deployment does", func(t *testing.T) {
		objects := version(t, mounting+secret, nil)
		if len(objects.Shared) != 0 {
			t.Errorf("shared: %v", list(objects.Shared))
		}
	})
}

func TestValuesDoNotGoThroughKustomize(t *testing.T) {
	for name, value := range nasty {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(web, "image: IMAGE", `image: IMAGE, args: ["{{ secret "x" }}"], env: [{name: V, value: "{{ secret "x" }}"}]`, 1) +
				"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {a: '{{ secret \"x\" }}'}}, data: {v: '{{ secret \"x\" }}'}}\n"
			filled := fill(t, files("app.yaml", strings.ReplaceAll(text, "IMAGE", input.Image)), map[string]string{"secret x": value})
			objects, err := Version(filled, request)
			if err != nil {
				t.Fatal(err)
			}
			container := at(t, find(t, objects.Versioned, "Deployment/web-89abcde-012345"), "spec", "template", "spec", "containers").([]any)[0].(map[string]any)
			config := find(t, objects.Versioned, "ConfigMap/c-89abcde-012345")
			got := []any{container["args"].([]any)[0], container["env"].([]any)[0].(map[string]any)["value"], at(t, config, "data", "v"), config.GetAnnotations()["a"]}
			if diff := cmp.Diff([]any{value, value, value, value}, got); diff != "" {
				t.Errorf("the values differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnnotationsAreNoOrdersToKustomize(t *testing.T) {
	objects := version(t, web+`---
apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  annotations:
    config.kubernetes.io/local-config: "true"
    internal.config.kubernetes.io/previousNames: web,web
    kustomize.config.k8s.io/behavior: replace
`, nil)
	if got := find(t, objects.Versioned, "ConfigMap/c-89abcde-012345").GetAnnotations()["config.kubernetes.io/local-config"]; got != "true" {
		t.Errorf("the annotation is %q, want it kept", got)
	}
}

func TestTheSameReleaseOfAnotherRunHasTheSamePods(t *testing.T) {
	templates := func(run string) any {
		objects := version(t, web, func(req *VersionRequest) { req.Run = run })
		return find(t, objects.Versioned, "Deployment/web-89abcde-012345").Object["spec"]
	}
	if diff := cmp.Diff(templates("1/1"), templates("2/1")); diff != "" {
		t.Errorf("a second run restarts the pods:\n%s", diff)
	}
}

func TestVersionLeavesItsArgumentsAsTheyAre(t *testing.T) {
	objects := objectsFrom(t, web+webService+webScaler+"---\n{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: b}}")
	before := asYAML(t, objects)
	if _, err := Version(objects, request); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, asYAML(t, objects)); diff != "" {
		t.Errorf("the arguments changed (-before +after):\n%s", diff)
	}
}

func TestNothingToVersionIsNothing(t *testing.T) {
	objects, err := Version(nil, request)
	if err != nil || len(objects.Versioned)+len(objects.Shared)+len(objects.Services) != 0 {
		t.Errorf("got %v, %v", objects, err)
	}
}
