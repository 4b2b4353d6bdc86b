//go:build lab

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// stoppable is a service with something of every sort that a deployment writes.
var stoppable = quick + `---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: quick}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: quick}}}
`

// TestAStoppedRunChangesNothing stops the real process with SIGSTOP in the middle of a write: the request has left it, and lies
// on the wire. Another run takes the lock over and finishes. Then the request is let through, and the process goes on.
func TestAStoppedRunChangesNothing(t *testing.T) {
	t.Parallel()
	for moment, is := range map[string]func(*http.Request) bool{
		"as it creates the candidate": func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/deployments/quick-") && strings.Contains(r.Header.Get("Content-Type"), "apply")
		},
		"as it applies what is shared": func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/services/quick") && strings.Contains(r.Header.Get("Content-Type"), "apply")
		},
		"as it moves the traffic": func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/services/quick") && strings.Contains(r.Header.Get("Content-Type"), "json-patch")
		},
		"as it takes a pod out of the endpoint list": func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/pods/")
		},
		"as it scales the old release down": func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/deployments/quick-") && strings.Contains(r.Header.Get("Content-Type"), "merge-patch")
		},
		"as it deletes the old release": func(r *http.Request) bool {
			return r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/deployments/quick-")
		},
		"as it writes the state": func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/configmaps/promote-quick") && strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadata")
		},
	} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			stopAndResume(t, is)
		})
	}
}

func stopAndResume(t *testing.T, is func(*http.Request) bool) {
	h, p := newHub(t), newPlace(t, "test")
	pushed, err := testImage()
	h.must(err)
	image, err := name.NewDigest(pushed)
	h.must(err)
	var commits []string
	for i := range 3 {
		commits = append(commits, h.commit("main", map[string]string{
			"deploy/quick.yaml": stoppable + fmt.Sprintf("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\ndata: {n: \"%d\"}\n", i) +
				"---\napiVersion: v1\nkind: Service\nmetadata: {name: quick-metrics}\nspec: {selector: {app: other}, ports: [{port: " + fmt.Sprint(81+i) + "}]}\n",
		}))
	}
	deploy := func(commit, kubeconfig string) (github.Event, map[string]string) {
		h.git(h.clone, "checkout", "--quiet", commit)
		return h.byHand(commit),
			map[string]string{
				"environment": "test", "namespace": p.namespace, "kubeconfig": kubeconfig, "service": "quick", "image": image.Context().Name(),
				"digest": image.DigestStr(), "manifests": "deploy", "drain": "0s", "timeout": "2m", "allow-rollback": "true",
			}
	}
	event, inputs := deploy(commits[0], p.kubeconfig)
	if res := h.run("deploy", event, inputs); res.outputs["result"] != "deployed" {
		t.Fatalf("the baseline was not deployed:\n%s", res.output)
	}

	gate := newGate(t, p, is)
	event, inputs = deploy(commits[1], gate.kubeconfig)
	old, finish := h.command("deploy", event, inputs)
	h.must(old.Start())
	gate.process(old.Process)
	ended := make(chan error, 1)
	go func() { ended <- old.Wait() }()
	t.Cleanup(func() { _ = old.Process.Signal(syscall.SIGCONT); _ = old.Process.Kill() })
	select {
	case <-gate.stopped:
	case <-ended:
		t.Fatalf("the run ended before it came to this:\n%s", finish().output)
	case <-time.After(4 * time.Minute):
		t.Fatal("the run never came to this")
	}

	event, inputs = deploy(commits[2], p.kubeconfig)
	res := h.run("deploy", event, inputs)
	if res.code != 0 || res.outputs["result"] != "deployed" {
		t.Fatalf("the run that took over: exit code %d\n%s", res.code, res.output)
	}
	before := settled(t, h, p)
	gate.open()
	h.must(old.Process.Signal(syscall.SIGCONT))
	select {
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("the run that was stopped never ended")
	}
	stopped := finish()
	if diff := cmp.Diff(before, settled(t, h, p)); diff != "" {
		t.Errorf("the run that was stopped changed what the next had made (-before +after):\n%s\n%s", diff, stopped.output)
	}
	if code := old.ProcessState.ExitCode(); code != 1 || !strings.Contains(stopped.output, cluster.ErrLockLost.Error()) {
		t.Errorf("exit code %d, and the output does not say that the lock was lost:\n%s", code, stopped.output)
	}
	s, err := p.admin.CoreV1().Services(p.namespace).Get(t.Context(), "quick", metav1.GetOptions{})
	p.must(s, err)
	if s.Spec.Selector[cluster.LabelRelease] != res.outputs["release"] {
		t.Errorf("Service/%s/quick selects %v, want %s", p.namespace, s.Spec.Selector, res.outputs["release"])
	}
}

