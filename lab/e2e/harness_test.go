//go:build lab

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/github"
	"github.com/org/promote/lab/world"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	accessKey = "AKIALABTESTS00000000"
	secretKey = "lab-tests-secret-key"
)

// binaries holds the four actions, built once.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "promote-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binaries = dir
		build := exec.Command("go", "build", "-ldflags=-w", "-o", dir+"/", "./actions/unit-test", "./actions/build", "./actions/deploy", "./actions/canary")
		// As actions/install.sh builds them; a watchdog runs where there are no libraries.
		build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the actions: %v\n%s", err, out)
			return 1
		}
		if err := removeOrphans(context.Background()); err != nil {
			fmt.Fprintf(os.Stderr, "removing what killed tests left: %v\n", err)
			return 1
		}
		return m.Run()
	}())
}

// hub is a repository on GitHub's double, an AWS double, and the lab.
type hub struct {
	t     *testing.T
	world world.World
	gh    *github.Server
	repo  *github.Repository
	aws   *aws.Server
	clone string
	kube  kubernetes.Interface
	// name is the repository's on GitHub, no other hub's: a sweep of previews looks at all of a repository's in the whole cluster.
	name string
	// namespace is where the actions deploy; it belongs to environment test.
	namespace string
}

// newHub starts the doubles and makes an empty repository with an author and a reviewer.
func newHub(t *testing.T) *hub {
	t.Helper()
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{t: t, world: w, name: repositoryName(), namespace: "test", clone: filepath.Join(t.TempDir(), "clone")}
	ctx := context.Background()
	if h.gh, err = github.Start(ctx, github.Options{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.gh.Close() })
	if h.aws, err = aws.Start(ctx, aws.Options{AccessKey: accessKey, SecretKey: secretKey}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.aws.Close() })
	h.must(h.gh.AddUser("ada", "Ada", "ada@example.com"), h.gh.AddUser("grace", "Grace", "grace@example.com"))
	if h.repo, err = h.gh.CreateRepository(ctx, h.name, github.RepositoryOptions{Private: true}); err != nil {
		t.Fatal(err)
	}
	h.must(h.repo.Grant("ada", github.Write), h.repo.Grant("grace", github.Write))
	h.git("", "clone", "--quiet", h.repo.Path(), h.clone)
	h.git(h.clone, "checkout", "--quiet", "-B", "main")
	config, err := clientcmd.BuildConfigFromFlags("", w.AdminKubeconfig)
	h.must(err)
	h.kube, err = kubernetes.NewForConfig(config)
	h.must(err)
	return h
}

// byHand is a person's start of the workflow for a commit.
func (h *hub) byHand(commit string) github.Event {
	return github.Event{Name: "workflow_dispatch", Payload: fmt.Appendf(nil,
		`{"inputs":{"commit":%q},"ref":"refs/heads/main","repository":{"full_name":%q},"sender":{"login":"ada"}}`, commit, h.name)}
}

// repositoryName makes up the name of a repository.
func repositoryName() string { return "acme/checkout-" + strings.ToLower(rand.Text()[:6]) }

