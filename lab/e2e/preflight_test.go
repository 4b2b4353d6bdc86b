//go:build lab

package e2e

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/org/promote/lab/fault"
	"github.com/org/promote/lab/github"
)

// logged logs every request that an action sends to the API server and to the registry; the doubles log theirs.
type logged struct {
	*scene
	in         *fault.Injector
	kubeconfig string
	// sent, hubs and amazon are how much of each log is the scene's own doing.
	sent, hubs, amazon int
}

func newLogged(s *scene) *logged {
	s.t.Helper()
	w := &logged{scene: s, in: fault.NewInjector(func(fault.Request) fault.Fault { return fault.Fault{} })}
	config, err := clientcmd.BuildConfigFromFlags("", s.h.world.AdminKubeconfig)
	s.h.must(err)
	ca := config.CAData
	if len(ca) == 0 {
		ca, err = os.ReadFile(config.CAFile)
		s.h.must(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	front := func(target string, roots *x509.CertPool) *fault.Front {
		f, err := w.in.Front(target, roots)
		s.h.must(err)
		s.t.Cleanup(f.Close)
		return f
	}
	kube := front(config.Host, roots)
	raw, err := clientcmd.LoadFromFile(s.p.kubeconfig)
	s.h.must(err)
	raw.Clusters["lab"] = &api.Cluster{Server: kube.URL, CertificateAuthorityData: kube.CA}
	w.kubeconfig = filepath.Join(s.t.TempDir(), "kubeconfig")
	s.h.must(clientcmd.WriteToFile(*raw, w.kubeconfig))
	registry := front("http://"+s.h.world.Registry, nil)
	s.repository, err = name.NewRepository(strings.Replace(s.repository.Name(), s.h.world.Registry, strings.TrimPrefix(registry.URL, "http://"), 1))
	s.h.must(err)
	return w
}

// forget begins the logs anew: what the scene itself has asked until now is no action's.
func (w *logged) forget() {
	w.sent, w.hubs, w.amazon = len(w.in.Seen()), len(w.h.gh.Changes()), len(w.h.aws.Requests())
}

// writes are the requests since forget that may have changed something.
func (w *logged) writes() []string {
	var found []string
	for _, r := range w.in.Seen()[w.sent:] {
		path := r.URL.Path
		review := r.Method == http.MethodPost && strings.HasPrefix(path, "/apis/authorization.k8s.io/v1/selfsubject")
		dry := r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") == "All"
		// A begun upload that is taken back is how a registry tells whether one may push.
		begun := strings.Contains(path, "/blobs/uploads/") && (r.Method == http.MethodPost || r.Method == http.MethodDelete)
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !review && !dry && !begun {
			found = append(found, r.String())
		}
	}
	for _, r := range w.h.gh.Changes()[w.hubs:] {
		found = append(found, "GitHub: "+r.Method+" "+r.Path)
	}
	reads := []string{"BatchGetSecretValue", "GetParameters", "GetCallerIdentity"}
	for _, r := range w.h.aws.Requests()[w.amazon:] {
		if !slices.Contains(reads, r.Operation) {
			found = append(found, "AWS: "+r.Service+" "+r.Operation)
		}
	}
	return found
}

// takeAway takes a verb on a resource from the runner's Role, and gives what puts it back.
func (s *scene) takeAway(rights map[string]string) (giveBack func()) {
	s.t.Helper()
	roles := s.p.admin.RbacV1().Roles(s.p.namespace)
	role, err := roles.Get(s.t.Context(), "promote", metav1.GetOptions{})
	s.h.must(err)
	whole := role.DeepCopy()
	groups := map[string]string{}
	for i := range role.Rules {
		r := &role.Rules[i]
		for resource, verb := range rights {
			if slices.Contains(r.Resources, resource) {
				groups[resource] = r.APIGroups[0]
				r.Verbs = slices.DeleteFunc(r.Verbs, func(v string) bool { return v == verb })
			}
		}
	}
	role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return len(r.Verbs) == 0 })
	put := func(allowed bool) {
		s.t.Helper()
		_, err := roles.Update(s.t.Context(), role, metav1.UpdateOptions{})
		s.h.must(err)
		for resource, verb := range rights {
			s.p.awaitRight(groups[resource], resource, verb, allowed)
		}
	}
	put(false)
	return func() {
		s.t.Helper()
		role.ResourceVersion = ""
		role.Rules = whole.Rules
		put(true)
	}
}

