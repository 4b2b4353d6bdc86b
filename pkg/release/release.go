// Package release brings one candidate up beside the release that serves, proves it, and then either lets it serve or
// takes it away again without a trace. It is the order of work of a deployment: preflight, lock, render, version, dry run,
// apply, wait, test; [Prepare] ends there, with a candidate that is up and gets no traffic. What follows is one of
//
//   - [Candidate.Switch]: all traffic moves in one patch of each Service (a plain deployment),
//   - [Candidate.Finish]: the candidate has all the traffic; what serves is recorded and the old release removed,
//   - [Candidate.Discard]: the candidate alone is removed; the baseline's pods are the same pods as before.
//
// It refuses images without a digest, an environment other than the one the namespace says it is, and a template whose
// objects no Service selects or more than one does. It never deletes what it has not created and recorded by UID.
//
//	c, err := release.Prepare(ctx, deps, release.Request{Service: "checkout", Environment: "test", …})
//	if err != nil { return err }
//	defer c.Close(context.WithoutCancel(ctx))
//	if err := c.Switch(ctx); err != nil { return err } // nothing has changed for clients
//	return c.Finish(ctx) // the candidate serves, whatever this says
package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
)

// Request is what is to be brought up, and where.
type Request struct {
	Service     string
	Environment string
	// Namespace is where every object of the release lives.
	Namespace string
	// Image is the image with its digest: repository@sha256:….
	Image  string
	Change change.Change
	Files  []manifest.File
	Values map[string]any
	// Versions are the versions that secrets are read at, by their refs; nil reads the current ones.
	Versions map[string]string
	// Restores is the id that the release had when it served before; "" for a new one.
	Restores string
	// Run identifies the workflow run and attempt; it holds the lock and is written on the objects.
	Run string
	// RunURL is where a person reads that run.
	RunURL string
	// Order is the run's place among all runs, the later the larger; 0 when it is not known.
	Order int64
	// Concurrency says what to do while another run holds the lock: Queue (wait, also when empty), Supersede or Reject.
	Concurrency string
	// Timeout bounds the wait for the candidate's pods, and then again its tests.
	Timeout time.Duration
	// Bake is how long the candidate serves before the old release is removed.
	Bake time.Duration
	// Settle is how long a pod that has left the endpoint list goes on running, for connections that still reach it.
	Settle time.Duration
	// Replicas gives the candidate's first replica count for the live replica count of the baseline (0 when nothing
	// serves). Nil leaves the manifest's.
	Replicas func(baseline int) int
	// Stepwise says that traffic will move pod by pod, which refuses what is applied in place.
	Stepwise bool
	// Own says what the candidate's own Services are for.
	Own Own
	// Place makes the namespace, once the release is known to render and before anything is asked of the cluster; nil says that
	// it is there. What Place made is the caller's to remove.
	Place func(ctx context.Context) error
	// MaxDeletions is how many shared objects that the manifests no longer hold may be deleted; more refuse the release.
	MaxDeletions int
	// Admit may refuse the candidate once it is known what serves (nil: nothing), under the lock and before anything is
	// written; nil admits all.
	Admit func(ctx context.Context, serving *cluster.Release) error
	// Test proves the candidate before it takes traffic; nil skips it.
	Test *Test
	// Held lets [Rescue] undo what was held on purpose too.
	Held bool
	// DryRun stops after the server-side dry run; nothing is changed.
	DryRun bool
}

// Own is what a candidate's own Services, each beside a shared one, are for.
type Own int

const (
	// OwnTested is to test the candidate through, inside the cluster.
	OwnTested Own = iota
	// OwnWeighted is to lead clients to by weights too.
	OwnWeighted
	// OwnBalanced is to lead clients of another load balancer to: beside a shared Service of type LoadBalancer it is one too.
	OwnBalanced
)

// What a run does while another one works on the same service in the same environment.
const (
	// Queue waits for the lock.
	Queue = "queue"
	// Supersede waits, and gives up when a later run of the same pull request, or of the base branch, waits too.
	Supersede = "supersede"
	// Reject gives up at once.
	Reject = "reject"
)

// Superseded is the name of the change.Neutral of a run that gave way.
const Superseded = "superseded"

// superseded makes a run that gave way to a later one end well: what it was to bring, the later one brings.
func superseded(err error) error {
	var by *cluster.SupersededError
	if !errors.As(err, &by) {
		return err
	}
	return &change.Neutral{Name: Superseded, Reason: by.Error()}
}

// wait bounds the waiting for the lock.
func (r Request) wait() time.Duration {
	if r.Concurrency == Reject {
		return 0
	}
	return r.Timeout
}

// line is what a run belongs to: another pull request's run carries another change, and takes nobody's place.
func (r Request) line() string {
	switch {
	case r.Change.Merge != "" || r.Change.PullRequest == 0:
		return "merged"
	default:
		return fmt.Sprintf("pull request %d", r.Change.PullRequest)
	}
}

// Test is a command that proves a candidate through the URL in PROMOTE_URL.
type Test struct {
	// Command runs through bash; the workflow's author writes it.
	Command string
	// Dir is the working directory of both commands.
	Dir string
	// Reset runs first, to bring the environment's data into a known state; empty skips it.
	Reset string
	// JUnit are patterns of the reports that Command writes, relative to Dir. A command that writes none of them has failed.
	JUnit []string
	// Env are variables that both commands get besides the harmless ones of the runner, each NAME or NAME=value.
	Env []string
	// Workspace is the repository's root, to which the places of failures are relative.
	Workspace string
}

// Deps are the effects a deployment needs.
type Deps struct {
	Cluster *cluster.Cluster
	Secrets secrets.Resolver
	Log     Log
	// Mask is called with every secret value before it is used for anything else; it says whether all of the value can be masked.
	Mask func(string) (whole bool)
	// Entrance takes up again what a run has left open, to close it; nil leaves it, and the Services that it leads to, for who can.
	Entrance func(ctx context.Context, left cluster.Entrance) (Closer, error)
	// Environ is the runner's environment, in the form of os.Environ; test commands get what is harmless of it.
	Environ []string
}

// Closer leads clients to the shared Services alone again; it may be called again.
type Closer interface {
	Close(ctx context.Context) error
}

// Log is where progress goes.
type Log interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	// Group folds what follows under a title until end is called.
	Group(title string) (end func())
	// Child takes the output of a command that was started.
	Child() io.WriteCloser
}

// Candidate is a release that is up, has passed its tests and takes no traffic yet.
type Candidate struct {
	Release  cluster.Release
	Baseline *cluster.Release
	// Unchanged says that the release that serves already is this very one; nothing was written.
	Unchanged bool
	// Changes is what the server-side dry run said would change, secrets masked.
	Changes []cluster.Change
	// Services are the shared Services whose selectors move: those of the manifests, and those through which the baseline
	// serves and which the manifests no longer hold.
	Services []cluster.SharedService
	// BaselineReplicas is how many pods the baseline's first Deployment was to have when this run began; 0 when nothing serves.
	BaselineReplicas int
	// Tested is what the tests came to; nil when none ran.
	Tested *Tested
	State  *cluster.State
	Lock   *cluster.Lock

	deps Deps
	req  Request
	out  *rendered
	// touched says that something that is applied in place has the candidate's content.
	touched bool
	// alongside are the shared workloads that are waited for with the candidate.
	alongside []cluster.ObjectRef
	// sizes is how many pods each Deployment is to have when it serves alone; nil in what an earlier run left.
	sizes map[string]int
}
