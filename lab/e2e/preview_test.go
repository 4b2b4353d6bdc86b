//go:build lab

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// previewed is a service that says which pull request it is of, and takes some time to be ready if its values ask for it.
var previewed = strings.NewReplacer("slow", "quick", "replicas: 2", "replicas: 1", `["-ready-after=6s"]`, `["-version=pr-{{ .PullRequest }}", "-ready-after={{ .Values.ready }}"]`,
	"terminationGracePeriodSeconds: 2", "terminationGracePeriodSeconds: 1").Replace(slow)

// street is a repository whose pull requests have previews, in a cluster where the account has what the documentation prints.
type street struct {
	*hub
	place   *place
	service string
	ref     name.Digest
}

// open opens a pull request, with a clone of its own, so that runs of several can go on at once.
func (s *street) open(branch string) *pull {
	s.t.Helper()
	opened, head, event := s.pull(branch, map[string]string{"README.md": branch + "\n", "deploy/quick.yaml": previewed})
	descriptor, err := remote.Get(s.ref)
	s.must(err, remote.Tag(s.ref.Context().Tag(head), descriptor))
	clone := filepath.Join(s.t.TempDir(), "clone")
	s.git("", "clone", "--quiet", "--branch", branch, s.repo.Path(), clone)
	own := *s.hub
	own.clone = clone
	return &pull{street: s, hub: &own, number: opened.Number, head: head, opened: event, namespace: fmt.Sprintf("%s-pr-%d", s.service, opened.Number)}
}

// pull is one pull request.
type pull struct {
	street    *street
	hub       *hub
	number    int
	head      string
	opened    github.Event
	namespace string
}

// in is the pull request for a subtest.
func (p *pull) in(t *testing.T) *pull {
	hub, sub := *p.hub, *p
	hub.t, sub.hub = t, &hub
	return &sub
}

// command is the deploy action on an event of the pull request.
func (p *pull) command(event github.Event, ready string, env ...string) (*exec.Cmd, func() result) {
	return p.hub.command("deploy", event, map[string]string{
		"environment": "test", "kubeconfig": p.street.place.kubeconfig, "service": p.street.service, "image": p.street.ref.Context().Name(),
		"manifests": "deploy", "values": "ready: " + ready, "drain": "0s", "timeout": "1m", "preview": "true",
	}, env...)
}

// run deploys on the event that opened the pull request, and removes on any other, with the rights that the templates' jobs have.
func (p *pull) run(event github.Event) result {
	p.hub.t.Helper()
	var env []string
	if !bytes.Equal(event.Payload, p.opened.Payload) {
		token, err := p.hub.repo.NewToken(github.Bot, map[string]string{"pull-requests": "write", "deployments": "write"})
		p.hub.must(err)
		env = append(env, "INPUT_GITHUB_TOKEN="+token)
	}
	cmd, finish := p.command(event, "0s", env...)
	_ = cmd.Run()
	res := finish()
	res.code = cmd.ProcessState.ExitCode()
	return res
}

func (p *pull) close() github.Event {
	p.hub.t.Helper()
	event, err := p.hub.repo.ClosePullRequest(context.Background(), p.number, "ada")
	p.hub.must(err)
	return event
}

// exists says whether the preview's namespace is there.
func (p *pull) exists() bool {
	p.hub.t.Helper()
	_, err := p.hub.kube.CoreV1().Namespaces().Get(context.Background(), p.namespace, metav1.GetOptions{})
	if !cluster.IsNotFound(err) {
		p.hub.must(err)
	}
	return err == nil
}

// answer is what the preview says it is. This machine is a client like any other: its kube-proxy may learn of the endpoints a
// moment later than the run did.
func (p *pull) answer() string {
	p.hub.t.Helper()
	service, err := p.hub.kube.CoreV1().Services(p.namespace).Get(context.Background(), "quick", metav1.GetOptions{})
	p.hub.must(err)
	res, err := http.Get("http://" + service.Spec.ClusterIP)
	for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		res, err = http.Get("http://" + service.Spec.ClusterIP)
	}
	p.hub.must(err)
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.Header.Get("Version")
}

