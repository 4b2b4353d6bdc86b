package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// runner makes the accounts that promote's documentation prints, the runner's and the watchdog's, and gives the runner's kubeconfig.
func (n *namespace) runner(ctx context.Context) (kubeconfig string, err error) {
	for _, file := range []string{"../docs/role.yaml", "../docs/role-watchdog.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		// Its binding names an account of the namespace that it is applied to, which kubectl fills in.
		filled := strings.ReplaceAll(string(text), "\n    name: promote-watchdog", "\n    name: promote-watchdog\n    namespace: "+n.name)
		if _, err := n.w.apply(ctx, n.name, []byte(filled)); err != nil {
			return "", err
		}
	}
	accounts := n.w.kube.CoreV1().ServiceAccounts(n.name)
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "runner"}}, metav1.CreateOptions{}); err != nil {
		return "", err
	}
	_, err = n.w.kube.RbacV1().RoleBindings(n.name).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "runner"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "promote"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "runner", Namespace: n.name}},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	hours := int64(6 * 3600)
	token, err := accounts.CreateToken(ctx, "runner", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hours},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	k := api.NewConfig()
	k.Clusters["lab"] = &api.Cluster{Server: n.w.admin.Host, CertificateAuthorityData: n.w.admin.CAData, CertificateAuthority: n.w.admin.CAFile}
	k.AuthInfos["runner"] = &api.AuthInfo{Token: token.Status.Token}
	k.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "runner", Namespace: n.name}
	k.CurrentContext = "lab"
	path := filepath.Join(n.w.work, n.name+".kubeconfig")
	return path, clientcmd.WriteToFile(*k, path)
}
