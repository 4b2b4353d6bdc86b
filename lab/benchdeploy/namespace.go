package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/org/promote/lab/fault"
	"github.com/org/promote/pkg/cluster"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// environment is what the namespaces say they are.
const environment = "test"

// namespace is one contender's, with an account that may do there what it needs.
type namespace struct {
	w    *world
	name string
	// direct reaches the API server as a runner does; counted through a front that counts.
	direct, counted string
	counter         *fault.Injector
	first           firstRequest
}

// newNamespace makes one. A role that is not named is the Role that the documentation prints.
func (w *world) newNamespace(ctx context.Context, clusterRole string) (*namespace, error) {
	n := &namespace{w: w, name: "bench-" + random()}
	_, err := w.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: n.name, Labels: map[string]string{cluster.LabelEnvironment: environment},
	}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func() {
		_ = w.kube.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), n.name, metav1.DeleteOptions{})
	})
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole}
	if clusterRole == "" {
		if ref, err = n.documentedRole(ctx); err != nil {
			return nil, err
		}
	}
	_, err = w.kube.CoreV1().ServiceAccounts(n.name).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "runner"}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	_, err = w.kube.RbacV1().RoleBindings(n.name).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "runner"}, RoleRef: ref,
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "runner", Namespace: n.name}},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return n, n.kubeconfigs(ctx)
}

func (n *namespace) documentedRole(ctx context.Context) (rbacv1.RoleRef, error) {
	data, err := os.ReadFile("../docs/role.yaml")
	if err != nil {
		return rbacv1.RoleRef{}, err
	}
	role := &rbacv1.Role{}
	if err := yaml.Unmarshal(data, role); err != nil {
		return rbacv1.RoleRef{}, err
	}
	_, err = n.w.kube.RbacV1().Roles(n.name).Create(ctx, role, metav1.CreateOptions{})
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name}, err
}

// kubeconfigs writes the direct one and the counted one, both for the same account.
func (n *namespace) kubeconfigs(ctx context.Context) error {
	hours := int64(6 * 3600)
	token, err := n.w.kube.CoreV1().ServiceAccounts(n.name).CreateToken(ctx, "runner", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hours},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	ca := n.w.admin.CAData
	if len(ca) == 0 {
		if ca, err = os.ReadFile(n.w.admin.CAFile); err != nil {
			return err
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	n.counter = fault.NewInjector(n.first.note)
	front, err := n.counter.Front(n.w.admin.Host, roots)
	if err != nil {
		return err
	}
	n.w.undo = append(n.w.undo, front.Close)
	n.direct, n.counted = filepath.Join(n.w.work, n.name+".direct"), filepath.Join(n.w.work, n.name+".counted")
	return errors.Join(
		n.kubeconfig(n.direct, n.w.admin.Host, ca, token.Status.Token),
		n.kubeconfig(n.counted, front.URL, front.CA, token.Status.Token))
}

func (n *namespace) kubeconfig(path, server string, ca []byte, token string) error {
	k := api.NewConfig()
	k.Clusters["lab"] = &api.Cluster{Server: server, CertificateAuthorityData: ca}
	k.AuthInfos["runner"] = &api.AuthInfo{Token: token}
	k.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "runner", Namespace: n.name}
	k.CurrentContext = "lab"
	return clientcmd.WriteToFile(*k, path)
}

// empty deletes everything that a contender may have made.
func (n *namespace) empty(ctx context.Context) error {
	core, all, now := n.w.kube.CoreV1(), metav1.ListOptions{}, int64(1)
	o := metav1.DeleteOptions{}
	services, err := core.Services(n.name).List(ctx, all)
	if err != nil {
		return err
	}
	for _, s := range services.Items {
		err = errors.Join(err, core.Services(n.name).Delete(ctx, s.Name, o))
	}
	return errors.Join(err,
		n.w.kube.AppsV1().Deployments(n.name).DeleteCollection(ctx, o, all),
		n.w.kube.AppsV1().ReplicaSets(n.name).DeleteCollection(ctx, o, all),
		core.Pods(n.name).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, all),
		core.ConfigMaps(n.name).DeleteCollection(ctx, o, metav1.ListOptions{FieldSelector: "metadata.name!=kube-root-ca.crt"}),
		core.Secrets(n.name).DeleteCollection(ctx, o, all),
		core.Events(n.name).DeleteCollection(ctx, o, all),
		n.w.kube.CoordinationV1().Leases(n.name).DeleteCollection(ctx, o, all),
		n.rest(ctx))
}

// rest waits until no pod comes or goes, so that nobody's clearing up falls into another's time.
func (n *namespace) rest(ctx context.Context) error {
	for deadline := time.Now().Add(2 * time.Minute); ; {
		pods, err := n.w.kube.CoreV1().Pods(n.name).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		going := 0
		for _, p := range pods.Items {
			if p.DeletionTimestamp != nil {
				going++
			}
		}
		if going == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waiting for Namespace/%s to come to rest: %d pods are still on their way out", n.name, going)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
