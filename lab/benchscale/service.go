package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/cluster"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// environment is what the namespaces say they are.
const environment = "prod"

// manifests are a service on the simulated nodes. The label on its Service keeps kube-proxy off: nobody can reach a simulated pod.
var manifests = strings.ReplaceAll(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.pods }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {SIMULATED: "true"}
      tolerations: [{key: SIMULATED, operator: Exists}]
      containers:
        - name: web
          image: {{ .Image }}
          args: ["-version={{ .Commit }}"]
          ports: [{containerPort: 8080}]
          envFrom: [{configMapRef: {name: web}}]
          resources: {requests: {cpu: 100m, memory: 64Mi}}
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {GREETING: hello}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {service.kubernetes.io/service-proxy-name: none}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
`, "SIMULATED", labelNode)

// service is one in a namespace of its own, with a repository of its own and an account that may do what the documentation says.
type service struct {
	w          *world
	namespace  string
	kubeconfig string
	pods       int
	guarded    bool
	hub        *hub
	// next is the merge that the measured canary brings.
	next github.Event
}

// newService makes it; nothing serves yet.
func newService(ctx context.Context, w *world, p part) (*service, error) {
	s := &service{w: w, namespace: "scale-" + word(), pods: p.pods, guarded: p.guarded}
	// It goes with the nodes, by its labels.
	_, err := w.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace, Labels: map[string]string{
		cluster.LabelEnvironment: environment, labelProcess: strconv.Itoa(os.Getpid()), labelNode: "true",
	}}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx); err != nil {
		return nil, err
	}
	s.hub, err = newHub(ctx, s)
	return s, err
}

// allow binds the documented Role to an account and writes its kubeconfig, which leads through the front.
func (s *service) allow(ctx context.Context) error {
	role, kube := &rbacv1.Role{}, s.w.kube
	err := readYAML("../docs/role.yaml", role)
	if err != nil {
		return err
	}
	if err := s.account(ctx, "runner", role); err != nil {
		return err
	}
	if s.guarded {
		// Its documents are the account, the Role and the binding.
		dog := &rbacv1.Role{}
		if err := readYAML("../docs/role-watchdog.yaml", &corev1.ServiceAccount{}, dog); err != nil {
			return err
		}
		if err := s.account(ctx, cluster.WatchdogAccount, dog); err != nil {
			return err
		}
	}
	hours := int64(6 * 3600)
	token, err := kube.CoreV1().ServiceAccounts(s.namespace).CreateToken(ctx, "runner", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hours},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	k := api.NewConfig()
	k.Clusters["lab"] = &api.Cluster{Server: s.w.front.url, CertificateAuthorityData: s.w.front.ca}
	k.AuthInfos["runner"] = &api.AuthInfo{Token: token.Status.Token}
	k.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "runner", Namespace: s.namespace}
	k.CurrentContext = "lab"
	s.kubeconfig = filepath.Join(s.w.work, s.namespace+".kubeconfig")
	if err := clientcmd.WriteToFile(*k, s.kubeconfig); err != nil {
		return err
	}
	return s.awaitRights(ctx, role.Rules[0])
}

// account makes one that has a Role of its own.
func (s *service) account(ctx context.Context, name string, role *rbacv1.Role) error {
	kube := s.w.kube
	_, err1 := kube.CoreV1().ServiceAccounts(s.namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	_, err2 := kube.RbacV1().Roles(s.namespace).Create(ctx, role, metav1.CreateOptions{})
	_, err3 := kube.RbacV1().RoleBindings(s.namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: s.namespace}},
	}, metav1.CreateOptions{})
	return errors.Join(err1, err2, err3)
}

// awaitRights waits until the API server's authorizer, which watches roles and bindings, knows them.
func (s *service) awaitRights(ctx context.Context, rule rbacv1.PolicyRule) error {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + s.namespace + ":runner",
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: s.namespace, Group: rule.APIGroups[0], Resource: rule.Resources[0], Verb: rule.Verbs[0]},
	}}
	return await(ctx, time.Minute, "the runner of Namespace/"+s.namespace+" has its rights", func(ctx context.Context) (bool, error) {
		answer, err := s.w.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	})
}

// readYAML reads the first documents of a file.
func readYAML(path string, into ...any) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	for _, o := range into {
		if err := decoder.Decode(o); err != nil {
			return fmt.Errorf("reading %q: %w", path, err)
		}
	}
	return nil
}
