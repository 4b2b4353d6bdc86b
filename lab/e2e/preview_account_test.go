//go:build lab

package e2e

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/cluster"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// allowPreviews gives the place's account what docs/role-preview.yaml prints, and nothing else. The file's names are those of one
// cluster; here they get the place's, so that tests do not meet. The one name that the program knows is shared and stays.
func (p *place) allowPreviews() {
	p.t.Helper()
	data, err := os.ReadFile("../../docs/role-preview.yaml")
	p.must(data, err)
	text := strings.NewReplacer(
		"system:serviceaccount:test:promote-runner", "system:serviceaccount:"+p.namespace+":runner",
		"name: promote-runner\n    namespace: test", "name: runner\n    namespace: "+p.namespace,
		"name: promote-preview\n", "name: promote-preview-"+p.namespace+"\n",
		"policyName: promote-preview\n", "policyName: promote-preview-"+p.namespace+"\n",
	).Replace(string(data))
	ctx, gone := p.t.Context(), metav1.DeleteOptions{}
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		p.must(document, err)
		var kind metav1.TypeMeta
		p.must(nil, yaml.Unmarshal(document, &kind))
		switch kind.Kind {
		case "ClusterRole":
			o := &rbacv1.ClusterRole{}
			p.must(nil, yaml.UnmarshalStrict(document, o))
			_, err = p.admin.RbacV1().ClusterRoles().Create(ctx, o, metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) { // the shared one, of an earlier test
				_, err = p.admin.RbacV1().ClusterRoles().Update(ctx, o, metav1.UpdateOptions{})
			} else if strings.HasSuffix(o.Name, p.namespace) {
				p.t.Cleanup(func() { _ = p.admin.RbacV1().ClusterRoles().Delete(context.Background(), o.Name, gone) })
			}
		case "ClusterRoleBinding":
			o := &rbacv1.ClusterRoleBinding{}
			p.must(nil, yaml.UnmarshalStrict(document, o))
			_, err = p.admin.RbacV1().ClusterRoleBindings().Create(ctx, o, metav1.CreateOptions{})
			p.t.Cleanup(func() { _ = p.admin.RbacV1().ClusterRoleBindings().Delete(context.Background(), o.Name, gone) })
		case "ValidatingAdmissionPolicy":
			o := &admissionv1.ValidatingAdmissionPolicy{}
			p.must(nil, yaml.UnmarshalStrict(document, o))
			_, err = p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Create(ctx, o, metav1.CreateOptions{})
			p.t.Cleanup(func() {
				_ = p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Delete(context.Background(), o.Name, gone)
			})
		case "ValidatingAdmissionPolicyBinding":
			o := &admissionv1.ValidatingAdmissionPolicyBinding{}
			p.must(nil, yaml.UnmarshalStrict(document, o))
			_, err = p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Create(ctx, o, metav1.CreateOptions{})
			p.t.Cleanup(func() {
				_ = p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Delete(context.Background(), o.Name, gone)
			})
		default:
			p.t.Fatalf("docs/role-preview.yaml holds a %s, which this test does not know", kind.Kind)
		}
		p.must(kind, err)
	}
	p.awaitFence()
}

// awaitFence waits until the API server enforces the policy.
func (p *place) awaitFence() {
	p.t.Helper()
	runner := p.runner()
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, err := runner.CoreV1().Namespaces().Create(p.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace + "-fence"}},
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the policy is not enforced: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// runner is a client with the account that actions have.
func (p *place) runner() kubernetes.Interface {
	p.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", p.kubeconfig)
	p.must(config, err)
	client, err := kubernetes.NewForConfig(config)
	p.must(client, err)
	return client
}