// plainPage is the summary without the signs that keep text from being Markdown.
func plainPage(res result) string { return strings.ReplaceAll(res.summary, `\`, "") }

const needsSecret = `apiVersion: v1
kind: Secret
metadata: {name: quick}
stringData: {password: '{{ secret "quick/db" "password" }}', user: '{{ secret "quick/db" "user" }}'}
`

// TestADryRunNamesAllThatIsWrongAtOnceAndChangesNothing has a Role that lacks three rights, a secret that is missing, a token that may make no
// deployments and a query that the monitor does not understand: one report says how to mend each. Mended, it ends with the plan.
func TestADryRunNamesAllThatIsWrongAtOnceAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t, "test")
	w := newLogged(s)
	s.h.commit("main", map[string]string{"deploy/secret.yaml": needsSecret})
	req := s.merged("one")
	monitor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.FormValue("query"), "summ(") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"unknown function with name \"summ\""}`)
			return
		}
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
	}))
	t.Cleanup(monitor.Close)
	const checks = "- {name: slow, type: value, query: 'summ(slow{release=\"$release\"})', max: 2}\n"
	inputs := s.inputs(map[string]string{
		"dry-run": "true", "kubeconfig": w.kubeconfig, "image": s.repository.Name(), "monitor-url": monitor.URL, "checks": checks, "watchdog": "false",
	})
	giveBack := s.takeAway(map[string]string{"leases": "update", "pods/portforward": "create", "services": "patch"})
	quiet, err := s.h.repo.NewToken(github.Bot, map[string]string{"contents": "read", "statuses": "write", "pull-requests": "write"})
	s.h.must(err)
	inputs["github-token"] = quiet
	before := s.h.snapshot(s.p.namespace)
	w.forget()

	res := s.h.run("canary", req.event, inputs, s.runner())
	wrote := w.writes()
	for _, want := range []string{
		`leases.coordination.k8s.io: update`, `resources: ["leases"], verbs: [update]`, `pods/portforward: create`, `services: patch`,
		"deployments: write", `secret quick/db: looking up secret "quick/db"`, "make secret `quick/db`", `check "slow"`, "unknown function", "No plan was made",
	} {
		if !strings.Contains(plainPage(res), want) {
			t.Errorf("the page lacks %q", want)
		}
		if plain := strings.ReplaceAll(want, "`", ""); want != "No plan was made" && !strings.Contains(strings.ReplaceAll(res.output, "`", ""), plain) {
			t.Errorf("the log lacks %q", plain)
		}
	}
	if res.code != 1 || res.outputs["result"] != "planned" || t.Failed() {
		t.Fatalf("it ended with %d, %v\n%s\n%s", res.code, res.outputs, res.output, res.summary)
	}

	giveBack()
	const password = "correct-horse-battery"
	delete(inputs, "github-token")
	_, err = s.h.aws.PutSecret("quick/db", fmt.Sprintf(`{"password": %q, "user": "checkout-user"}`, password))
	s.h.must(err)
	inputs["checks"] = strings.Replace(checks, "summ", "sum", 1)
	for _, action := range []string{"canary", "deploy"} {
		if action == "deploy" {
			req = s.approved("two")
		}
		w.forget()
		began := time.Now()
		res = s.h.run(action, req.event, inputs, s.runner())
		wrote = append(wrote, w.writes()...)
		if res.code != 0 || res.outputs["result"] != "planned" || res.outputs["release"] == "" {
			t.Fatalf("%s ended with %d, %v\n%s", action, res.code, res.outputs, res.output)
		}
		t.Logf("%s looked for %s", action, time.Since(began).Round(time.Millisecond))
		for _, want := range []string{"nothing to change", "created `Deployment/" + s.p.namespace + "/quick-"} {
			if !strings.Contains(plainPage(res), want) {
				t.Errorf("%s: the page lacks %q:\n%s", action, want, res.summary)
			}
		}
		for line := range strings.Lines(res.output + res.summary) {
			if strings.Contains(line, password) && !strings.HasPrefix(line, "::add-mask::") {
				t.Errorf("%s: a secret's value is shown: %s", action, line)
			}
		}
	}
	if after := s.h.snapshot(s.p.namespace); after != before {
		t.Errorf("the namespace changed from\n%s\nto\n%s", before, after)
	}
	if len(wrote) > 0 {
		t.Errorf("a dry run wrote:\n%s", strings.Join(wrote, "\n"))
	}
	// What is held against the log would find a run that writes.
	delete(inputs, "dry-run")
	inputs["timeout"] = "1s"
	if s.h.run("deploy", req.event, inputs, s.runner()); len(w.writes()) == 0 {
		t.Error("a run that deploys left nothing in the logs that counts as a write")
	}
}
