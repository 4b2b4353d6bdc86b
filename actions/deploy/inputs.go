package main

import (
	"path/filepath"
	"time"

	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/tests"
)

// inputs are what action.yml declares, read and validated before anything is touched.
type inputs struct {
	environment, service, image, digest string
	manifests, values                   string
	namespace, cluster, kubeconfig      string
	approvals                           int
	require                             []string
	evidenceKey                         string
	allowRollback                       bool
	force                               bool
	maxDeletions                        int
	concurrency                         string
	testCommand, testDirectory, reset   string
	testJUnit, testEnv                  []string
	timeout, bake, drain                time.Duration
	// dryRun stops before anything is written, renderOnly before anything is asked.
	dryRun, renderOnly bool
	preview            bool
	previewTTL         time.Duration
	awsRegion, token   string
}

// readInputs reports every problem at once.
func readInputs(a *gha.Action, kubeconfig string) (inputs, error) {
	in, env := a.Inputs(), a.Env()
	mode := in.OneOf("dry-run", "false", "false", "true", "render")
	v := inputs{
		environment:   in.Required("environment", "name the environment to deploy to, for instance test"),
		service:       in.Required("service", "name the service, for instance checkout"),
		image:         in.Required("image", "give the image's repository, without tag or digest, for instance registry.example.com/checkout"),
		digest:        in.String("digest", ""),
		manifests:     in.Required("manifests", "give the file or folder of manifest templates, for instance deploy"),
		values:        in.String("values", ""),
		namespace:     in.String("namespace", ""),
		cluster:       in.String("cluster", ""),
		kubeconfig:    in.String("kubeconfig", ""),
		approvals:     in.Int("required-approvals", 0, 0, 100),
		require:       in.List("require"),
		evidenceKey:   in.String("evidence-key", ""),
		allowRollback: in.Bool("allow-rollback", false),
		force:         in.Bool("force", false),
		maxDeletions:  in.Int("max-deletions", release.MaxDeletions, 0, 1000),
		concurrency:   in.OneOf("concurrency", release.Queue, release.Queue, release.Supersede),
		testCommand:   in.String("test-command", ""),
		testDirectory: in.String("test-directory", "."),
		testJUnit:     in.List("test-junit"),
		testEnv:       command.ParseNamed(in.String("test-env", "")),
		reset:         in.String("reset-command", ""),
		timeout:       in.Duration("timeout", 10*time.Minute),
		bake:          in.Duration("bake", 0),
		drain:         in.Duration("drain", 30*time.Second),
		dryRun:        mode == "true",
		renderOnly:    mode == "render",
		preview:       in.Bool("preview", false),
		previewTTL:    in.Duration("preview-ttl", 72*time.Hour),
		awsRegion:     in.String("aws-region", ""),
	}
	if !v.renderOnly {
		v.token = in.Secret("github-token", "pass `github-token: ${{ github.token }}`")
	}
	if v.image != "" {
		if err := image.ParseRepository(v.image); err != nil {
			in.Problem("image", "%v", err)
		}
	}
	if v.digest != "" && !digestForm.MatchString(v.digest) {
		in.Problem("digest", "%q is not a digest; it has the form sha256: and 64 hex digits, as the build action's output `digest`", v.digest)
	}
	if err := gate.CheckNames(v.require); err != nil {
		in.Problem("require", "%v", err)
	}
	checkTests(in, v)
	if v.timeout <= 0 {
		in.Problem("timeout", "must be more than 0, for instance 10m")
	}
	if r := env.RunnerEnvironment; r != "" && v.environment != "" && r != v.environment && !v.renderOnly {
		in.Problem("environment", "this runner belongs to environment %q (PROMOTE_RUNNER_ENVIRONMENT), the job asks for %q; "+
			"send the job to a runner of %q: change `runs-on` in the workflow", r, v.environment, v.environment)
	}
	v.checkPreview(in)
	if v.namespace == "" {
		v.namespace = v.environment
	}
	v.oneWay(in, kubeconfig)
	v.manifests = below(env.Workspace, v.manifests)
	v.testDirectory = below(env.Workspace, v.testDirectory)
	return v, in.Err()
}

// checkTests finds what is wrong with the inputs about tests.
func checkTests(in *gha.Inputs, v inputs) {
	if err := tests.CheckPatterns(v.testJUnit); err != nil {
		in.Problem("test-junit", "%v", err)
	}
	if err := command.CheckNamed(v.testEnv); err != nil {
		in.Problem("test-env", "%v", err)
	}
	if v.testCommand != "" {
		return
	}
	const alone = "is set, and `test-command` is not; set that too, or leave both out"
	if len(v.testJUnit) > 0 {
		in.Problem("test-junit", alone)
	}
	if len(v.testEnv) > 0 {
		in.Problem("test-env", alone)
	}
	if v.reset != "" {
		in.Problem("reset-command", alone)
	}
}

// below makes a path that the workflow's author gave relative to the checkout absolute.
func below(workspace, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(workspace, path)
}
