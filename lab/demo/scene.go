package demo

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/github"
	"github.com/org/promote/lab/load"
	"github.com/org/promote/lab/runner"
	"github.com/org/promote/lab/show"
	"github.com/org/promote/lab/world"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// The cast. The author may write, the reviewer too; nobody approves their own pull request. The operator has the cluster's
// administrator's rights, and is not seen on GitHub.
const (
	author   = "ada"
	reviewer = "grace"
	operator = "barbara"
	region   = "eu-west-1"
	// evidenceKey is the alias of the KMS key that signs what was proven.
	evidenceKey = "alias/promote-evidence"
)

// scene is everything that stands before the story begins.
type scene struct {
	// leave gives the environments back.
	leave   func()
	world   world.World
	service subject
	// suite is the folder with the actions: the demo's own copy.
	suite    string
	dir      string
	timeline *timeline
	out      io.Writer

	hub     *github.Server
	repo    *github.Repository
	aws     *aws.Server
	keys    map[string]aws.Key
	runners map[string]runner.Runner
	clone   string
	runs    int

	kube     kubernetes.Interface
	objects  dynamic.Interface
	witness  *witness
	loads    map[string]*load.Run
	logs     []io.Closer
	handmade handmade
	preview  preview
	// rights are what the runner of test was given for previews.
	rights []*unstructured.Unstructured

	// What follows is kept for the page.
	evidence show.Evidence
	expected []show.Expectation
	// mu guards what runs that go on at once write: themselves, how many there are, a part's results, their canaries, and why a report
	// could not be kept.
	mu       sync.Mutex
	record   []show.Run
	canaries []show.Canary
	lost     error
}

// setTheScene starts the doubles, makes the repository, the secrets and the runners. Environments start empty.
func setTheScene(ctx context.Context, w world.World, service subject, suite, dir string, out io.Writer) (*scene, error) {
	s := &scene{world: w, service: service, suite: suite, dir: dir, timeline: newTimeline(out), out: out, loads: map[string]*load.Run{}, handmade: handmade{env: "stage"}}
	var err error
	if s.leave, err = w.HoldEnvironments(); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(s.dir); err != nil {
		s.leave()
		return nil, err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		s.leave()
		return nil, err
	}
	s.timeline.act("The scene")
	for _, step := range []func(context.Context) error{s.copySuite, s.connect, s.makeNamespaces, s.sweep, s.startGitHub, s.startAWS, s.makeRunners, s.makeRepository, s.watch} {
		if err := step(ctx); err != nil {
			s.close(ctx)
			return nil, err
		}
	}
	return s, nil
}

func (s *scene) connect(context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", s.world.AdminKubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 100, 200
	if s.kube, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	s.objects, err = dynamic.NewForConfig(config)
	return err
}

func (s *scene) startGitHub(ctx context.Context) error {
	log, err := s.create("github.jsonl")
	if err != nil {
		return err
	}
	if s.hub, err = github.Start(ctx, github.Options{Dir: filepath.Join(s.dir, "github"), Log: log}); err != nil {
		return err
	}
	s.timeline.run("GitHub's API answers from a real git repository")
	return errors.Join(s.hub.AddUser(author, "Ada", "ada@example.com"), s.hub.AddUser(reviewer, "Grace", "grace@example.com"))
}

// startAWS puts secrets and parameters where the template looks them up, and gives each environment's runner a key that reads
// those of its own environment alone.
func (s *scene) startAWS(ctx context.Context) error {
	var err error
	if s.aws, err = aws.Start(ctx, aws.Options{AccessKey: "AKIALABADMIN00000000", SecretKey: randomText()}); err != nil {
		return err
	}
	if _, err := s.aws.CreateKMSKey("ECC_NIST_P256", evidenceKey); err != nil {
		return err
	}
	s.keys = map[string]aws.Key{}
	for _, env := range world.Environments {
		own := s.service.stores[env]
		allow := []string{evidenceKey}
		for name, value := range own.Secrets {
			allow = append(allow, name)
			if _, err := s.aws.PutSecret(name, value); err != nil {
				return err
			}
		}
		for name, value := range own.Parameters {
			allow = append(allow, name)
			if _, err := s.aws.PutParameter(name, value, aws.String); err != nil {
				return err
			}
		}
		s.keys[env] = aws.Key{AccessKey: "AKIALAB" + strings.ToUpper(env), SecretKey: randomText(), Allow: allow}
		if err := s.aws.AddKey(s.keys[env]); err != nil {
			return err
		}
	}
	s.timeline.run("Secrets Manager, Parameter Store and KMS answer the AWS SDK")
	return nil
}

