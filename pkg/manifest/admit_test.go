package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"another namespace":                 {strings.Replace(web, "name: web}", "name: web, namespace: prod}", 1), []string{`Deployment/prod/web: it names namespace "prod", but the release goes to "test"`}},
		"a cluster's object in a namespace": {web + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: space, namespace: prod}}", []string{`Namespace is cluster-scoped, and it names the namespace "prod"`}},
		"every image without a digest": {
			strings.Replace(web, "containers: [", "initContainers: [{name: i, image: 'busybox:1'}], volumes: [{name: v, image: {reference: 'v:1'}}], containers: [{name: s, image: side}, {name: none}, ", 1) +
				"---\n{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: 'x@sha256:123'}]}}}}}}",
			[]string{`Deployment/web: the image "busybox:1" of initContainer i has no digest`, `"side" of container s`, "container none has no image", `"v:1" of volume v`, `CronJob/c: the image "x@sha256:123" of container c`},
		},
		"a manifest without the image":    {strings.ReplaceAll(web, "IMAGE", "other@sha256:"+strings.Repeat("f", 64)), []string{"no container runs the image of this release (" + digest + ")"}},
		"a selector of promote's":         {web + strings.Replace(webService, "{app: web}", "{promote.dev/release: x}", 1), []string{"Service/web: its selector names promote.dev/release"}},
		"a matchLabels of promote's":      {strings.Replace(web, "matchLabels: {app: web}", "matchLabels: {promote.dev/serve: x}", 1), []string{"Deployment/web: its selector names promote.dev/serve"}},
		"a Deployment without a template": {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}", []string{"Deployment/web: it has no spec.template"}},
		"a name that cannot be longer":    {strings.Replace(web, "name: web}", "name: "+strings.Repeat("w", 240)+"}", 1), []string{"longer than 253 characters"}},
		"a name that is none":             {strings.Replace(web, "name: web}", "name: We_b}", 1), []string{"Deployment/We_b: its name cannot be versioned"}},
		"a scaler kustomize does not know": {web + "---\n{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: s}, spec: {scaleTargetRef: {kind: Deployment, name: web}}}",
			[]string{`ScaledObject/test/s: it refers to Deployment "web", whose name changes with every release`}},
		"a scaler that names no kind": {web + "---\n{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: s}, spec: {scaleTargetRef: {name: web}}}",
			[]string{`ScaledObject/test/s: it refers to Deployment "web", whose name changes with every release`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Version(objectsFrom(t, c.text), request)
			wantError(t, err, c.want...)
		})
	}
	t.Run("a request that makes no names", func(t *testing.T) {
		_, err := Version(nil, VersionRequest{Service: "Check Out", Environment: strings.Repeat("e", 64), Namespace: "-x", Release: ""})
		wantError(t, err, `"Check Out" cannot be the service`, "cannot be the environment", `"-x" cannot be the namespace`, `"" cannot be the release`)
	})
}

func TestWhatBelongsToTheWholeClusterStandsApart(t *testing.T) {
	out, err := Version(objectsFrom(t, web+"---\n"+webService+`---
{apiVersion: v1, kind: Namespace, metadata: {name: space}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: zones.example.com}, spec: {group: example.com, scope: Cluster, names: {kind: Zone, plural: zones}}}
---
{apiVersion: example.com/v1, kind: Zone, metadata: {name: z}}
---
{apiVersion: other.example.com/v1, kind: Zone, metadata: {name: not-defined-here}}
`), request)
	if err != nil {
		t.Fatal(err)
	}
	var whole []string
	for _, o := range out.Cluster {
		whole = append(whole, o.GetKind()+"/"+o.GetNamespace()+"/"+o.GetName())
	}
	if diff := cmp.Diff([]string{"Namespace//space", "CustomResourceDefinition//zones.example.com", "Zone//z"}, whole); diff != "" {
		t.Error(diff)
	}
	for _, o := range out.Shared {
		if o.GetNamespace() != "test" {
			t.Errorf("%s/%s is shared and in namespace %q", o.GetKind(), o.GetName(), o.GetNamespace())
		}
	}
}