func (h *hub) must(errs ...error) {
	h.t.Helper()
	if err := errors.Join(errs...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) git(dir string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files on a branch from main, pushes, and returns the commit.
func (h *hub) commit(branch string, files map[string]string) string {
	h.t.Helper()
	h.git(h.clone, "checkout", "--quiet", "-B", branch)
	for name, text := range files {
		path := filepath.Join(h.clone, name)
		h.must(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
	}
	h.git(h.clone, "add", "--all")
	h.git(h.clone, "commit", "--quiet", "--allow-empty", "-m", "Change "+branch)
	h.git(h.clone, "push", "--quiet", "--force", "origin", branch)
	return h.git(h.clone, "rev-parse", "HEAD")
}

// pull commits the files on a branch and opens a pull request for it.
func (h *hub) pull(branch string, files map[string]string) (github.PullRequest, string, github.Event) {
	h.t.Helper()
	head := h.commit(branch, files)
	pull, event, err := h.repo.OpenPullRequest(context.Background(), branch, "main", "Change "+branch, "ada")
	h.must(err)
	return pull, head, event
}

// result is how an action ended.
type result struct {
	code    int
	output  string
	outputs map[string]string
	summary string
	took    time.Duration
}

// run runs an action's binary the way the runner does, on the clone as the workspace.
func (h *hub) run(action string, event github.Event, inputs map[string]string, env ...string) result {
	h.t.Helper()
	cmd, finish := h.command(action, event, inputs, env...)
	start := time.Now()
	err := cmd.Run()
	res := finish()
	res.took = time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	res.code = cmd.ProcessState.ExitCode()
	return res
}

// command prepares an action; finish reads what it left after it has ended.
func (h *hub) command(action string, event github.Event, inputs map[string]string, env ...string) (*exec.Cmd, func() result) {
	h.t.Helper()
	dir := h.t.TempDir()
	h.must(os.WriteFile(filepath.Join(dir, "event.json"), event.Payload, 0o600))
	for _, f := range []string{"output", "summary", "env", "path", "state"} {
		h.must(os.WriteFile(filepath.Join(dir, f), nil, 0o600))
	}
	token, err := h.repo.NewToken(github.Bot, map[string]string{"contents": "read", "statuses": "write", "pull-requests": "write", "deployments": "write"})
	h.must(err)
	cmd := exec.Command(filepath.Join(binaries, action))
	cmd.Dir = h.clone
	cmd.Env = append([]string{
		"PATH=" + h.world.BinDir + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DOCKER_CONFIG=" + h.world.DockerConfig,
		"BUILDKIT_HOST=" + h.world.BuildkitHost, "KUBECONFIG=" + h.world.Kubeconfig["test"], "PROMOTE_RUNNER_ENVIRONMENT=test",
		"AWS_ENDPOINT_URL=" + h.aws.URL(), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey,
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_API_URL=" + h.gh.URL(), "GITHUB_SERVER_URL=" + h.gh.URL(), "GITHUB_REPOSITORY=" + h.name,
		"GITHUB_EVENT_NAME=" + event.Name, "GITHUB_EVENT_PATH=" + filepath.Join(dir, "event.json"), "GITHUB_WORKSPACE=" + h.clone,
		"GITHUB_RUN_ID=" + fmt.Sprint(time.Now().UnixNano()), "GITHUB_RUN_ATTEMPT=1", "GITHUB_ACTOR=ada",
		"GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
		"GITHUB_ENV=" + filepath.Join(dir, "env"), "GITHUB_PATH=" + filepath.Join(dir, "path"), "GITHUB_STATE=" + filepath.Join(dir, "state"),
		"INPUT_GITHUB_TOKEN=" + token,
	}, env...)
	for name, value := range inputs {
		cmd.Env = append(cmd.Env, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, func() result {
		summary, err := os.ReadFile(filepath.Join(dir, "summary"))
		h.must(err)
		outputs, err := os.ReadFile(filepath.Join(dir, "output"))
		h.must(err)
		return result{output: out.String(), summary: string(summary), outputs: parseOutputs(string(outputs))}
	}
}

// parseOutputs reads the name<<delimiter form of GITHUB_OUTPUT.
func parseOutputs(text string) map[string]string {
	out := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, ok := strings.Cut(lines[i], "<<")
		if !ok {
			continue
		}
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		out[name] = strings.Join(value, "\n")
	}
	return out
}

// snapshot is everything in a namespace that a deployment could have changed, as text to compare.
func (h *hub) snapshot(namespace string) string {
	h.t.Helper()
	ctx := context.Background()
	var lines []string
	add := func(kind string, m metav1.ObjectMeta) {
		// The lock's lease is renewed by design; everything else must be as it was.
		lines = append(lines, fmt.Sprintf("%s/%s %s generation %d", kind, m.Name, m.UID, m.Generation))
	}
	deployments, err := h.kube.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	h.must(err)
	for _, o := range deployments.Items {
		add("Deployment", o.ObjectMeta)
	}
	services, err := h.kube.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	h.must(err)
	for _, o := range services.Items {
		add("Service", o.ObjectMeta)
		selector, err := json.Marshal(o.Spec.Selector)
		h.must(err)
		lines = append(lines, string(selector))
	}
	configs, err := h.kube.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
	h.must(err)
	for _, o := range configs.Items {
		if !strings.HasPrefix(o.Name, "promote-") {
			add("ConfigMap", o.ObjectMeta)
		}
	}
	secrets, err := h.kube.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{})
	h.must(err)
	for _, o := range secrets.Items {
		add("Secret", o.ObjectMeta)
	}
	pods, err := h.kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	h.must(err)
	for _, o := range pods.Items {
		if _, dog := o.Labels[cluster.LabelWatchdog]; o.DeletionTimestamp == nil && !dog {
			add("Pod", o.ObjectMeta)
		}
	}
	return strings.Join(lines, "\n")
}
