//go:build lab

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/org/promote/lab/testimage"
	"github.com/org/promote/lab/world"
	"github.com/org/promote/pkg/cluster"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// testImage is the misbehaving server, pushed once for all tests.
var testImage = sync.OnceValues(func() (string, error) {
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		return "", err
	}
	return testimage.Push(context.Background(), w.Registry)
})

// place is a namespace of a test's own, with an account that has exactly the Role that the documentation prints.
type place struct {
	t         *testing.T
	namespace string
	admin     kubernetes.Interface
	wire      *wire
	// kubeconfig reaches the API server through the wire, as the runner.
	kubeconfig string
}

// newPlace makes the namespace and removes it with the test.
func newPlace(t *testing.T, environment string) *place {
	t.Helper()
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", w.AdminKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	p := &place{t: t, namespace: "e2e-" + strings.ToLower(rand.Text()[:8]), admin: kubernetes.NewForConfigOrDie(config)}
	ctx := t.Context()
	p.must(p.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: p.namespace, Labels: map[string]string{cluster.LabelEnvironment: environment, labelProcess: strconv.Itoa(os.Getpid())},
	}}, metav1.CreateOptions{}))
	t.Cleanup(func() {
		_ = p.admin.CoreV1().Namespaces().Delete(context.Background(), p.namespace, metav1.DeleteOptions{})
	})
	role := &rbacv1.Role{}
	data, err := os.ReadFile("../../docs/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, role); err != nil {
		t.Fatal(err)
	}
	p.must(p.admin.CoreV1().ServiceAccounts(p.namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "runner"}}, metav1.CreateOptions{}))
	p.must(p.admin.RbacV1().Roles(p.namespace).Create(ctx, role, metav1.CreateOptions{}))
	p.must(p.admin.RbacV1().RoleBindings(p.namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "promote"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "runner", Namespace: p.namespace}},
	}, metav1.CreateOptions{}))
	rule := role.Rules[0]
	p.awaitRight(rule.APIGroups[0], rule.Resources[0], rule.Verbs[0], true)
	token, err := p.admin.CoreV1().ServiceAccounts(p.namespace).CreateToken(ctx, "runner", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	p.must(token, err)

	host := strings.TrimPrefix(config.Host, "https://")
	p.wire = newWire(t, host)
	name, _, err := net.SplitHostPort(host)
	p.must(name, err)
	ca := config.CAData
	if len(ca) == 0 {
		ca, err = os.ReadFile(config.CAFile)
		p.must(ca, err)
	}
	kubeconfig := api.NewConfig()
	kubeconfig.Clusters["lab"] = &api.Cluster{Server: "https://" + p.wire.address(), CertificateAuthorityData: ca, TLSServerName: name}
	kubeconfig.AuthInfos["runner"] = &api.AuthInfo{Token: token.Status.Token}
	kubeconfig.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "runner", Namespace: p.namespace}
	kubeconfig.CurrentContext = "lab"
	p.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*kubeconfig, p.kubeconfig); err != nil {
		t.Fatal(err)
	}
	return p
}

// awaitRight waits until the API server's authorizer, which watches roles and bindings, allows or refuses something to the account:
// on a busy machine that takes seconds.
func (p *place) awaitRight(group, resource, verb string, allowed bool) {
	p.t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + p.namespace + ":runner",
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: p.namespace, Group: group, Resource: resource, Verb: verb},
	}}
	p.must(nil, wait.PollUntilContextTimeout(p.t.Context(), 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		answer, err := p.admin.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed == allowed, err
	}))
}