// makeRunners gives each environment its own runner; unit tests run on one that reaches no environment.
func (s *scene) makeRunners(context.Context) error {
	base := map[string]string{
		"PATH": s.path(), "HOME": os.Getenv("HOME"), "GITHUB_API_URL": s.hub.URL(), "GITHUB_SERVER_URL": s.hub.URL(),
		"DOCKER_CONFIG": s.world.DockerConfig, "BUILDKIT_HOST": s.world.BuildkitHost,
	}
	for _, name := range []string{"GOPROXY", "GOFLAGS", "GOCACHE", "GOMODCACHE", "GOTOOLCHAIN", "SSL_CERT_FILE"} {
		if v := os.Getenv(name); v != "" {
			base[name] = v
		}
	}
	// A runner keeps what Go has compiled from job to job, and from demo to demo.
	if cache, err := os.UserCacheDir(); base["GOCACHE"] == "" && err == nil {
		base["GOCACHE"] = filepath.Join(cache, "go-build")
	}
	s.runners = map[string]runner.Runner{"ubuntu-latest": {Label: "ubuntu-latest", Env: base, Act: s.world.ActPath}}
	for _, env := range world.Environments {
		own := map[string]string{
			"KUBECONFIG": s.world.Kubeconfig[env], "PROMOTE_RUNNER_ENVIRONMENT": env,
			"AWS_ENDPOINT_URL": s.aws.URL(), "AWS_REGION": region,
			"AWS_ACCESS_KEY_ID": s.keys[env].AccessKey, "AWS_SECRET_ACCESS_KEY": s.keys[env].SecretKey,
		}
		for k, v := range base {
			own[k] = v
		}
		label := "promote-" + env
		s.runners[label] = runner.Runner{Label: label, Env: own, Act: s.world.ActPath}
	}
	s.timeline.run("four runners wait: one for unit tests, one inside each of test, stage and prod")
	return nil
}

// path puts the lab's tools and the Go that built this program's peers first.
func (s *scene) path() string {
	path := os.Getenv("PATH")
	if s.world.BinDir != "" {
		path = s.world.BinDir + string(os.PathListSeparator) + path
	}
	return path
}

// variables are the repository's, as the first lines of the templates name them. Production waits minutes where these say
// seconds; nothing else is different.
func (s *scene) variables() map[string]string {
	return map[string]string{
		"PROMOTE_SERVICE": s.service.name, "PROMOTE_IMAGE": s.world.Registry + "/" + s.service.name, "PROMOTE_AWS_REGION": region,
		"PROMOTE_TEST_REPLICAS": "2", "PROMOTE_STAGE_REPLICAS": "2", "PROMOTE_PROD_REPLICAS": "4",
		"PROMOTE_PROMETHEUS_URL": s.world.PrometheusURL, "PROMOTE_STEPS": "5,25,50,100", "PROMOTE_STEP_DURATION": "6s",
		"PROMOTE_INTERVAL": "1s", "PROMOTE_MIN_REQUESTS": "50", "PROMOTE_BAKE": "3s", "PROMOTE_DRAIN": "3s", "PROMOTE_APPROVALS": "1",
		"PROMOTE_EVIDENCE_KEY": "awskms:///" + evidenceKey,
	}
}

// create opens a log in the demo's folder that lives as long as the scene.
func (s *scene) create(name string) (io.Writer, error) {
	f, err := os.Create(filepath.Join(s.dir, name))
	if err == nil {
		s.logs = append(s.logs, f)
	}
	return f, err
}

// close stops what still runs; a scene may be closed twice.
func (s *scene) close(ctx context.Context) {
	for _, l := range s.loads {
		_, _ = l.Stop()
	}
	if s.witness != nil {
		s.witness.stop()
	}
	if err := s.takeRightsBack(ctx); err != nil {
		s.timeline.run("%v: remove it, or its runner keeps the right to make previews", err)
	}
	if s.hub != nil {
		_ = s.hub.Close()
	}
	if s.aws != nil {
		_ = s.aws.Close()
	}
	for _, l := range s.logs {
		_ = l.Close()
	}
	s.leave()
}