// deployments are the states of the pull request's deployments on GitHub.
func (p *pull) deployments() []github.Deployment {
	p.hub.t.Helper()
	all, err := p.hub.repo.Deployments()
	p.hub.must(err)
	var own []github.Deployment
	for _, d := range all {
		if d.Environment == fmt.Sprintf("preview/pr-%d", p.number) {
			own = append(own, d)
		}
	}
	return own
}

// TestPreviews is the life of previews through the real binary: made, side by side, closed in every order, swept.
func TestPreviews(t *testing.T) {
	t.Parallel()
	s := &street{hub: newHub(t), place: newPlace(t, "test"), service: "shop-" + strings.ToLower(rand.Text()[:6])}
	s.place.allowPreviews()
	pushed, err := testImage()
	s.must(err)
	s.ref, err = name.NewDigest(pushed)
	s.must(err)
	s.commit("main", map[string]string{"README.md": "main\n"})
	pulls := map[string]*pull{}
	for _, branch := range []string{"one", "two", "foreign", "during", "before", "killed", "leaked", "late"} {
		pulls[branch] = s.open(branch)
	}
	one, two := pulls["one"], pulls["two"]
	t.Cleanup(func() {
		for _, p := range pulls {
			_ = s.kube.CoreV1().Namespaces().Delete(context.Background(), p.namespace, metav1.DeleteOptions{})
		}
	})

	t.Run("two pull requests side by side", func(t *testing.T) {
		var wg sync.WaitGroup
		for _, p := range []*pull{one.in(t), two.in(t)} {
			wg.Go(func() { p.checkDeployed(p.run(p.opened)) })
		}
		wg.Wait()
		records, err := evidence.Read(t.Context(), image.Reference(s.ref.Context().Name(), s.ref.DigestStr()), nil)
		s.must(err)
		for _, r := range records {
			if r.Statement.Commit == one.head || r.Statement.Commit == two.head {
				t.Errorf("a preview left evidence: %+v", r)
			}
		}
	})
	if t.Failed() {
		return
	}
	t.Run("together", func(t *testing.T) {
		t.Run("closing removes one and leaves the other", func(t *testing.T) { t.Parallel(); one.in(t).checkClose(two.in(t)) })
		t.Run("a foreign namespace of the same name is left alone", func(t *testing.T) { t.Parallel(); pulls["foreign"].in(t).checkForeign() })
		t.Run("closed in the middle of the deployment", func(t *testing.T) { t.Parallel(); pulls["during"].in(t).checkClosedDuring() })
		t.Run("a run that was killed when it had made the namespace", func(t *testing.T) { t.Parallel(); pulls["killed"].in(t).checkKilled() })
		t.Run("closed, and its run over, when all is done but told", func(t *testing.T) { t.Parallel(); pulls["late"].in(t).checkClosedLate() })
		t.Run("closed, and its run over, before the namespace is made", func(t *testing.T) { t.Parallel(); pulls["before"].in(t).checkClosedBefore() })
	})
	t.Run("an event of a close that was taken back removes nothing", func(t *testing.T) { two.in(t).checkReopened() })
	t.Run("the sweep removes by age, and what was closed without a run", func(t *testing.T) { two.in(t).checkSweep(pulls["leaked"].in(t)) })
	t.Run("nothing is left", func(t *testing.T) {
		for branch, p := range pulls {
			if branch != "foreign" && p.in(t).exists() {
				t.Errorf("Namespace/%s is still there", p.namespace)
			}
		}
	})
	t.Run("what was open comes back when its deployment runs again", func(t *testing.T) { two.in(t).checkRedeployed() })
}

