//go:build lab

package e2e

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

const config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {colour: blue}"

func TestClusterPreflight(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "stage")
	kinds := []schema.GroupVersionKind{{Group: "apps", Version: "v1", Kind: "Deployment"}, {Version: "v1", Kind: "Secret"}, {Version: "v1", Kind: "Service"}}
	t.Run("finds nothing wrong with the documented Role", func(t *testing.T) {
		p := p.in(t)
		if err := p.connect().Preflight(t.Context(), "stage", kinds); err != nil {
			t.Error(err)
		}
	})
	t.Run("refuses another environment and names the runner", func(t *testing.T) {
		p := p.in(t)
		err := p.connect().Preflight(t.Context(), "prod", kinds)
		var wrong *cluster.WrongEnvironmentError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), `is the environment "stage", not "prod"`) || !strings.Contains(err.Error(), "promote-prod") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses a namespace that the account does not reach", func(t *testing.T) {
		p := p.in(t)
		c := p.connect(func(cfg *cluster.Config) { cfg.Namespace = "prod" })
		if err := c.Preflight(t.Context(), "prod", kinds); err == nil || !strings.Contains(err.Error(), "runner label") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("names every missing right and every kind that cannot be, at once", func(t *testing.T) {
		p := p.in(t)
		roles := p.admin.RbacV1().Roles(p.namespace)
		role, err := roles.Get(t.Context(), "promote", metav1.GetOptions{})
		p.must(role, err)
		kept := role.DeepCopy()
		for i, r := range kept.Rules {
			switch r.Resources[0] {
			case "pods/portforward":
				kept.Rules[i].Verbs = []string{"get"}
			case "services":
				kept.Rules[i].Verbs = []string{"get", "list", "create", "delete"}
			}
		}
		p.must(roles.Update(t.Context(), kept, metav1.UpdateOptions{}))
		defer func() {
			role.ResourceVersion = ""
			p.must(roles.Update(t.Context(), role, metav1.UpdateOptions{}))
		}()
		more := append(slices.Clone(kinds), schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Thing"}, schema.GroupVersionKind{Group: "scheduling.k8s.io", Version: "v1", Kind: "PriorityClass"})
		err = p.connect().Preflight(t.Context(), "stage", more)
		for _, want := range []string{"create pods/portforward", "patch services", "example.com/v1", "belong to the whole cluster", "docs/role.yaml"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v\nwithout %s", err, want)
			}
		}
	})
}

