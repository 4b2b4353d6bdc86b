//go:build lab

package e2e

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/org/promote/lab/fault"
)

// killEvery is PROMOTE_KILL_EVERY: the action is killed at each request whose number it divides. `make kill-test` kills at every
// one; the whole suite takes some of them, to stay quick.
func killEvery(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("PROMOTE_KILL_EVERY")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("PROMOTE_KILL_EVERY is %q, want a number from 1", text)
	}
	return n
}

// faulty is a deployed service whose action reaches every server through fronts.
type faulty struct {
	*deployed
	in         *fault.Injector
	kubeconfig string
	environ    []string
	load       *load
	commits    int

	mu     sync.Mutex
	plan   func(number int, r fault.Request) fault.Fault
	number int
	last   string
}

// newFaulty deploys a first release in peace, and puts clients on it.
func newFaulty(t *testing.T) *faulty {
	t.Helper()
	f := &faulty{deployed: newDeployed(t, "web")}
	f.in = fault.NewInjector(f.decide)
	_, err := f.aws.PutSecret("web/password", "one")
	f.must(err)

	config, err := clientcmd.BuildConfigFromFlags("", f.world.AdminKubeconfig)
	f.must(err)
	ca := config.CAData
	if len(ca) == 0 {
		ca, err = os.ReadFile(config.CAFile)
		f.must(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	kube := f.front(config.Host, roots)
	f.kubeconfig = f.behind(kube)
	registry := f.front("http://"+f.world.Registry, nil)
	f.image, err = name.NewDigest(strings.Replace(f.image.String(), f.world.Registry, strings.TrimPrefix(registry.URL, "http://"), 1))
	f.must(err)
	f.environ = []string{"GITHUB_API_URL=" + f.front(f.gh.URL(), nil).URL, "AWS_ENDPOINT_URL=" + f.front(f.aws.URL(), nil).URL}

	if res := f.try(f.next(), nil); res.code != 0 {
		t.Fatalf("the first release was not deployed: exit code %d\n%s", res.code, res.output)
	}
	c := f.p.connect()
	url, err := c.Address(t.Context(), "web", true)
	f.must(err)
	await(t, url)
	f.load = startLoad(url, 20, false)
	t.Cleanup(f.load.stop)
	return f
}

func (f *faulty) front(target string, roots *x509.CertPool) *fault.Front {
	f.t.Helper()
	front, err := f.in.Front(target, roots)
	f.must(err)
	f.t.Cleanup(front.Close)
	return front
}

// behind is the place's kubeconfig with another address.
func (f *faulty) behind(front *fault.Front) string {
	f.t.Helper()
	raw, err := clientcmd.LoadFromFile(f.p.kubeconfig)
	f.must(err)
	raw.Clusters["lab"] = &api.Cluster{Server: front.URL, CertificateAuthorityData: front.CA}
	file := filepath.Join(f.t.TempDir(), "kubeconfig")
	f.must(clientcmd.WriteToFile(*raw, file))
	return file
}

// decide counts a run's requests and asks the plan.
func (f *faulty) decide(r fault.Request) fault.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.number++
	if f.plan == nil {
		return fault.Fault{}
	}
	got := f.plan(f.number, r)
	if got.Status != 0 || got.Reset || got.Stall != 0 || got.After != nil {
		f.last = r.Method + " " + r.URL.Path
	}
	return got
}

// next is one more commit, with content of its own.
func (f *faulty) next() string {
	f.t.Helper()
	f.commits++
	text := web(2, fmt.Sprintf("-version=%d", f.commits)) + strings.Replace(serving("web"), "spec: {", "spec: {type: LoadBalancer, ", 1) +
		"---\napiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: '{{ secret \"web/password\" }}'}\n"
	text = strings.Replace(text, "envFrom: [", "envFrom: [{secretRef: {name: web}}, ", 1)
	return f.commitManifest(strings.Replace(text, "args: [", "args: [-graceful=1s, ", 1))
}

// try runs the action once for a commit, under a plan for its requests. The plan may end the process with kill.
func (f *faulty) try(commit string, plan func(kill func()) func(int, fault.Request) fault.Fault) result {
	f.t.Helper()
	return f.tryAs(commit, func(*exec.Cmd) {}, func(p *os.Process) func(int, fault.Request) fault.Fault {
		if plan == nil {
			return nil
		}
		return plan(func() { _ = p.Kill() })
	})
}

// tryAs is try for a command that is changed before it starts.
func (f *faulty) tryAs(commit string, change func(*exec.Cmd), plan func(*os.Process) func(int, fault.Request) fault.Fault) result {
	f.t.Helper()
	f.git(f.clone, "checkout", "--quiet", commit)
	cmd, finish := f.command("deploy", f.byHand(commit), f.inputs(map[string]string{"kubeconfig": f.kubeconfig, "drain": "1s"}), f.environ...)
	change(cmd)
	// The lock keeps the first request waiting until there is a plan.
	f.mu.Lock()
	f.must(cmd.Start())
	f.number, f.plan, f.last = 0, plan(cmd.Process), ""
	f.mu.Unlock()
	_ = cmd.Wait()
	f.mu.Lock()
	f.plan = nil
	f.mu.Unlock()
	res := finish()
	res.code = cmd.ProcessState.ExitCode()
	return res
}

// killedAt runs the action and kills it when a server has done what its request n asked. It says whether there were so many.
func (f *faulty) killedAt(commit string, n int) (killed bool) {
	f.t.Helper()
	f.try(commit, func(kill func()) func(int, fault.Request) fault.Fault {
		return func(number int, _ fault.Request) fault.Fault {
			if number != n {
				return fault.Fault{}
			}
			killed = true
			return fault.Fault{After: kill}
		}
	})
	return killed
}

// endLease makes the lock of a run that is dead one that lasts for a second, so that the next one has not to wait as long as it
// would for a run that may be alive.
func (f *faulty) endLease() {
	f.t.Helper()
	leases := f.p.admin.CoordinationV1().Leases(f.p.namespace)
	lease, err := leases.Get(f.t.Context(), "promote-web", metav1.GetOptions{})
	f.must(err)
	second := int32(1)
	lease.Spec.LeaseDurationSeconds = &second
	_, err = leases.Update(f.t.Context(), lease, metav1.UpdateOptions{})
	f.must(err)
}

// converged wants a release to serve, alone, with nothing of another left, and no client to have noticed.
func (f *faulty) converged(res result) error {
	f.t.Helper()
	if res.code != 0 {
		return fmt.Errorf("the next run failed with exit code %d:\n%s", res.code, res.output)
	}
	var problems []error
	release := res.outputs["release"]
	if got := f.selects("web"); got != release {
		problems = append(problems, fmt.Errorf("Service web selects %q, want %q", got, release))
	}
	for _, line := range strings.Split(f.snapshot(f.p.namespace), "\n") {
		kind, rest, _ := strings.Cut(line, "/")
		object, _, _ := strings.Cut(rest, " ")
		switch {
		case kind == "Service" && object == "web", strings.HasPrefix(line, "{"), object == "kube-root-ca.crt", strings.Contains(object, release):
		default:
			problems = append(problems, fmt.Errorf("%s is left", line))
		}
	}
	state, err := f.p.connect().LoadState(f.t.Context(), "web")
	f.must(err)
	if state.Serving == nil || state.Serving.ID != release || state.Candidate != nil || state.Phase != "idle" {
		problems = append(problems, fmt.Errorf("the state says phase %q, serving %v, candidate %v", state.Phase, state.Serving, state.Candidate))
	}
	f.load.mu.Lock()
	defer f.load.mu.Unlock()
	for _, failure := range f.load.failures {
		problems = append(problems, fmt.Errorf("a client's request failed: %s", failure))
	}
	f.load.failures = nil
	if len(problems) > 0 {
		problems = append(problems, fmt.Errorf("the run said:\n%s", res.output))
	}
	return errors.Join(problems...)
}

// atRequests has each so-manieth request of a deployment met by something, one deployment for each; meet says whether a run came as
// far as request n. Places of their own share the work, more of them in the whole test.
func atRequests(t *testing.T, usual, places, whole int, meet func(f *faulty, n int) bool) {
	t.Parallel()
	every := killEvery(t, usual)
	if every == 1 {
		places = whole
	}
	for place := range places {
		t.Run(fmt.Sprintf("place %d", place+1), func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t)
			met := 0
			for n := every * (place + 1); meet(f, n); n += every * places {
				met++
			}
			if met == 0 {
				t.Errorf("no run had %d requests", every*(place+1))
			}
			t.Logf("at %d requests, the clients had %d answers", met, f.load.answers())
		})
	}
}

// TestDeployConvergesAfterAKill kills the action at its requests to the API server, GitHub, AWS and the registry, one after the
// other, each time right after the server has done what was asked; then the next run converges. (A kill before a request is a
// kill after the one before.)
func TestDeployConvergesAfterAKill(t *testing.T) {
	atRequests(t, 30, 3, 4, func(f *faulty, n int) bool {
		commit := f.next()
		if !f.killedAt(commit, n) {
			return false
		}
		f.endLease()
		what := f.last
		if err := f.converged(f.try(commit, nil)); err != nil {
			f.t.Errorf("killed at request %d, %s: %v", n, what, err)
		}
		return true
	})
}

// answers is how many requests were answered since the load began.
func (l *load) answers() int {
	all := 0
	for _, n := range l.take() {
		all += n
	}
	return all
}
