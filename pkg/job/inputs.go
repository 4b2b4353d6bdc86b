package job

import (
	"path/filepath"
	"time"

	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/regular"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/tests"
)

// Inputs are those that deploy and canary share; each action.yml says what they are for.
type Inputs struct {
	Environment, Service string
	// Image is a repository. Digest, which the action sets, is sha256:…, or empty for the image of the commit.
	Image, Digest string
	// Manifests is an absolute path.
	Manifests, Values string
	// Namespace is the environment's name where none is given. One of Cluster and Kubeconfig at the most is set.
	Namespace, Cluster, Kubeconfig string
	Approvals                      int
	Require                        []string
	EvidenceKey                    string
	AllowRollback                  bool
	Force                          bool
	MaxDeletions                   int
	Concurrency                    string
	TestCommand, ResetCommand      string
	// TestDirectory is an absolute path.
	TestDirectory  string
	TestJUnit      []string
	TestEnv        []string
	Timeout, Drain time.Duration
	AWSRegion      string
	Token          string
}

// Ways are in what the actions differ.
type Ways struct {
	// Example is the environment that hints name.
	Example string
	// Concurrency are the values of the input, the default first.
	Concurrency []string
	// Alone says that nobody is asked: the run needs no token, and any runner will do.
	Alone bool
	// Named says that nothing is brought out: a service in its environment is named, and image, manifests and token are not needed.
	Named bool
	// Kubeconfig is the runner's, for when the workflow names no way to the cluster.
	Kubeconfig string
}

// Read reads and checks them; what is wrong is in's to tell.
func Read(in *gha.Inputs, env gha.Env, ways Ways) Inputs {
	v := Inputs{
		Environment:   in.Required("environment", "name the environment, for instance "+ways.Example),
		Service:       in.Required("service", "name the service, for instance checkout"),
		Values:        in.String("values", ""),
		Namespace:     in.String("namespace", ""),
		Cluster:       in.String("cluster", ""),
		Kubeconfig:    in.String("kubeconfig", ""),
		Approvals:     in.Int("required-approvals", 0, 0, 100),
		Require:       in.List("require"),
		EvidenceKey:   in.String("evidence-key", ""),
		AllowRollback: in.Bool("allow-rollback", false),
		Force:         in.Bool("force", false),
		MaxDeletions:  in.Int("max-deletions", release.MaxDeletions, 0, 1000),
		Concurrency:   in.OneOf("concurrency", ways.Concurrency[0], ways.Concurrency...),
		TestCommand:   in.String("test-command", ""),
		TestDirectory: Below(env.Workspace, in.String("test-directory", ".")),
		TestJUnit:     in.List("test-junit"),
		TestEnv:       command.ParseNamed(in.String("test-env", "")),
		ResetCommand:  in.String("reset-command", ""),
		Timeout:       in.Duration("timeout", 10*time.Minute),
		Drain:         in.Duration("drain", 30*time.Second),
		AWSRegion:     in.String("aws-region", ""),
	}
	if !ways.Named {
		v.Image = in.Required("image", "give the image's repository, without tag or digest, for instance registry.example.com/checkout")
		v.Manifests = Below(env.Workspace, in.Required("manifests", "give the file or folder of manifest templates, for instance deploy"))
	}
	if !ways.Alone && (!ways.Named || in.String("github-token", "") != "") {
		v.Token = in.Secret("github-token", "pass `github-token: ${{ github.token }}`")
	}
	if v.Image != "" {
		if err := image.ParseRepository(v.Image); err != nil {
			in.Problem("image", "%v", err)
		}
	}
	if err := gate.CheckNames(v.Require); err != nil {
		in.Problem("require", "%v", err)
	}
	v.checkTests(in)
	if v.Timeout <= 0 {
		in.Problem("timeout", "must be more than 0, for instance 10m")
	}
	if r := env.RunnerEnvironment; r != "" && v.Environment != "" && r != v.Environment && !ways.Alone {
		in.Problem("environment", "this runner belongs to environment %q (PROMOTE_RUNNER_ENVIRONMENT), the job asks for %q; "+
			"send the job to a runner of %q: change `runs-on` in the workflow", r, v.Environment, v.Environment)
	}
	if v.Namespace == "" {
		v.Namespace = v.Environment
	}
	v.checkManifests(in, env.Workspace)
	v.oneWay(in, ways.Kubeconfig)
	return v
}

// checkManifests refuses templates to which a link of the commit leads: they would be the runner's own files, and end in the log.
// An absolute path is the workflow author's word.
func (v *Inputs) checkManifests(in *gha.Inputs, workspace string) {
	given := in.String("manifests", "")
	if given != "" && !filepath.IsAbs(given) && workspace != "" && regular.LeadsOut(workspace, v.Manifests) {
		in.Problem("manifests", "is %q, which leads out of the checkout; name a file or folder in it", given)
	}
}

// checkTests finds what is wrong with the inputs about tests.
func (v *Inputs) checkTests(in *gha.Inputs) {
	if err := tests.CheckPatterns(v.TestJUnit); err != nil {
		in.Problem("test-junit", "%v", err)
	}
	if err := command.CheckNamed(v.TestEnv); err != nil {
		in.Problem("test-env", "%v", err)
	}
	if v.TestCommand != "" {
		return
	}
	const alone = "is set, and `test-command` is not; set that too, or leave both out"
	if len(v.TestJUnit) > 0 {
		in.Problem("test-junit", alone)
	}
	if len(v.TestEnv) > 0 {
		in.Problem("test-env", alone)
	}
	if v.ResetCommand != "" {
		in.Problem("reset-command", alone)
	}
}

// Below makes a path that the workflow's author gave relative to the checkout absolute.
func Below(workspace, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(workspace, path)
}