func (p *pull) checkDeployed(res result) {
	t := p.hub.t
	t.Helper()
	if res.code != 0 || res.outputs["result"] != "deployed" || res.outputs["url"] != "http://quick."+p.namespace+".svc" {
		t.Errorf("#%d ended with %d, %v\n%s", p.number, res.code, res.outputs, res.output)
		return
	}
	if got, want := p.answer(), fmt.Sprintf("pr-%d", p.number); got != want {
		t.Errorf("the preview answers as %q, want %q", got, want)
	}
	n, err := p.hub.kube.CoreV1().Namespaces().Get(t.Context(), p.namespace, metav1.GetOptions{})
	p.hub.must(err)
	for label, want := range map[string]string{
		cluster.LabelEnvironment: "test", cluster.LabelPreview: fmt.Sprint(p.number), cluster.LabelRepository: strings.ReplaceAll(p.hub.name, "/", "."), cluster.LabelService: p.street.service,
	} {
		if n.Labels[label] != want {
			t.Errorf("label %s is %q, want %q", label, n.Labels[label], want)
		}
	}
	if until, err := time.Parse(time.RFC3339, n.Annotations[cluster.AnnotationExpires]); err != nil || time.Until(until) < 71*time.Hour {
		t.Errorf("its time is up at %q, want in 72 h", n.Annotations[cluster.AnnotationExpires])
	}
	if n.Annotations[cluster.AnnotationRepository] != p.hub.name {
		t.Errorf("annotations are %v", n.Annotations)
	}
	d := p.deployments()
	if len(d) != 1 || !d[0].Transient || d[0].State() != "success" || d[0].Statuses[len(d[0].Statuses)-1].EnvironmentURL != res.outputs["url"] {
		t.Errorf("deployments on GitHub: %+v", d)
	}
	statuses, err := p.hub.repo.Statuses(p.head)
	p.hub.must(err)
	for _, status := range statuses {
		if status.Context != "promote/preview" {
			t.Errorf("status %q is set; a preview must not pass for another environment", status.Context)
		}
	}
	if board := p.board(); !strings.Contains(board, "deployed") || !strings.Contains(board, res.outputs["url"]) {
		t.Errorf("the board reads\n%s", board)
	}
}

// board is the pull request's comment.
func (p *pull) board() string {
	p.hub.t.Helper()
	comments, err := p.hub.repo.Comments(p.number)
	p.hub.must(err)
	if len(comments) == 0 {
		return ""
	}
	return comments[0].Body
}

func (p *pull) checkClose(other *pull) {
	t, event := p.hub.t, p.close()
	if res := p.run(event); res.code != 0 || res.outputs["result"] != "removed" {
		t.Errorf("closing ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	if p.exists() {
		t.Error("the run ended, and the namespace is still there")
	}
	if got := other.answer(); got != fmt.Sprintf("pr-%d", other.number) {
		t.Errorf("the other answers as %q", got)
	}
	if d := p.deployments(); d[0].State() != "inactive" {
		t.Errorf("the deployment is %q", d[0].State())
	}
	if board := p.board(); !strings.Contains(board, "removed") || strings.Contains(board, ".svc") {
		t.Errorf("the board reads\n%s", board)
	}
	if res := p.run(event); res.code != 0 || res.outputs["result"] != "unchanged" {
		t.Errorf("closing once more ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
}

func (p *pull) checkForeign() {
	t, ctx := p.hub.t, context.Background()
	made, err := p.hub.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: p.namespace, Labels: map[string]string{cluster.LabelEnvironment: "test"},
	}}, metav1.CreateOptions{})
	p.hub.must(err)
	if res := p.run(p.opened); res.code != 1 || !strings.Contains(res.output, "it has no label promote.dev/preview") {
		t.Errorf("deploying ended with %d\n%s", res.code, res.output)
	}
	if res := p.run(p.close()); res.code != 0 || !strings.Contains(res.output, "left alone") {
		t.Errorf("closing ended with %d\n%s", res.code, res.output)
	}
	left, err := p.hub.kube.CoreV1().Namespaces().Get(ctx, p.namespace, metav1.GetOptions{})
	p.hub.must(err)
	if left.UID != made.UID || left.ResourceVersion != made.ResourceVersion {
		t.Errorf("the namespace was %+v and is %+v", made.ObjectMeta, left.ObjectMeta)
	}
	if leases, err := p.hub.kube.CoordinationV1().Leases(p.namespace).List(ctx, metav1.ListOptions{}); err != nil || len(leases.Items) > 0 {
		t.Errorf("leases in it: %v, %v", leases.Items, err)
	}
}

// make makes the namespace as a run does that is killed right after: nobody was given a right in it yet.
func (p *pull) make() {
	p.hub.t.Helper()
	_, err := p.street.place.runner().CoreV1().Namespaces().Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: p.namespace,
		Labels: map[string]string{
			cluster.LabelEnvironment: "test", cluster.LabelPreview: fmt.Sprint(p.number), cluster.LabelRepository: strings.ReplaceAll(p.hub.name, "/", "."), cluster.LabelService: p.street.service,
		},
		Annotations: map[string]string{cluster.AnnotationRepository: p.hub.name},
	}}, metav1.CreateOptions{})
	p.hub.must(err)
}