// settled is everything in the namespace, with versions, once no controller changes it any more and no pod is on its way out: the
// kubelet may be busy.
func settled(t *testing.T, h *hub, p *place) string {
	t.Helper()
	for last, since := "", time.Now(); ; {
		versions, leaving := p.versions()
		now := h.snapshot(p.namespace) + "\n" + versions
		switch {
		case now != last || leaving:
			last, since = now, time.Now()
		case time.Since(since) > 4*time.Second:
			return now
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// versions are the resourceVersions of what no controller writes, and of the pods' labels. leaving says that a pod is terminating.
func (p *place) versions() (text string, leaving bool) {
	p.t.Helper()
	ctx, of := context.Background(), metav1.ListOptions{}
	var lines []string
	services, err := p.admin.CoreV1().Services(p.namespace).List(ctx, of)
	p.must(services, err)
	for _, o := range services.Items {
		lines = append(lines, fmt.Sprintf("Service/%s version %s", o.Name, o.ResourceVersion))
	}
	configs, err := p.admin.CoreV1().ConfigMaps(p.namespace).List(ctx, of)
	p.must(configs, err)
	for _, o := range configs.Items {
		lines = append(lines, fmt.Sprintf("ConfigMap/%s version %s", o.Name, o.ResourceVersion))
	}
	pods, err := p.admin.CoreV1().Pods(p.namespace).List(ctx, of)
	p.must(pods, err)
	for _, o := range pods.Items {
		lines = append(lines, fmt.Sprintf("Pod/%s %v", o.Name, o.Labels))
		leaving = leaving || o.DeletionTimestamp != nil
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), leaving
}

// gate is a proxy before the API server that, at the first request of a kind, stops the process that sent it and keeps the
// request back.
type gate struct {
	kubeconfig string
	stopped    chan struct{}
	once       sync.Once
	opened     chan struct{}
	through    chan struct{}
	running    chan *os.Process
}

func newGate(t *testing.T, p *place, is func(*http.Request) bool) *gate {
	t.Helper()
	g := &gate{stopped: make(chan struct{}), opened: make(chan struct{}), through: make(chan struct{}), running: make(chan *os.Process, 1)}
	config, err := clientcmd.LoadFromFile(p.kubeconfig)
	p.must(config, err)
	lab := config.Clusters["lab"]
	target, err := url.Parse(lab.Server)
	p.must(target, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(lab.CertificateAuthorityData)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport = answered{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: lab.TLSServerName}}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := false
		if r.URL.Query().Get("dryRun") == "" && is(r) {
			g.once.Do(func() { held = true })
		}
		if held {
			// All of it: a process that is stopped sends no more.
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Errorf("reading the request: %v", err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			process := <-g.running
			if err := process.Signal(syscall.SIGSTOP); err != nil {
				t.Errorf("stopping the process: %v", err)
			}
			close(g.stopped)
			<-g.opened
			r = r.WithContext(context.WithValue(r.Context(), letThrough{}, g.through))
		}
		proxy.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	lab.Server, lab.TLSServerName = server.URL, "example.com"
	lab.CertificateAuthorityData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	g.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	p.must(nil, clientcmd.WriteToFile(*config, g.kubeconfig))
	return g
}

// letThrough is the key of the channel to close when the API server has answered the request that was kept back; its sender is
// stopped, and reads no answer.
type letThrough struct{}

type answered struct{ http.RoundTripper }

func (a answered) RoundTrip(r *http.Request) (*http.Response, error) {
	through, held := r.Context().Value(letThrough{}).(chan struct{})
	if held {
		defer close(through)
	}
	return a.RoundTripper.RoundTrip(r)
}

func (g *gate) process(p *os.Process) { g.running <- p }

// open lets the request through, and returns when the API server has answered it.
func (g *gate) open() {
	close(g.opened)
	<-g.through
}