func TestClusterApply(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	actions := func(p *place, text string) []cluster.Action {
		p.t.Helper()
		applied, err := c.Apply(t.Context(), p.objects(text))
		p.must(applied, err)
		var out []cluster.Action
		for _, a := range applied {
			out = append(out, a.Action)
		}
		return out
	}
	t.Run("says created, unchanged, configured", func(t *testing.T) {
		p := p.in(t)
		got := append(actions(p, config), actions(p, config)...)
		got = append(got, actions(p, strings.ReplaceAll(config, "blue", "red"))...)
		if diff := cmp.Diff([]cluster.Action{cluster.Created, cluster.Unchanged, cluster.Configured}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a dry run shows the difference and changes nothing", func(t *testing.T) {
		p := p.in(t)
		changes, err := c.DryRun(t.Context(), p.objects(strings.ReplaceAll(config, "blue", "green")+"\n---\n"+strings.ReplaceAll(config, "name: conf", "name: other")))
		p.must(changes, err)
		if !strings.Contains(changes[0].Diff, "-  colour: red\n+  colour: green") || changes[0].Action != cluster.Configured || changes[1].Action != cluster.Created {
			t.Errorf("got %v", changes)
		}
		live, err := p.admin.CoreV1().ConfigMaps(p.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=other"})
		p.must(live, err)
		if len(live.Items) > 0 {
			t.Error("the dry run made an object")
		}
	})
	t.Run("a field of another manager is a conflict that names it", func(t *testing.T) {
		p := p.in(t)
		p.must(p.admin.CoreV1().ConfigMaps(p.namespace).Patch(t.Context(), "conf", types.MergePatchType, []byte(`{"data":{"colour":"black"}}`), metav1.PatchOptions{FieldManager: "somebody"}))
		_, err := c.Apply(t.Context(), p.objects(config))
		var conflict *cluster.ConflictError
		if !errors.As(err, &conflict) || !strings.Contains(err.Error(), `"somebody" owns .data.colour`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what promote scaled itself is no conflict", func(t *testing.T) {
		p := p.in(t)
		text := deployment("own", "a", 0)
		p.apply(c, text)
		if err := c.Scale(t.Context(), "own", 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Scale(t.Context(), "own", 0); err != nil {
			t.Fatal(err)
		}
		if err := c.Scale(t.Context(), "own", 1); err != nil {
			t.Fatal(err)
		}
		p.apply(c, text)
		if n, _, err := c.Replicas(t.Context(), "own"); err != nil || n != 0 {
			t.Errorf("%d replicas, %v", n, err)
		}
	})
	t.Run("replicas that an autoscaler owns stay", func(t *testing.T) {
		p := p.in(t)
		text := deployment("hpa", "a", 1) + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: hpa}\n" +
			"spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: hpa}}"
		p.apply(c, text)
		p.must(p.admin.AppsV1().Deployments(p.namespace).Patch(t.Context(), "hpa", types.MergePatchType, []byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{FieldManager: "autoscaler"}))
		p.apply(c, text)
		if n, _, err := c.Replicas(t.Context(), "hpa"); err != nil || n != 2 {
			t.Errorf("%d replicas, %v", n, err)
		}
	})
	t.Run("fields that kubectl apply wrote and the manifest lacks go away", func(t *testing.T) {
		p := p.in(t)
		name := "old"
		object := p.objects("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {stays: x, goes: x}")[0]
		data, err := object.MarshalJSON()
		p.must(data, err)
		p.must(p.admin.CoreV1().RESTClient().Post().Namespace(p.namespace).Resource("configmaps").Param("fieldManager", "kubectl-client-side-apply").
			SetHeader("Content-Type", "application/json").Body(data).Do(t.Context()).Raw())
		p.apply(c, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {stays: new}")
		live, err := p.admin.CoreV1().ConfigMaps(p.namespace).Get(t.Context(), name, metav1.GetOptions{})
		p.must(live, err)
		if diff := cmp.Diff(map[string]string{"stays": "new"}, live.Data); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("every refusal comes at once, with the object's name", func(t *testing.T) {
		p := p.in(t)
		_, err := c.DryRun(t.Context(), p.objects(strings.ReplaceAll(config, "\ndata:", "\ndota:")+"\n---\n"+
			strings.ReplaceAll(service, "port: 80", "port: 80000")+"---\n"+strings.ReplaceAll(config, "v1", "nosuch/v1")))
		for _, want := range []string{"ConfigMap/" + p.namespace + "/conf", "dota", "Service/" + p.namespace + "/checkout", "80000", `"nosuch/v1"`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v\nwithout %s", err, want)
			}
		}
	})
	t.Run("a Secret's value never shows in an error or a diff", func(t *testing.T) {
		p := p.in(t)
		secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: correct-horse}"
		p.apply(c, secret)
		changes, err := c.DryRun(t.Context(), p.objects(strings.ReplaceAll(secret, "horse", "battery")))
		p.must(changes, err)
		_, err = c.DryRun(t.Context(), p.objects("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: 'not base64: correct-horse'}"))
		if err == nil {
			t.Fatal("a value that is not base64 was accepted")
		}
		for _, text := range []string{changes[0].Diff, err.Error()} {
			if text == "" || strings.Contains(text, "correct-horse") || strings.Contains(text, "Y29ycmVjdC") {
				t.Errorf("got %q", text)
			}
		}
	})
}

func TestClusterDelete(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	made := strings.ReplaceAll(config, "{name: conf}", "{name: made, labels: {promote.dev/release: a}}")
	t.Run("an object that another took the name of is left alone", func(t *testing.T) {
		p := p.in(t)
		refs := p.apply(c, config)
		p.must(nil, p.admin.CoreV1().ConfigMaps(p.namespace).Delete(t.Context(), "conf", metav1.DeleteOptions{}))
		p.apply(c, config)
		if err := c.Delete(t.Context(), refs); err != nil {
			t.Error(err)
		}
		if _, err := p.admin.CoreV1().ConfigMaps(p.namespace).Get(t.Context(), "conf", metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("without a UID only what promote made for a release is deleted", func(t *testing.T) {
		p := p.in(t)
		p.apply(c, made)
		refs := []cluster.ObjectRef{
			{APIVersion: "v1", Kind: "ConfigMap", Namespace: p.namespace, Name: "made"},
			{APIVersion: "v1", Kind: "ConfigMap", Namespace: p.namespace, Name: "kube-root-ca.crt"},
			{APIVersion: "v1", Kind: "ConfigMap", Namespace: p.namespace, Name: "never-was"},
		}
		err := c.Delete(t.Context(), refs)
		if err == nil || !strings.Contains(err.Error(), "kube-root-ca.crt") || strings.Contains(err.Error(), "made:") {
			t.Errorf("got %v", err)
		}
		if err := c.AwaitGone(t.Context(), refs[:1]); err != nil {
			t.Error(err)
		}
	})
	t.Run("what is deleted takes what it owns along", func(t *testing.T) {
		p := p.in(t)
		refs := p.apply(c, deployment("gone", "z", 1))
		p.ready(c, refs)
		if err := errors.Join(c.Delete(t.Context(), refs), c.AwaitGone(t.Context(), refs), c.Delete(t.Context(), refs)); err != nil {
			t.Fatal(err)
		}
		for {
			pods, err := c.Pods(t.Context(), "z")
			p.must(pods, err)
			if len(pods) == 0 {
				break
			}
		}
	})
}
