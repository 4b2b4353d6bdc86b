//go:build lab

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/org/promote/lab/github"
	generator "github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
)

// shop is a service that clients reach through a load balancer; VERSION is what its answers carry.
const shop = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: shop
          image: "{{ .Image }}"
          args: [-version=VERSION]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
          ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {type: LoadBalancer, selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
`

// ask is the part of the tests that asks the candidate: five times, each over a connection of its own, so that the port-forward
// must find a pod each time.
const ask = `
for i in 1 2 3 4 5; do
  curl --silent --show-error --fail --max-time 60 --dump-header "$DIR/header" --output /dev/null "$PROMOTE_URL/"
  grep -qi "^X-Version: $WANT" "$DIR/header"
  grep -i "^Pod: " "$DIR/header" >>"$DIR/pods"
done
`

// counter is a place with a repository whose service "shop" serves version one, under a load that is logged.
type counter struct {
	*hub
	place *place
	image string // the repository, which is this test's own: evidence is written beside the image
	built v1.Image
	dir   string // what test commands and the test tell each other
	load  *generator.Run
	log   *os.File
}

func openShop(t *testing.T) *counter {
	t.Helper()
	s := &counter{hub: newHub(t), place: newPlace(t, "test"), dir: t.TempDir()}
	pushed, err := testImage()
	s.must(err)
	ref, err := name.NewDigest(pushed)
	s.must(err)
	s.built, err = remote.Image(ref)
	s.must(err)
	s.image = s.repository("shop")
	if res := s.deploy("one", nil)(); res.outputs["result"] != "deployed" {
		t.Fatalf("the first version was not deployed:\n%s", res.output)
	}
	c := s.place.connect()
	url, err := c.Address(t.Context(), "shop", true)
	s.must(err)
	await(t, url)
	s.log, err = os.Create(filepath.Join(s.dir, "load.log"))
	s.must(err)
	t.Cleanup(func() { _ = s.log.Close() })
	// A kept connection lives for 5 requests of 5 a second, so for less than the drain: none is left on a pod that ends.
	s.load, err = generator.Start(t.Context(), generator.Config{
		URL: url, Rate: 50, KeepAlive: 0.5, Clients: 5, PerConnection: 5, Scenario: generator.Get("/"), Log: s.log,
	})
	s.must(err)
	return s
}

// deploy starts the deployment of a version of the shop that is on main; wait gives how it ended.
func (s *counter) deploy(version string, more map[string]string) (wait func() result) {
	s.t.Helper()
	head := s.commit("main", map[string]string{"deploy/shop.yaml": strings.ReplaceAll(shop, "VERSION", version)})
	return s.start(head, s.byHand(head), more)
}

// propose starts the deployment of a version that a pull request brings.
func (s *counter) propose(version string, more map[string]string) (number int, wait func() result) {
	s.t.Helper()
	pull, head, event := s.pull("add-"+version, map[string]string{"deploy/shop.yaml": strings.ReplaceAll(shop, "VERSION", version)})
	return pull.Number, s.start(head, event, more)
}

func (s *counter) start(head string, event github.Event, more map[string]string) (wait func() result) {
	s.t.Helper()
	tag, err := name.NewTag(s.image + ":" + head)
	s.must(err)
	s.must(remote.Write(tag, s.built))
	inputs := map[string]string{
		"environment": "test", "namespace": s.place.namespace, "kubeconfig": s.place.kubeconfig, "service": "shop", "image": s.image,
		"manifests": "deploy", "drain": settle.String(), "timeout": "2m",
	}
	for k, v := range more {
		inputs[k] = v
	}
	cmd, finish := s.command("deploy", event, inputs)
	s.must(cmd.Start())
	ended := make(chan result, 1)
	go func() {
		_ = cmd.Wait()
		res := finish()
		res.code = cmd.ProcessState.ExitCode()
		ended <- res
	}()
	return func() result { return <-ended }
}

// tells waits until a command has written a file and gives what is in it.
func (s *counter) tells(name string) string {
	s.t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(s.dir, name)); err == nil && strings.HasSuffix(string(text), "\n") {
			return strings.TrimSpace(string(text))
		}
	}
	s.t.Fatalf("no command wrote the file %s", name)
	return ""
}

// at is a time that a command has written as nanoseconds.
func (s *counter) at(name string) time.Time {
	s.t.Helper()
	n, err := strconv.ParseInt(s.tells(name), 10, 64)
	s.must(err)
	return time.Unix(0, n)
}

// answers ends the load and gives its log, in which nothing may have failed.
func (s *counter) answers() []generator.Record {
	s.t.Helper()
	_, err := s.load.Stop()
	s.must(err)
	_, err = s.log.Seek(0, 0)
	s.must(err)
	records, err := generator.ReadLog(s.log)
	s.must(err)
	sum := generator.Summarize(records)
	s.t.Logf("%s", sum)
	if sum.Failures > 0 || sum.Requests < 100 {
		s.t.Errorf("%d of %d requests failed", sum.Failures, sum.Requests)
	}
	return records
}

// test is the statement about the environment test.
func (s *counter) test() evidence.Link {
	s.t.Helper()
	digest, err := s.built.Digest()
	s.must(err)
	records, err := evidence.Read(s.t.Context(), image.Reference(s.image, digest.String()), nil)
	s.must(err)
	return evidence.Chain(records, digest.String())[2]
}

// TestTheCandidateMeetsNoClientBeforeItsTestsPass deploys under load. The tests take seconds, and in their middle all pods of
// the candidate are deleted; what the load's log says about who answered when is the proof.
func TestTheCandidateMeetsNoClientBeforeItsTestsPass(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	wait := s.deploy("two", map[string]string{
		"test-env":      "WANT=two\nDIR=" + s.dir,
		"reset-command": `echo "$PROMOTE_URL" >"$DIR/reset"`,
		"test-command": `env >"$DIR/environ"; echo "$PROMOTE_URL" >"$DIR/url"; date +%s%N >"$DIR/began"` + ask +
			`touch "$DIR/half"; until [ -e "$DIR/deleted" ]; do sleep 0.05; done` + ask +
			`echo '<testsuite><testcase name="buys" time="1.5"/><testcase name="later"><skipped/></testcase></testsuite>' >"report-two.xml"` +
			"\nprintf '\\n::error::from the tests\\n'; date +%s%N >\"$DIR/passed\"\n",
		"test-junit": "report-*.xml",
	})
	began := s.at("began")
	for {
		if _, err := os.Stat(filepath.Join(s.dir, "half")); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	state, err := s.place.connect().LoadState(t.Context(), "shop")
	s.must(err)
	s.must(s.kube.CoreV1().Pods(s.place.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: new(int64)},
		metav1.ListOptions{LabelSelector: cluster.LabelRelease + "=" + state.Candidate.ID}))
	s.must(os.WriteFile(filepath.Join(s.dir, "deleted"), nil, 0o600))

	res := wait()
	if res.outputs["result"] != "deployed" {
		t.Fatalf("exit code %d\n%s", res.code, res.output)
	}
	passed := s.at("passed")
	time.Sleep(500 * time.Millisecond) // of traffic for the version that serves now
	records := s.answers()
	t.Logf("the tests took %s", passed.Sub(began))
	for _, r := range records {
		if r.Version == "two" && r.Time.Before(passed) {
			t.Errorf("a request of %s was answered by the candidate, %s before its tests passed", r.Time, passed.Sub(r.Time))
		}
	}
	if during := generator.Summarize(generator.Between(records, began, passed)); during.Requests < 20 || len(during.Versions) != 1 || during.Versions[0].Name != "one" {
		t.Errorf("while the tests ran: %s", during)
	}
	if last := records[len(records)-1]; last.Version != "two" {
		t.Errorf("the last request was answered by %q", last.Version)
	}

	t.Run("other pods answered the second half of the tests than the first", func(t *testing.T) {
		pods := strings.Fields(strings.ReplaceAll(s.tells("pods"), "Pod: ", ""))
		if len(pods) != 10 || slices.ContainsFunc(pods[5:], func(pod string) bool { return slices.Contains(pods[:5], pod) }) {
			t.Errorf("these answered: %v", pods)
		}
	})
	t.Run("the reset came first, with the same URL", func(t *testing.T) {
		if reset, url := s.tells("reset"), s.tells("url"); reset != url || !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Errorf("the reset got %q, the tests %q", reset, url)
		}
	})
	t.Run("what the tests came to is in outputs, summary and evidence", func(t *testing.T) {
		if got := []string{res.outputs["tests"], res.outputs["tests-failed"], res.outputs["tests-skipped"]}; !cmp.Equal(got, []string{"2", "0", "1"}) {
			t.Errorf("the outputs are %q", got)
		}
		if !strings.Contains(res.summary, "1 test passed, 1 skipped") || !strings.Contains(res.summary, "Slowest tests") {
			t.Errorf("the summary has no tests:\n%s", res.summary)
		}
		if diff := cmp.Diff(&evidence.Tests{Total: 2, Skipped: 1}, s.test().Tests); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the tests had no credentials, and no way to steer the job", func(t *testing.T) {
		environ, err := os.ReadFile(filepath.Join(s.dir, "environ"))
		s.must(err)
		for _, bad := range []string{"AWS_", "INPUT_", "KUBECONFIG", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "DOCKER_CONFIG"} {
			if strings.Contains("\n"+string(environ), "\n"+bad) {
				t.Errorf("they had %s", bad)
			}
		}
		if strings.Contains("\n"+res.output, "\n::error::from the tests") {
			t.Error("a line that they printed is a command to the runner")
		}
	})
}

// TestACandidateThatFailsItsTestsMeetsNoClient does not get that far: its tests fail after a while, by their report alone; then
// a reset fails before any test.
func TestACandidateThatFailsItsTestsMeetsNoClient(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	before := s.snapshot(s.place.namespace)
	number, wait := s.propose("bad", map[string]string{
		"test-env": "WANT=bad\nDIR=" + s.dir,
		"test-command": `date +%s%N >"$DIR/began"` + ask + "sleep 1" + ask +
			`echo '<testsuite><testcase name="looks"/><testcase name="buys"><failure message="deploy/shop.yaml:3: want 7"/></testcase></testsuite>' >"report.xml"`,
		"test-junit": "*.xml",
	})
	res := wait()
	if res.code != 1 || !strings.Contains(res.output, "testing the candidate: 1 of 2 tests failed: buys; the command ended with exit code 0 all the same") {
		t.Errorf("exit code %d\n%s", res.code, res.output)
	}
	if !strings.Contains(res.summary, "❌ buys at deploy/shop.yaml:3") || !strings.Contains(res.output, "::error file=deploy/shop.yaml,line=3,title=Test failed%3A buys") {
		t.Errorf("the failure is not where it can be seen:\n%s\n%s", res.summary, res.output)
	}
	board, err := s.repo.Comments(number)
	s.must(err)
	if len(board) != 1 || !strings.Contains(board[0].Body, "1 of 2 tests failed") {
		t.Errorf("the board does not say what failed: %+v", board)
	}
	if link := s.test(); link.Result != string(evidence.Revoked) || !cmp.Equal(link.Tests, &evidence.Tests{Total: 2, Failed: 1}) {
		t.Errorf("the statement is %+v, with %+v", link, link.Tests)
	}
	reset := s.deploy("worse", map[string]string{"test-env": "DIR=" + s.dir, "reset-command": "echo no database >&2; exit 9", "test-command": `echo yes >"$DIR/tested"`})()
	if reset.code != 1 || !strings.Contains(reset.output, "resetting before the tests: ") || !strings.Contains(reset.output, "exit code 9") {
		t.Errorf("exit code %d\n%s", reset.code, reset.output)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "tested")); err == nil {
		t.Error("tests ran after a reset that failed")
	}
	// A Deployment's pods are deleted by the cluster, after it.
	after := s.snapshot(s.place.namespace)
	for until := time.Now().Add(20 * time.Second); after != before && time.Now().Before(until); after = s.snapshot(s.place.namespace) {
		time.Sleep(100 * time.Millisecond)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("something is left of the candidates, or the baseline was touched:\n%s", diff)
	}
	records := s.answers()
	if sum := generator.Summarize(records); len(sum.Versions) != 1 || sum.Versions[0].Name != "one" {
		t.Errorf("clients met a candidate: %s", sum)
	}
	if during := generator.Between(records, s.at("began"), time.Now()); len(during) < 100 {
		t.Errorf("only %d requests were sent meanwhile", len(during))
	}
}
