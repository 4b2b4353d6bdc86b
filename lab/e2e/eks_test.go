//go:build lab

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/eks"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
)

// gated is a Deployment whose pod is ready when the test says so.
const gated = `apiVersion: apps/v1
kind: Deployment
metadata: {name: gated}
spec:
  selector: {matchLabels: {app: gated}}
  template:
    metadata: {labels: {app: gated}}
    spec:
      terminationGracePeriodSeconds: 1
      readinessGates: [{conditionType: promote.dev/test}]
      containers:
      - name: app
        image: {{.}}
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
`

// runnerKey is a session of the runner's role.
func runnerKey(n int) aws.Key {
	return aws.Key{AccessKey: fmt.Sprintf("ASIARUNNER%d", n), SecretKey: fmt.Sprintf("runner-key-%d", n), SessionToken: fmt.Sprintf("session-%d", n), Role: "runner", Allow: []string{""}}
}

const runnerRole = "arn:aws:iam::000000000000:role/runner"

// credentialsFile keeps a key where the AWS SDK finds it.
func credentialsFile(t *testing.T) (path string, write func(aws.Key)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "credentials")
	return path, func(k aws.Key) {
		text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", k.AccessKey, k.SecretKey, k.SessionToken)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAWaitOutlivesItsToken waits for a pod through 20 minutes of simulated time, in which the API server ends the watches every
// five. A token lives 15. Then the key is rotated and its session ends, and after that the pod becomes ready.
func TestAWaitOutlivesItsToken(t *testing.T) {
	p := newPlace(t, "test")
	double, err := aws.Start(t.Context(), aws.Options{AccessKey: accessKey, SecretKey: secretKey})
	p.must(double, err)
	f := newFront(t, p, double)
	p.must(nil, double.PutAccessEntry(eksName, runnerRole, "promote"))
	p.must(nil, double.AddKey(runnerKey(1)))
	file, write := credentialsFile(t)
	write(runnerKey(1))
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": double.URL(), "AWS_REGION": "eu-west-1", "AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": "/dev/null",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
	found, err := eks.Open(t.Context(), eks.Config{Name: eksName, Clock: f.clock})
	p.must(found, err)
	c, err := cluster.Connect(cluster.Config{Namespace: p.namespace, Endpoint: &cluster.Endpoint{URL: found.Endpoint, CA: found.CA, Reach: found.Reach, Identity: found}})
	p.must(c, err)

	refs := p.apply(c, gated)
	first, err := found.Token(t.Context(), "")
	p.must(first, err)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait(t.Context(), refs, nil) }()
	awaitOr(t, "the first watch", ended, func() bool { return f.podWatches() > 0 })
	for minute := 1; minute <= 20; minute++ {
		f.advance(time.Minute)
		if minute%5 == 0 {
			before := f.podWatches()
			f.endWatches()
			awaitOr(t, fmt.Sprintf("the watch of minute %d", minute), ended, func() bool { return f.podWatches() > before })
		}
	}
	if _, err := double.Authenticate(first, eksName, f.clock()); err == nil {
		t.Error("the token of the beginning is still good: this test proves nothing")
	}
	taken, refused, _ := f.look()
	if len(taken) < 2 || len(refused) > 0 {
		t.Errorf("%d tokens were used, want at least 2, and these refused: %q", len(taken), refused)
	}

	gone := runnerKey(1)
	gone.Expires = time.Now()
	p.must(nil, double.AddKey(runnerKey(2)))
	p.must(nil, double.AddKey(gone))
	write(runnerKey(2))
	f.advance(time.Minute)
	before := f.podWatches()
	f.endWatches()
	awaitOr(t, "the watch with the new key", ended, func() bool { return f.podWatches() > before })
	_, refused, watches := f.look()
	if len(refused) == 0 || !strings.Contains(refused[0], "ExpiredToken") {
		t.Errorf("the old key's token was refused with %q, want ExpiredToken", refused)
	}
	if last := watches[len(watches)-1]; last.key != runnerKey(2).AccessKey {
		t.Errorf("the last watch came with key %s", last.key)
	}

	pods, err := p.admin.CoreV1().Pods(p.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=gated"})
	p.must(pods, err)
	for _, pod := range pods.Items {
		_, err := p.admin.CoreV1().Pods(p.namespace).Patch(t.Context(), pod.Name, types.StrategicMergePatchType,
			[]byte(`{"status":{"conditions":[{"type":"promote.dev/test","status":"True"}]}}`), metav1.PatchOptions{}, "status")
		p.must(nil, err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the wait ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the wait does not see that the pod is ready")
	}
}

// ship makes a pull request with a manifest, and tags the test image with its head.
func (h *hub) ship(branch, manifest string) (image string, opened github.Event) {
	h.t.Helper()
	pushed, err := testImage()
	h.must(err)
	ref, err := name.NewDigest(pushed)
	h.must(err)
	descriptor, err := remote.Get(ref)
	h.must(err)
	h.commit("main", map[string]string{"README.md": branch + "\n"})
	_, head, opened := h.pull(branch, map[string]string{"deploy/" + branch + ".yaml": manifest})
	h.must(remote.Tag(ref.Context().Tag(head), descriptor))
	return ref.Context().Name(), opened
}

// TestDeployFindsItsEKSCluster deploys by the cluster's name, with a runner whose KUBECONFIG is another cluster's. In the middle
// of it every token there was is refused.
func TestDeployFindsItsEKSCluster(t *testing.T) {
	h, p := newHub(t), newPlace(t, "test")
	f := newFront(t, p, h.aws)
	h.must(h.aws.AddKey(runnerKey(1)))
	image, opened := h.ship("slow", strings.Replace(slow, "-ready-after=6s", "-ready-after=4s", 1))
	inputs := map[string]string{
		"environment": "test", "namespace": p.namespace, "cluster": eksName, "aws-region": "eu-west-1", "service": "slow", "image": image, "manifests": "deploy", "drain": "0s",
		"test-command": `curl --fail --silent --show-error "$PROMOTE_URL/ready" && env && tr '\0' ' ' < /proc/$PPID/cmdline`,
	}
	k := runnerKey(1)
	env := []string{"AWS_ACCESS_KEY_ID=" + k.AccessKey, "AWS_SECRET_ACCESS_KEY=" + k.SecretKey, "AWS_SESSION_TOKEN=" + k.SessionToken, "KUBECONFIG=/does/not/exist"}
	with := func(change map[string]string) map[string]string {
		all := maps.Clone(inputs)
		maps.Copy(all, change)
		return all
	}

	plan := map[string]string{"mode": "plan", "monitor-url": "http://127.0.0.1:1", "checks": `- {name: errors, type: ratio, bad: 'r{release="$release"}[$window]', total: 'r{release="$release"}[$window]', max: 0.01}`}
	for _, name := range []string{"environment", "namespace", "cluster", "aws-region", "service", "image", "manifests"} {
		plan[name] = inputs[name]
	}

	noEntry := []string{"aws eks create-access-entry --region eu-west-1 --cluster-name lab --principal-arn '" + runnerRole + "'"}
	for _, tc := range []struct {
		name, action string
		inputs       map[string]string
		want         []string
	}{
		{"a cluster that does not exist", "deploy", with(map[string]string{"cluster": "lob"}), []string{"`cluster`", "lob", "eu-west-1", "ResourceNotFound"}},
		{"two clusters", "deploy", with(map[string]string{"kubeconfig": p.kubeconfig}), []string{"cluster", "kubeconfig", "both set"}},
		{"a role without an access entry", "deploy", inputs, noEntry},
		{"a role without an access entry, to canary", "canary", plan, noEntry},
	} {
		t.Run(tc.name+" is one clear error", func(t *testing.T) {
			res := h.run(tc.action, opened, tc.inputs, env...)
			errors := annotations(res.output)
			if res.code != 1 || len(errors) != 1 || res.took > 5*time.Second {
				t.Fatalf("exit code %d after %s, %d errors:\n%s", res.code, res.took, len(errors), res.output)
			}
			for _, want := range tc.want {
				if !strings.Contains(errors[0], want) {
					t.Errorf("the error does not say %q:\n%s", want, errors[0])
				}
			}
		})
	}

	h.must(h.aws.PutAccessEntry(eksName, runnerRole, "promote"))
	t.Run("a namespace in which the group has no rights is one clear error", func(t *testing.T) {
		res := h.run("deploy", opened, with(map[string]string{"namespace": "kube-public"}), env...)
		if errors := annotations(res.output); res.code != 1 || len(errors) != 1 || !strings.Contains(errors[0], "aws eks update-access-entry") || !strings.Contains(errors[0], "docs/role.yaml") {
			t.Errorf("exit code %d:\n%s", res.code, res.output)
		}
	})
	t.Run("canary finds it too", func(t *testing.T) {
		if res := h.run("canary", opened, plan, env...); res.code != 0 || res.outputs["result"] != "planned" {
			t.Errorf("exit code %d:\n%s", res.code, res.output)
		}
		plan["cluster"] = "lob"
		if res := h.run("canary", opened, plan, env...); res.code != 1 || !strings.Contains(res.output, "lob") {
			t.Errorf("exit code %d:\n%s", res.code, res.output)
		}
	})
	f.forget()
	described := len(h.aws.Requests())
	cmd, finish := h.command("deploy", opened, inputs, env...)
	h.must(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	awaitOr(t, "a token of three seconds", ended, func() bool {
		taken, _, _ := f.look()
		return f.podWatches() > 0 && slices.ContainsFunc(slices.Collect(maps.Values(taken)), func(s seen) bool { return time.Since(s.Signed) > 3*time.Second })
	})
	f.revoke()
	f.endWatches()
	err := <-ended
	res := finish()
	if err != nil || res.outputs["result"] != "deployed" {
		t.Fatalf("the action ended with %v, result %q\n%s", err, res.outputs["result"], res.output)
	}
	service, err := p.admin.CoreV1().Services(p.namespace).Get(t.Context(), "slow", metav1.GetOptions{})
	h.must(err)
	if served := service.Spec.Selector[cluster.LabelRelease]; served != res.outputs["release"] {
		t.Errorf("Service/%s/slow selects %q, want %q", p.namespace, served, res.outputs["release"])
	}
	taken, refused, _ := f.look()
	if len(taken) != 2 || !slices.Contains(refused, "revoked") {
		t.Errorf("%d tokens were taken, want 2: one and, when it was refused, another; refused %q", len(taken), refused)
	}
	for where, text := range map[string]string{"output": res.output, "summary": res.summary, "outputs": fmt.Sprint(res.outputs)} {
		for token := range taken {
			if strings.Contains(text, "k8s-aws-v1.") || strings.Contains(text, token[len("k8s-aws-v1."):][:60]) {
				t.Errorf("a token is in the %s", where)
			}
		}
	}
	if !strings.Contains(res.output, "PROMOTE_URL=") {
		t.Error("the test command did not show its environment: that no token is in it is not proven")
	}
	calls := 0
	for _, r := range h.aws.Requests()[described:] {
		if r.Service == "eks" {
			calls++
		}
	}
	if calls != 1 {
		t.Errorf("EKS was asked %d times, want once", calls)
	}
}

// TestDeployFromInsideItsCluster runs the action with a pod's surroundings: the service account's files where Kubernetes puts
// them, in a file system of its own, and neither a cluster nor a kubeconfig named.
func TestDeployFromInsideItsCluster(t *testing.T) {
	h, p := newHub(t), newPlace(t, "test")
	image, opened := h.ship("quick", quick)
	config, err := clientcmd.BuildConfigFromFlags("", p.kubeconfig)
	h.must(err)
	account := t.TempDir()
	h.must(os.WriteFile(filepath.Join(account, "token"), []byte(config.BearerToken), 0o600),
		os.WriteFile(filepath.Join(account, "ca.crt"), config.CAData, 0o600), os.WriteFile(filepath.Join(account, "namespace"), []byte(p.namespace), 0o600))
	host, port, _ := strings.Cut(p.wire.address(), ":")

	deploy := func(env ...string) result {
		cmd, finish := h.command("deploy", opened, map[string]string{
			"environment": "test", "namespace": p.namespace, "service": "quick", "image": image, "manifests": "deploy", "drain": "0s",
		}, append([]string{"KUBECONFIG=", "KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port}, env...)...)
		// A mount namespace of its own: nobody else sees these files.
		inside := `mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io && cp -r "$1" /run/secrets/kubernetes.io/serviceaccount && exec "$2"`
		wrapped := exec.Command("unshare", "--mount", "sh", "-c", inside, "sh", account, cmd.Path)
		wrapped.Dir, wrapped.Env, wrapped.Stdout, wrapped.Stderr = cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr
		_ = wrapped.Run() // the exit code says it
		res := finish()
		res.code = wrapped.ProcessState.ExitCode()
		return res
	}
	if res := deploy(); res.code != 0 || res.outputs["result"] != "deployed" {
		t.Fatalf("exit code %d, result %q\n%s", res.code, res.outputs["result"], res.output)
	}
	service, err := p.admin.CoreV1().Services(p.namespace).Get(context.Background(), "quick", metav1.GetOptions{})
	h.must(err)
	if service.Spec.Selector[cluster.LabelRelease] == "" {
		t.Error("the Service selects no release")
	}
	// What the runner is told outranks what it happens to run in.
	if res := deploy("KUBECONFIG=/does/not/exist"); res.code != 1 || !strings.Contains(res.output, "/does/not/exist") {
		t.Errorf("the runner's KUBECONFIG was passed over: exit code %d\n%s", res.code, res.output)
	}
}
