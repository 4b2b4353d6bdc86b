package cluster

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/org/promote/lab/world"
)

const (
	// runnerAccount is who a self-hosted runner is in the cluster of its environment.
	runnerAccount = "promote-runner"
	// environmentLabel says on a namespace which environment it is.
	environmentLabel = "promote.dev/environment"
	prometheusUser   = "promote-lab:prometheus"
	// tokenLife is how long a runner's token is good; a new one is made when half of it is over.
	tokenLife = 90 * 24 * time.Hour
)

// makeEnvironments makes a namespace for each environment, with a runner that may do there what the documented role says, and
// nothing anywhere else.
func (l *Lab) makeEnvironments(ctx context.Context, client kubernetes.Interface) error {
	role, err := readRole(filepath.Join(l.source, "..", "docs", "role.yaml"))
	if err != nil {
		return err
	}
	for _, env := range world.Environments {
		if err := makeEnvironment(ctx, client, env, role.DeepCopy()); err != nil {
			return fmt.Errorf("making environment %q: %w", env, err)
		}
		if err := l.makeWatchdog(ctx, client, env); err != nil {
			return fmt.Errorf("making the watchdog's account of environment %q: %w", env, err)
		}
		if err := l.writeRunner(ctx, client, env); err != nil {
			return fmt.Errorf("writing the kubeconfig of environment %q: %w", env, err)
		}
	}
	return nil
}

// makeWatchdog lets canaries have a watchdog, as the documentation tells users to.
func (l *Lab) makeWatchdog(ctx context.Context, client kubernetes.Interface, env string) error {
	role, err := readRole(filepath.Join(l.source, "..", "docs", "role-watchdog.yaml"))
	if err != nil {
		return err
	}
	return grant(ctx, client, env, role, role.Name)
}

func makeEnvironment(ctx context.Context, client kubernetes.Interface, env string, role *rbacv1.Role) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: env, Labels: map[string]string{environmentLabel: env}}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return err
	}
	return grant(ctx, client, env, role, runnerAccount)
}

// grant makes an account that has a role.
func grant(ctx context.Context, client kubernetes.Interface, env string, role *rbacv1.Role, name string) error {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().ServiceAccounts(env).Create(ctx, account, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return err
	}
	role.Namespace = env
	if _, err := client.RbacV1().Roles(env).Create(ctx, role, metav1.CreateOptions{}); apierrors.IsAlreadyExists(err) {
		// The role in the repository may have changed since the lab came up.
		if _, err := client.RbacV1().Roles(env).Update(ctx, role, metav1.UpdateOptions{}); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: env}},
	}
	_, err := client.RbacV1().RoleBindings(env).Create(ctx, binding, metav1.CreateOptions{})
	return ignoreExists(err)
}

// readRole reads the role that the documentation prints: what is tried here is what users are told. Other documents in the file
// (a ServiceAccount, a binding) are the user's example; the lab makes its own.
func readRole(path string) (*rbacv1.Role, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a role: %w", err)
	}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		role := &rbacv1.Role{}
		if err := documents.Decode(role); errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("reading a role: %q holds no Role", path)
		} else if err != nil {
			return nil, fmt.Errorf("parsing %q: %w", path, err)
		}
		if role.Kind == "Role" {
			role.Namespace = ""
			return role, nil
		}
	}
}

// writeRunner writes the kubeconfig of an environment's runner, with a token that the API server signs for it, unless the one
// that is there will do for long.
func (l *Lab) writeRunner(ctx context.Context, client kubernetes.Interface, env string) error {
	if cfg, err := clientcmd.LoadFromFile(l.path("kubeconfig", env)); err == nil && fresh(cfg.AuthInfos[env], time.Now()) {
		return nil
	}
	life := int64(tokenLife.Seconds())
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &life}}
	token, err := client.CoreV1().ServiceAccounts(env).CreateToken(ctx, runnerAccount, request, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return l.writeKubeconfig(env, env, &api.AuthInfo{Token: token.Status.Token})
}

// fresh says whether half of a token's life is still to come.
func fresh(user *api.AuthInfo, now time.Time) bool {
	if user == nil {
		return false
	}
	parts := strings.Split(user.Token, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		Expires int64 `json:"exp"`
	}
	return json.Unmarshal(payload, &claims) == nil && time.Unix(claims.Expires, 0).After(now.Add(tokenLife/2))
}

// letPrometheusRead gives the monitor the right to see pods, which it finds its targets by.
func letPrometheusRead(ctx context.Context, client kubernetes.Interface) error {
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: prometheusUser},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: prometheusUser}},
	}
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{})
	return ignoreExists(err)
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
