//go:build lab

package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/cluster"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// owned is a ConfigMap of a service.
func owned(name, service, colour string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", labels: {promote.dev/service: " + service + "}}\ndata: {colour: " + colour + "}"
}

// TestClusterManagers is about who owns fields.
func TestClusterManagers(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	ctx := t.Context()
	maps := p.admin.CoreV1().ConfigMaps(p.namespace)
	t.Run("two services with an object of the same name: the second is refused and told", func(t *testing.T) {
		p := p.in(t)
		p.apply(c, owned("same", "one", "blue"))
		_, err := c.DryRun(ctx, p.objects(owned("same", "two", "red")))
		if err == nil || !strings.Contains(err.Error(), `"promote-one" owns`) {
			t.Errorf("the dry run gave %v", err)
		}
		if _, err := c.Apply(ctx, p.objects(owned("same", "two", "red"))); err == nil || !strings.Contains(err.Error(), `"promote-one" owns`) {
			t.Errorf("the apply gave %v", err)
		}
	})
	// What a version before applied was owned by "promote", whoever's it was.
	before := func(name, service string) {
		_, err := maps.Patch(ctx, name, types.ApplyPatchType, []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"`+name+`","labels":{"promote.dev/service":"`+service+
			`"}},"data":{"colour":"blue","goes":"x"}}`), metav1.PatchOptions{FieldManager: cluster.FieldManager})
		p.must(nil, err)
	}
	t.Run("what an earlier version applied is taken over, and what the manifest lacks goes", func(t *testing.T) {
		p := p.in(t)
		before("old", "one")
		p.apply(c, owned("old", "one", "red"))
		live, err := maps.Get(ctx, "old", metav1.GetOptions{})
		p.must(live, err)
		if diff := cmp.Diff(map[string]string{"colour": "red"}, live.Data); diff != "" {
			t.Error(diff)
		}
		for _, f := range live.ManagedFields {
			if f.Manager != "promote-one" {
				t.Errorf("%s still owns fields", f.Manager)
			}
		}
	})
	t.Run("what an earlier version applied for another service is that service's", func(t *testing.T) {
		p := p.in(t)
		before("theirs", "one")
		_, err := c.Apply(ctx, p.objects(owned("theirs", "two", "red")))
		var conflict *cluster.ConflictError
		if !errors.As(err, &conflict) || conflict.Service != "one" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("force takes what others own, and says from whom; without it the error names the input", func(t *testing.T) {
		p := p.in(t)
		p.apply(c, owned("forced", "one", "blue"))
		p.must(maps.Patch(ctx, "forced", types.MergePatchType, []byte(`{"data":{"colour":"black"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"}))
		_, err := c.Apply(ctx, p.objects(owned("forced", "one", "blue")))
		if err == nil || !strings.Contains(err.Error(), `"kubectl-edit" owns .data.colour`) || !strings.Contains(err.Error(), "input `force`") {
			t.Errorf("got %v", err)
		}
		forcing := p.connect(func(cfg *cluster.Config) { cfg.Force = true })
		applied, err := forcing.Apply(ctx, p.objects(owned("forced", "one", "blue")))
		p.must(applied, err)
		if text := applied[0].String(); !strings.Contains(text, `with fields taken from others: "kubectl-edit" owns .data.colour`) {
			t.Errorf("got %s", text)
		}
		live, err := maps.Get(ctx, "forced", metav1.GetOptions{})
		p.must(live, err)
		if live.Data["colour"] != "blue" {
			t.Errorf("got %v", live.Data)
		}
	})
	t.Run("members carry the label of the set whose parent is the state", func(t *testing.T) {
		p := p.in(t)
		refs := p.apply(c, owned("part", "one", "blue"))
		p.must(nil, c.SaveState(ctx, &cluster.State{Service: "one", Shared: []cluster.Member{{ObjectRef: refs[0], Made: true}}}))
		part, err := maps.Get(ctx, "part", metav1.GetOptions{})
		p.must(part, err)
		parent, err := maps.Get(ctx, "promote-one", metav1.GetOptions{})
		p.must(parent, err)
		id := parent.Labels["applyset.kubernetes.io/id"]
		if id == "" || part.Labels["applyset.kubernetes.io/part-of"] != id || parent.Annotations["applyset.kubernetes.io/contains-group-kinds"] != "ConfigMap" {
			t.Errorf("parent %v %v, member %v", parent.Labels, parent.Annotations, part.Labels)
		}
	})
	t.Run("an object of another set is refused", func(t *testing.T) {
		p := p.in(t)
		p.must(maps.Patch(ctx, "claimed", types.ApplyPatchType, []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"claimed","labels":{"applyset.kubernetes.io/part-of":"applyset-x-v1"}}}`),
			metav1.PatchOptions{FieldManager: "other"}))
		forcing := p.connect(func(cfg *cluster.Config) { cfg.Force = true })
		if _, err := forcing.DryRun(ctx, p.objects(owned("claimed", "one", "blue"))); err == nil || !strings.Contains(err.Error(), "belongs to the ApplySet applyset-x-v1") {
			t.Errorf("got %v", err)
		}
	})
}

const things = `apiVersion: v1
kind: ServiceAccount
metadata: {name: used, labels: {promote.dev/service: checkout}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: unused, labels: {promote.dev/service: checkout}}
---
apiVersion: v1
kind: Secret
metadata: {name: certificate, labels: {promote.dev/service: checkout}}
data: {}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: dropped, labels: {promote.dev/service: checkout}}
spec: {defaultBackend: {service: {name: internal, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: kept, labels: {team: shop}}
spec: {defaultBackend: {service: {name: backend, port: {number: 80}}}, tls: [{secretName: certificate}]}
---
apiVersion: v1
kind: Service
metadata: {name: internal, labels: {promote.dev/service: checkout}}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: backend, labels: {promote.dev/service: checkout}}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: serving, labels: {promote.dev/service: checkout}}
spec: {selector: {app: checkout}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: relabelled, labels: {promote.dev/service: checkout}}
`

// TestClusterPrune drops everything from the manifests at once: what something alive needs stays, with the reason.
func TestClusterPrune(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	ctx := t.Context()
	refs := p.apply(c, things+"---\n"+strings.Replace(deployment("user", "a", 1), "terminationGracePeriodSeconds: 5", "terminationGracePeriodSeconds: 5\n      serviceAccountName: used", 1))
	p.must(p.admin.CoreV1().ConfigMaps(p.namespace).Patch(ctx, "relabelled", types.MergePatchType, []byte(`{"metadata":{"labels":{"applyset.kubernetes.io/part-of":"theirs"}}}`), metav1.PatchOptions{}))
	var members []cluster.Member
	for _, r := range refs {
		if r.Kind != "Deployment" && r.Name != "kept" {
			members = append(members, cluster.Member{ObjectRef: r, Made: true})
		}
	}
	for pods := 0; pods == 0; {
		list, err := c.Pods(ctx, "a")
		p.must(list, err)
		pods = len(list)
	}
	prune := func(gone ...string) map[string]string {
		results, err := c.Prune(ctx, "checkout", members, gone)
		p.must(results, err)
		kept := map[string]string{}
		for _, r := range results {
			kept[r.Ref.Kind+"/"+r.Ref.Name] = r.Kept
		}
		return kept
	}
	kept := prune()
	for name, want := range map[string]string{
		"ServiceAccount/used": "refers to it", "ServiceAccount/unused": "", "Secret/certificate": "Ingress/" + p.namespace + "/kept refers to it", "Ingress/dropped": "",
		"Service/internal": "", "Service/backend": "Ingress/" + p.namespace + "/kept refers to it", "Service/serving": "is behind it", "ConfigMap/relabelled": "no longer labelled",
	} {
		if got := kept[name]; want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, err := p.admin.CoreV1().Services(p.namespace).Get(ctx, "internal", metav1.GetOptions{}); !cluster.IsNotFound(err) {
		t.Errorf("Service/internal, which only a pruned Ingress refers to, is still there: %v", err)
	}
	for _, name := range []string{"backend", "serving"} {
		if _, err := p.admin.CoreV1().Services(p.namespace).Get(ctx, name, metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	}
	if kept := prune("a"); kept["ServiceAccount/used"] != "" || kept["Service/serving"] != "" {
		t.Errorf("what only the release that is gone needs stays: %v", kept)
	}
}

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: NAMEs.GROUP.promote.example}
spec:
  group: GROUP.promote.example
  scope: Namespaced
  names: {kind: KIND, plural: NAMEs, singular: NAME}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}]
---
apiVersion: GROUP.promote.example/v1
kind: KIND
metadata: {name: one, labels: {promote.dev/service: checkout}}
spec: {size: 3}
`

// TestClusterDefinitions applies a definition and an object of the kind that it defines in one go, with the rights and without.
func TestClusterDefinitions(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	ctx := t.Context()
	text := strings.NewReplacer("GROUP", p.namespace, "KIND", "Gadget", "NAME", "gadget").Replace(definition)
	objs := p.objects(text)
	objs[0].SetNamespace("")
	objs[0].SetLabels(map[string]string{cluster.LabelService: "checkout"})
	kinds := []schema.GroupVersionKind{objs[0].GroupVersionKind(), objs[1].GroupVersionKind()}
	t.Run("without the right it is refused before anything is touched, with the rule to add", func(t *testing.T) {
		err := p.in(t).connect().Preflight(ctx, "e2e", kinds, objs[0])
		for _, want := range []string{"may not get, create, patch", `{apiGroups: ["apiextensions.k8s.io"], resources: ["customresourcedefinitions"], verbs: [get, create, patch]}`, "gadgets." + p.namespace} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v\nwithout %s", err, want)
			}
		}
	})
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: []string{"get", "create", "patch"}},
		{APIGroups: []string{p.namespace + ".promote.example"}, Resources: []string{"gadgets"}, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}},
	}}
	p.must(p.admin.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}))
	p.must(p.admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: p.namespace},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: p.namespace},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "runner", Namespace: p.namespace}}}, metav1.CreateOptions{}))
	t.Cleanup(func() {
		_ = p.admin.RbacV1().ClusterRoleBindings().Delete(context.Background(), p.namespace, metav1.DeleteOptions{})
		_ = p.admin.RbacV1().ClusterRoles().Delete(context.Background(), p.namespace, metav1.DeleteOptions{})
	})
	t.Run("with it the definition comes first, and then the object", func(t *testing.T) {
		p := p.in(t)
		c := p.connect()
		for deadline := time.Now().Add(10 * time.Second); ; {
			err := c.Preflight(ctx, "e2e", kinds, objs[0])
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
		changes, err := c.DryRun(ctx, objs)
		p.must(changes, err)
		applied, err := c.Apply(ctx, objs)
		p.must(applied, err)
		defer func() {
			admin, err := cluster.Connect(cluster.Config{Kubeconfig: adminKubeconfig(t), Namespace: p.namespace})
			p.must(admin, err)
			p.must(admin.Dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}), admin.Dynamic.Resource(
				schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}).Delete(context.Background(), objs[0].GetName(), metav1.DeleteOptions{}))
		}()
		if applied[0].Action != cluster.Created || applied[0].Ref.Namespace != "" || applied[1].Action != cluster.Created {
			t.Errorf("got %v", applied)
		}
		if err := c.Delete(ctx, []cluster.ObjectRef{applied[0].Ref}); err == nil || !strings.Contains(err.Error(), "belongs to the whole cluster") {
			t.Errorf("deleting the definition gave %v", err)
		}
		again, err := p.connect().Apply(ctx, objs)
		p.must(again, err)
		if again[0].Action != cluster.Unchanged || again[1].Action != cluster.Unchanged {
			t.Errorf("applied once more: %v", again)
		}
	})
}