// TestThePreviewAccountReachesNoOtherNamespace holds the fence of docs/role-preview.yaml: who may bind a role in any namespace would
// have it in all.
func TestThePreviewAccountReachesNoOtherNamespace(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "test")
	p.allowPreviews()
	runner, ctx := p.runner(), t.Context()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "mine"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "promote-preview-inside"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "runner", Namespace: p.namespace}},
	}
	other := newPlace(t, "prod")
	preview := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace + "-pr-1", Labels: map[string]string{"promote.dev/preview": "1"}}}
	t.Cleanup(func() {
		_ = p.admin.CoreV1().Namespaces().Delete(context.Background(), preview.Name, metav1.DeleteOptions{})
	})
	_, errPlain := runner.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace + "-plain"}}, metav1.CreateOptions{})
	_, errBind := runner.RbacV1().RoleBindings(other.namespace).Create(ctx, binding, metav1.CreateOptions{})
	errDelete := runner.CoreV1().Namespaces().Delete(ctx, other.namespace, metav1.DeleteOptions{})
	_, errPreview := runner.CoreV1().Namespaces().Create(ctx, preview, metav1.CreateOptions{})
	admin := binding.DeepCopy()
	admin.RoleRef.Name = "cluster-admin"
	_, errAdmin := runner.RbacV1().RoleBindings(preview.Name).Create(ctx, admin, metav1.CreateOptions{})
	for what, err := range map[string]error{
		"making a namespace that is no preview": errPlain, "binding its role in another namespace": errBind,
		"deleting another namespace": errDelete, "binding another role in a preview": errAdmin,
	} {
		if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
			t.Errorf("%s gives %v, want a refusal", what, err)
		}
	}
	_, errBind = runner.RbacV1().RoleBindings(preview.Name).Create(ctx, binding, metav1.CreateOptions{})
	if err := errors.Join(errPreview, errBind); err != nil {
		t.Errorf("a preview with its role is refused: %v", err)
	}
	if n, err := p.admin.CoreV1().Namespaces().Get(ctx, other.namespace, metav1.GetOptions{}); err != nil || n.DeletionTimestamp != nil {
		t.Errorf("the other namespace is %v, %v", n, err)
	}
}

// TestOnlyTheVeryPreviewThatWasReadIsRemoved lets a deployment come between the look at a preview and its removal: once it is given
// more time, and once it is another one of the same name.
func TestOnlyTheVeryPreviewThatWasReadIsRemoved(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "test")
	p.allowPreviews()
	preview, ctx := cluster.Preview{Repository: repositoryName(), Service: p.namespace, Environment: "test", PullRequest: 7}, t.Context()
	t.Cleanup(func() {
		_ = p.admin.CoreV1().Namespaces().Delete(context.Background(), preview.Namespace(), metav1.DeleteOptions{})
	})
	c := p.connect(func(cfg *cluster.Config) { cfg.Namespace = preview.Namespace() })
	open := func(run string) types.UID {
		t.Helper()
		p.must(nil, c.OpenPreview(ctx, preview, run, time.Now().Add(time.Hour)))
		n, err := p.admin.CoreV1().Namespaces().Get(ctx, preview.Namespace(), metav1.GetOptions{})
		p.must(n, err)
		return n.UID
	}
	read := func() cluster.Found {
		t.Helper()
		found, err := c.Preview(ctx, preview)
		if err != nil || found == nil {
			t.Fatalf("the preview is %v, %v", found, err)
		}
		return *found
	}
	first := open("4711-1")
	before := read()
	if again := open("4712-1"); again != first {
		t.Errorf("a second deployment has Namespace %s, the first had %s", again, first)
	}
	if err := c.RemovePreview(ctx, before); !errors.Is(err, cluster.ErrPreviewChanged) {
		t.Errorf("removing what was deployed to meanwhile gives %v", err)
	}
	before = read()
	if before.Leaving {
		t.Fatal("it is being removed, although it was deployed to meanwhile")
	}
	p.must(nil, c.RemovePreview(ctx, before))
	// A deployment that finds it on its way out waits, and makes another.
	second := open("4713-1")
	if second == first {
		t.Error("the deployment went into what is being removed")
	}
	if err := c.RemovePreview(ctx, before); !errors.Is(err, cluster.ErrPreviewChanged) || read().Leaving {
		t.Errorf("removing the first gives %v, and the second is being removed: %t", err, read().Leaving)
	}
}