// must takes a value and its error; the value is for the caller's convenience only.
func (p *place) must(_ any, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// in is the place for a subtest: what fails there fails the subtest.
func (p *place) in(t *testing.T) *place {
	sub := *p
	sub.t = t
	return &sub
}

// connect is what an action does first.
func (p *place) connect(options ...func(*cluster.Config)) *cluster.Cluster {
	p.t.Helper()
	cfg := cluster.Config{Kubeconfig: p.kubeconfig}
	for _, o := range options {
		o(&cfg)
	}
	c, err := cluster.Connect(cfg)
	p.must(c, err)
	return c
}

// objects reads YAML documents; {{.}} is the test image.
func (p *place) objects(text string) []*unstructured.Unstructured {
	p.t.Helper()
	image, err := testImage()
	p.must(image, err)
	var filled bytes.Buffer
	p.must(nil, template.Must(template.New("").Parse(text)).Execute(&filled, image))
	var objs []*unstructured.Unstructured
	for _, doc := range strings.Split(filled.String(), "\n---\n") {
		data, err := yaml.ToJSON([]byte(doc))
		p.must(data, err)
		o := &unstructured.Unstructured{}
		p.must(nil, o.UnmarshalJSON(data))
		o.SetNamespace(p.namespace)
		objs = append(objs, o)
	}
	return objs
}

// deployment is a Deployment of the test image as a release of checkout; flags are the server's.
func deployment(name, release string, replicas int, flags ...string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, labels: {promote.dev/service: checkout, promote.dev/release: %[2]s}}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: checkout, promote.dev/release: %[2]s}}
  template:
    metadata: {labels: {app: checkout, promote.dev/release: %[2]s, promote.dev/serve: "true"}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: app
        image: {{.}}
        args: [-version=%[2]s%[4]s]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
`, name, release, replicas, strings.Join(append([]string{""}, flags...), ", "))
}

const service = `apiVersion: v1
kind: Service
metadata: {name: checkout, labels: {promote.dev/service: checkout}}
spec:
  type: LoadBalancer
  selector: {app: checkout, promote.dev/serve: "true", promote.dev/release: a}
  ports: [{name: http, port: 80, targetPort: 8080}]
`

// apply applies YAML and gives the refs.
func (p *place) apply(c *cluster.Cluster, text string) []cluster.ObjectRef {
	p.t.Helper()
	applied, err := c.Apply(p.t.Context(), p.objects(text))
	p.must(applied, err)
	var refs []cluster.ObjectRef
	for _, a := range applied {
		refs = append(refs, a.Ref)
	}
	return refs
}

// ready waits for what was applied.
func (p *place) ready(c *cluster.Cluster, refs []cluster.ObjectRef) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	if err := c.Wait(ctx, refs, nil); err != nil {
		p.t.Fatal(err)
	}
}

func only(release string) map[string]string {
	return map[string]string{"app": "checkout", cluster.LabelServe: "true", cluster.LabelRelease: release}
}

// wire is a TCP proxy before the API server that can be cut: to its clients the server is then down.
type wire struct {
	t        *testing.T
	target   string
	at       string
	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	w := &wire{t: t, target: target, open: map[net.Conn]bool{}, at: holdPort(t)}
	w.mend()
	t.Cleanup(w.cut)
	return w
}

// holdPort binds a port without listening at it, so that the wire's port is nobody else's while it is cut: the kernel gives ports
// that are not bound to outgoing connections.
func holdPort(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	err = errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	if err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

func (w *wire) address() string { return w.at }

// mend lets clients connect again, at the same address.
func (w *wire) mend() {
	l, err := net.Listen("tcp", w.at)
	if err != nil {
		w.t.Errorf("mending the wire to the API server: %v", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener = l
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(client)
		}
	}()
}

// cut refuses new connections and breaks those that are open.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener != nil {
		_ = w.listener.Close()
	}
	for c := range w.open {
		_ = c.Close()
	}
}

func (w *wire) carry(client net.Conn) {
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		_ = client.Close()
		return
	}
	w.mu.Lock()
	w.open[client], w.open[server] = true, true
	w.mu.Unlock()
	var both sync.WaitGroup
	pipe := func(to, from net.Conn) {
		_, _ = to.(*net.TCPConn).ReadFrom(from)
		_ = to.Close()
		_ = from.Close()
	}
	both.Go(func() { pipe(server, client) })
	both.Go(func() { pipe(client, server) })
	both.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, client)
	delete(w.open, server)
}

func adminKubeconfig(t *testing.T) string {
	t.Helper()
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		t.Fatal(err)
	}
	return w.AdminKubeconfig
}

// create makes an object with the field manager that `kubectl apply` has.
func (p *place) create(o *unstructured.Unstructured) {
	p.t.Helper()
	data, err := o.MarshalJSON()
	p.must(data, err)
	group := "/api/" + o.GetAPIVersion()
	if strings.Contains(o.GetAPIVersion(), "/") {
		group = "/apis/" + o.GetAPIVersion()
	}
	p.must(p.admin.CoreV1().RESTClient().Post().AbsPath(group, "namespaces", p.namespace, strings.ToLower(o.GetKind())+"s").Param("fieldManager", "kubectl-client-side-apply").
		SetHeader("Content-Type", "application/json").Body(data).Do(p.t.Context()).Raw())
}

// awaitReady waits until a Deployment has so many ready pods.
func (p *place) awaitReady(deployment string, pods int32) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		d, err := p.admin.AppsV1().Deployments(p.namespace).Get(p.t.Context(), deployment, metav1.GetOptions{})
		p.must(d, err)
		if d.Status.ReadyReplicas == pods {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("Deployment %s has %d ready pods, want %d", deployment, d.Status.ReadyReplicas, pods)
		}
	}
}
