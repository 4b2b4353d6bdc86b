//go:build lab

package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// managed makes objects as another tool does that applies them server-side under its own name, as Helm 4 does.
func (p *place) managed(manager, text string) {
	p.t.Helper()
	for _, o := range p.objects(text) {
		o.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})
		data, err := o.MarshalJSON()
		p.must(data, err)
		group := "/api/" + o.GetAPIVersion()
		if strings.Contains(o.GetAPIVersion(), "/") {
			group = "/apis/" + o.GetAPIVersion()
		}
		p.must(p.admin.CoreV1().RESTClient().Patch(types.ApplyPatchType).AbsPath(group, "namespaces", p.namespace, strings.ToLower(o.GetKind())+"s", o.GetName()).
			Param("fieldManager", manager).Body(data).Do(p.t.Context()).Raw())
	}
}

// TestWhatHelmInstalledIsAdopted does what docs/migrate.md says of Helm: the same objects are taken over as they are; where the
// manifests say otherwise it is a conflict, and force decides it.
func TestWhatHelmInstalledIsAdopted(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	d.p.managed("helm", strings.ReplaceAll(web(2, "-version=one")+serving("web"), "{{ .Image }}", "{{.}}"))
	d.p.awaitReady("web", 2)
	before := d.pods("app=web")

	t.Run("a port that Helm set otherwise is a conflict that names Helm", func(t *testing.T) {
		d := d.in(t)
		other := d.commitManifest(web(2, "-version=two") + strings.ReplaceAll(serving("web"), "targetPort: 8080", "targetPort: 8081"))
		res := d.deploy(other, nil)
		if said := errorsIn(res.output); res.code != 1 || !strings.Contains(said, `"helm" owns`) || !strings.Contains(said, "`force") {
			t.Errorf("exit code %d\n%s", res.code, res.output)
		}
		after := d.pods("app=web")
		for _, was := range before {
			if !has(after, was) {
				t.Errorf("Pod %s is gone or was restarted", was.Name)
			}
		}
	})
	t.Run("the same objects are adopted", func(t *testing.T) {
		d := d.in(t)
		res := d.mustDeploy(d.commitManifest(web(2, "-version=two")+serving("web")), nil)
		if d.selects("web") != res.outputs["release"] || !strings.HasPrefix(res.outputs["previous"], "adopted-") {
			t.Errorf("the Service selects %q, outputs %v", d.selects("web"), res.outputs)
		}
	})
	t.Run("what promote does not version stays, and is Helm's", func(t *testing.T) {
		_, err := d.p.admin.CoreV1().ConfigMaps(d.p.namespace).Get(t.Context(), "web", metav1.GetOptions{})
		d.must(err)
	})
	t.Run("with force the manifest decides", func(t *testing.T) {
		d := d.in(t)
		labelled := strings.ReplaceAll(serving("web"), "metadata: {name: web}", `metadata: {name: web, labels: {app.kubernetes.io/managed-by: promote}}`)
		d.mustDeploy(d.commitManifest(web(2, "-version=three")+labelled), map[string]string{"force": "true"})
		s, err := d.p.admin.CoreV1().Services(d.p.namespace).Get(t.Context(), "web", metav1.GetOptions{})
		d.must(err)
		if got := s.Labels["app.kubernetes.io/managed-by"]; got != "promote" {
			t.Errorf("the label is %q", got)
		}
	})
}

// orphan is what `kubectl delete rollout --cascade=orphan` leaves: a ReplicaSet whose pods carry the label of Argo's, and a Service
// that selects by it.
const orphan = `apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-7bf84f9696, labels: {app: web, rollouts-pod-template-hash: 7bf84f9696}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web, rollouts-pod-template-hash: 7bf84f9696}}
  template:
    metadata: {labels: {app: web, rollouts-pod-template-hash: 7bf84f9696}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: {{.}}
        args: [-version=one]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web, rollouts-pod-template-hash: 7bf84f9696}, ports: [{port: 80, targetPort: 8080}]}
`

// TestWhatARolloutLeftIsAdopted does what docs/migrate.md says of Argo Rollouts, from where the Rollout is gone.
func TestWhatARolloutLeftIsAdopted(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	for _, o := range d.p.objects(orphan) {
		d.p.create(o)
	}
	text := web(2, "-version=two") + serving("web")

	t.Run("before the steps it is refused, and nothing changes", func(t *testing.T) {
		d := d.in(t)
		res := d.deploy(d.commitManifest(text), nil)
		if res.code != 1 || !strings.Contains(errorsIn(res.output), "was not made by promote") {
			t.Errorf("exit code %d\n%s", res.code, res.output)
		}
	})
	ctx, services := t.Context(), d.p.admin.CoreV1().Services(d.p.namespace)
	_, err := services.Patch(ctx, "web", types.JSONPatchType, []byte(`[{"op":"remove","path":"/spec/selector/rollouts-pod-template-hash"}]`), metav1.PatchOptions{})
	d.must(err)
	for _, o := range d.p.objects(strings.ReplaceAll(web(2, "-version=one"), "{{ .Image }}", "{{.}}")) {
		d.p.create(o)
	}
	d.p.awaitReady("web", 2)
	d.must(d.p.admin.AppsV1().ReplicaSets(d.p.namespace).Delete(ctx, "web-7bf84f9696", metav1.DeleteOptions{}))
	res := d.mustDeploy(d.commitManifest(strings.ReplaceAll(text, "-version=two", "-version=three")), nil)
	if d.selects("web") != res.outputs["release"] || !strings.HasPrefix(res.outputs["previous"], "adopted-") {
		t.Errorf("the Service selects %q, outputs %v", d.selects("web"), res.outputs)
	}
	for _, pod := range d.pods("app=web") {
		if pod.Labels["rollouts-pod-template-hash"] != "" && pod.Status.Phase == corev1.PodRunning {
			t.Errorf("Pod %s of the Rollout still runs", pod.Name)
		}
	}
}