func (p *pull) checkKilled() {
	t := p.hub.t
	p.make()
	if res := p.run(p.close()); res.code != 0 || res.outputs["result"] != "removed" {
		t.Errorf("closing ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	if board := p.board(); board != "" {
		t.Errorf("a pull request that never had a preview got a board:\n%s", board)
	}
}

// checkReopened plays the close's event for a pull request that is open.
func (p *pull) checkReopened() {
	late := github.Event{Name: p.opened.Name, Payload: bytes.Replace(p.opened.Payload, []byte(`"action": "opened"`), []byte(`"action": "closed"`), 1)}
	if res := p.run(late); res.code != 0 || !strings.Contains(res.output, "is open again") || !p.exists() {
		p.hub.t.Errorf("the late close ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
}

// checkClosedDuring closes the pull request when the candidate's pod is there and not ready, and lets the close's run go at once.
func (p *pull) checkClosedDuring() {
	t := p.hub.t
	cmd, finish := p.command(p.opened, "1h")
	p.hub.must(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	middle := *p.street.place
	middle.t, middle.namespace = t, p.namespace
	middle.awaitPods(1, ended)
	closing := p.run(p.close())
	err := <-ended
	res := finish()
	if err != nil || res.outputs["result"] != "removed" || !strings.Contains(res.output, "::notice") {
		t.Errorf("the deployment ended with %v, %v\n%s", err, res.outputs, res.output)
	}
	if closing.code != 0 || closing.outputs["result"] != "removed" {
		t.Errorf("closing ended with %d, %v\n%s", closing.code, closing.outputs, closing.output)
	}
	if p.exists() {
		t.Error("the namespace is still there")
	}
	if d := p.deployments(); len(d) != 1 || d[0].State() != "inactive" {
		t.Errorf("deployments on GitHub: %+v", d)
	}
}

// checkClosedBefore lets the close and the whole of its run happen between the moment in which GitHub says for the last time that
// the pull request is open and the moment in which the deployment hears it and makes the namespace.
func (p *pull) checkClosedBefore() {
	t := p.hub.t
	var closing result
	// The first look is the start's, the second that of the approvals, the third that before the namespace is made.
	at := p.holdGitHub(func(n int) bool { return n == 3 }, func() { closing = p.run(p.close()) })
	cmd, finish := p.command(p.opened, "0s", "GITHUB_API_URL="+at)
	err := cmd.Run()
	res := finish()
	if closing.code != 0 || closing.outputs["result"] != "unchanged" {
		t.Errorf("closing ended with %d, %v: it must have found nothing\n%s", closing.code, closing.outputs, closing.output)
	}
	if err != nil || res.outputs["result"] != "removed" || !strings.Contains(res.output, "Namespace/"+p.namespace+" is gone") {
		t.Errorf("the deployment ended with %v, %v: it must have made the namespace and removed it\n%s", err, res.outputs, res.output)
	}
	if p.exists() {
		t.Error("the namespace is still there")
	}
}

// checkClosedLate lets the close and its run happen when GitHub has said for the last time that the pull request is open, and the
// release serves: the deployment must not say of what is gone that it is there.
func (p *pull) checkClosedLate() {
	t := p.hub.t
	var closing result
	at := p.holdGitHub(func(int) bool {
		_, err := p.hub.kube.CoreV1().Services(p.namespace).Get(context.Background(), "quick", metav1.GetOptions{})
		return err == nil
	}, func() { closing = p.run(p.close()) })
	cmd, finish := p.command(p.opened, "0s", "GITHUB_API_URL="+at)
	err := cmd.Run()
	res := finish()
	if closing.code != 0 || closing.outputs["result"] != "removed" || p.exists() {
		t.Errorf("closing ended with %d, %v\n%s", closing.code, closing.outputs, closing.output)
	}
	if err != nil || res.outputs["result"] != "deployed" {
		t.Errorf("the deployment ended with %v, %v\n%s", err, res.outputs, res.output)
	}
	if d := p.deployments(); len(d) != 1 || d[0].State() != "inactive" {
		t.Errorf("deployments on GitHub: %+v", d)
	}
	if board := p.board(); !strings.Contains(board, "removed") || strings.Contains(board, ".svc") {
		t.Errorf("the board reads\n%s", board)
	}
}

// holdGitHub gives the address of a proxy before GitHub that does something once, between GitHub's answer about the pull request and
// its delivery: the first time that it is asked for and when holds for the count of it.
func (p *pull) holdGitHub(when func(int) bool, do func()) string {
	target, err := url.Parse(p.hub.gh.URL())
	p.hub.must(err)
	path := fmt.Sprintf("/repos/%s/pulls/%d", p.hub.name, p.number)
	var mu sync.Mutex
	seen, done := 0, false
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			mu.Lock()
			defer mu.Unlock()
			if !done && strings.HasSuffix(r.Request.URL.Path, path) {
				if seen++; when(seen) {
					done = true
					do()
				}
			}
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	p.hub.t.Cleanup(server.Close)
	return server.URL
}

// checkSweep lets the preview's time be up, and has the pull request of another closed without a run.
func (p *pull) checkSweep(leaked *pull) {
	t := p.hub.t
	event := github.Event{Name: "schedule", Payload: []byte(`{"schedule":"17 * * * *","workflow":".github/workflows/sweep-previews.yml"}`)}
	leaked.make()
	if res := p.run(event); res.code != 0 || res.outputs["result"] != "unchanged" || !p.exists() || !leaked.exists() {
		t.Errorf("a sweep with nothing due ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	p.expire(time.Now().Add(-time.Second))
	leaked.close()
	res := p.run(event)
	if res.code != 0 || res.outputs["result"] != "removed" || p.exists() || leaked.exists() {
		t.Errorf("the sweep ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	for _, want := range []string{p.namespace, "its time was up", leaked.namespace, "the pull request is closed"} {
		if !strings.Contains(res.summary, want) {
			t.Errorf("the summary lacks %q:\n%s", want, res.summary)
		}
	}
	if d := p.deployments(); d[0].State() != "inactive" {
		t.Errorf("the deployment is %q", d[0].State())
	}
}

func (p *pull) checkRedeployed() {
	p.hub.t.Helper()
	res := p.run(p.opened)
	if res.outputs["result"] != "deployed" || p.answer() != fmt.Sprintf("pr-%d", p.number) {
		p.hub.t.Errorf("deploying again ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	d := p.deployments()
	if len(d) != 2 || d[0].State() != "inactive" || d[1].State() != "success" {
		p.hub.t.Errorf("deployments on GitHub: %+v", d)
	}
}

// expire moves the time at which the preview's time is up.
func (p *pull) expire(at time.Time) {
	p.hub.t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{cluster.AnnotationExpires: at.UTC().Format(time.RFC3339)}}})
	p.hub.must(err)
	_, err = p.hub.kube.CoreV1().Namespaces().Patch(context.Background(), p.namespace, types.MergePatchType, patch, metav1.PatchOptions{})
	p.hub.must(err)
}

// TestWithoutTheRoleAPreviewIsRefusedByName runs with docs/role.yaml alone.
func TestWithoutTheRoleAPreviewIsRefusedByName(t *testing.T) {
	t.Parallel()
	s := &street{hub: newHub(t), place: newPlace(t, "test"), service: "shop-" + strings.ToLower(rand.Text()[:6])}
	pushed, err := testImage()
	s.must(err)
	s.ref, err = name.NewDigest(pushed)
	s.must(err)
	s.commit("main", map[string]string{"README.md": "main\n"})
	p := s.open("one")
	res := p.run(p.opened)
	for _, want := range []string{"create namespaces", "get namespaces", "create rolebindings.rbac.authorization.k8s.io", "bind clusterroles.rbac.authorization.k8s.io/promote-preview-inside", "docs/role-preview.yaml"} {
		if !strings.Contains(res.output, want) {
			t.Errorf("the error does not name %q", want)
		}
	}
	if res.code != 1 || p.exists() {
		t.Errorf("it ended with %d\n%s", res.code, res.output)
	}
}
