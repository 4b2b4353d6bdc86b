package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/release"
)

// The areas of what a preflight looks at. What a plan needs is of these five.
const (
	areaAWS       = "AWS"
	areaRegistry  = "registry"
	areaTemplates = "templates"
	areaSecrets   = "secrets"
	areaCluster   = "cluster"
	areaEvidence  = "evidence"
)

// planned are the areas without which nothing can be planned.
var planned = map[string]bool{areaAWS: true, areaRegistry: true, areaTemplates: true, areaSecrets: true, areaCluster: true}

// About says what a preflight is about, besides the inputs.
type About struct {
	// Change is the change that a run would bring out; its Head may be empty where GitHub could not say.
	Change change.Change
	// Gate is the gate that the run would pass.
	Gate gate.Gate
	// Request has what the action asks of a release; its files and values are read here unless it restores an earlier one.
	Request release.Request
	// More are rights in the namespace that this run takes besides what every deployment does.
	More []cluster.Right
	// Amazon names what else of the run asks AWS, for instance "traffic: route53"; empty where nothing does.
	Amazon []string
	// Pushes names what the run pushes to the image's repository besides the gate's statement; empty for nothing.
	Pushes []string
	// Closes says that the action can close what a canary left open.
	Closes bool
	// Preview is the preview that would be made; nil for none.
	Preview *cluster.Preview
}

// Preflight looks at what a run of deploy or canary needs. Each look is on its own: what one can't see hides nothing from the others.
// Nothing is changed.
type Preflight struct {
	action *gha.Action
	in     Inputs
	about  About

	sketch    *release.Sketch
	sketchErr error
	cluster   func() (*cluster.Cluster, error)
	digest    func() (string, error)
	state     func() (*cluster.State, error)
	// placed says that the namespace is there.
	placed atomic.Bool
}

// NewPreflight reads the templates, and asks nobody yet.
func NewPreflight(ctx context.Context, a *gha.Action, in Inputs, about About) *Preflight {
	p := &Preflight{action: a, in: in, about: about}
	p.sketch, p.sketchErr = p.draw()
	p.cluster = sync.OnceValues(func() (*cluster.Cluster, error) { return connect(ctx, a, in, lookOutage) })
	p.digest = sync.OnceValues(func() (string, error) { return p.in.digest(ctx, about.Change) })
	p.state = sync.OnceValues(func() (*cluster.State, error) {
		cl, err := p.cluster()
		if err != nil {
			return nil, err
		}
		return cl.LoadState(ctx, in.Service)
	})
	return p
}

// draw renders with stand-ins for what only a build and a commit give.
func (p *Preflight) draw() (*release.Sketch, error) {
	req := p.about.Request
	req.Service, req.Environment, req.Namespace, req.Run = p.in.Service, p.in.Environment, p.in.Namespace, p.action.Env().Run()
	req.MaxDeletions = p.in.MaxDeletions
	var problems []error
	if req.Restores == "" {
		files, err := manifest.Load(p.in.Manifests)
		if err != nil {
			problems = append(problems, fmt.Errorf("reading the input `manifests`: %w", err))
		}
		values, err := manifest.ParseValues(p.in.Values, p.action.Env().Workspace)
		if err != nil {
			problems = append(problems, fmt.Errorf("reading the input `values`: %w", err))
		}
		req.Files, req.Values, req.Change = manifest.Within(p.action.Env().Workspace, files), values, p.about.Change
	}
	if req.Change.Head == "" {
		req.Change.Head = NoCommit
	}
	if len(problems) > 0 {
		return &release.Sketch{}, errors.Join(problems...)
	}
	digest := p.in.Digest
	if digest == "" {
		digest = NoDigest
	}
	req.Image = image.Reference(p.in.Image, digest)
	return release.SketchOf(req)
}

// Looks are those that deploy and canary have in common.
func (p *Preflight) Looks() []preflight.Look {
	return []preflight.Look{
		{Area: areaTemplates, At: p.lookAtTemplates},
		{Area: areaRegistry, At: p.lookAtRegistry},
		{Area: areaEvidence, At: p.lookAtEvidence},
		{Area: areaAWS, At: p.lookAtAmazon},
		{Area: areaSecrets, At: p.lookAtSecrets},
		{Area: areaCluster, At: p.lookAtCluster},
	}
}

// Placed says, after the looks, whether the namespace is there in which a plan can be made.
func (p *Preflight) Placed() bool { return p.placed.Load() }

// Cluster is the cluster that the run would go to. Nothing has been asked of its API server yet.
func (p *Preflight) Cluster() (*cluster.Cluster, error) { return p.cluster() }

// State is what is recorded of the service.
func (p *Preflight) State() (*cluster.State, error) { return p.state() }

// Sketch is what the release would be made of.
func (p *Preflight) Sketch() *release.Sketch { return p.sketch }

// Plan asks the API server what a release would change, as the last look: with a request that was prepared for it. What is in the way is
// among the findings.
func Plan(ctx context.Context, deps release.Deps, req release.Request) (*release.Candidate, []preflight.Finding) {
	req.DryRun = true
	c, err := release.Prepare(ctx, deps, req)
	found := wrongs("dry run", err)
	if err == nil {
		found = []preflight.Finding{{Subject: "dry run", State: preflight.Good, Told: fmt.Sprintf("the API server takes all of release %s", c.Release.ID)}}
	}
	for i := range found {
		found[i].Area = areaCluster
	}
	return c, found
}

// Tell says in the log, the summary and the outputs what was seen, and is the error that lists what to change.
func Tell(a *gha.Action, seen preflight.Report, plan string, outputs [][2]string) error {
	for _, line := range seen.Lines() {
		a.Infof("%s", line)
	}
	errs := []error{seen.Err(), a.SetOutput("result", Planned)}
	for _, o := range outputs {
		errs = append(errs, a.SetOutput(o[0], o[1]))
	}
	if plan == "" {
		plan = "No plan was made: what it needs is to be changed first.\n"
	}
	return errors.Join(append(errs, a.Summary(seen.Markdown()+"\n"+plan))...)
}

// Planned is the result of a dry run.
const Planned = "planned"

// Plans says whether what a plan needs is there.
func Plans(seen preflight.Report) bool {
	for _, f := range seen.Findings {
		if f.State == preflight.Wrong && planned[f.Area] {
			return false
		}
	}
	return true
}

// each gives the parts of errors that were joined, however deep. An error that wraps several in a text of its own is one.
func each(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return slices.DeleteFunc([]error{err}, func(err error) bool { return err == nil })
	}
	var texts []string
	var all []error
	for _, part := range joined.Unwrap() {
		texts = append(texts, part.Error())
		all = append(all, each(part)...)
	}
	if strings.Join(texts, "\n") != err.Error() {
		return []error{err}
	}
	return all
}

// wrongs are the findings of what went wrong; none without an error.
func wrongs(subject string, err error) []preflight.Finding {
	if err == nil {
		return nil
	}
	return OfChecks(subject, "", err)
}

// OfChange is the finding about which change a run would bring out.
func OfChange(ch change.Change, problem error) preflight.Finding {
	return OfCheck("change", ch.Subject(), problem)
}

// OfCheck is the finding of something that a run asks in the same words: told when there is no problem, and else wrong, with the fix where
// the problem has one.
func OfCheck(subject, told string, problem error) preflight.Finding {
	f := preflight.Finding{Subject: subject, State: preflight.Good, Told: told}
	var refusal *change.Refusal
	var missing *github.PermissionError
	if problem == nil {
		return f
	}
	f.State, f.Told = preflight.Wrong, problem.Error()
	switch {
	case errors.As(problem, &refusal):
		f.Told, f.Fix = refusal.Subject+": "+refusal.Reason, refusal.Fix
	case errors.As(problem, &missing):
		f.Fix = fmt.Sprintf("add `%s` to the job's `permissions:`", missing.Permission)
	}
	return f
}

// OfChecks is [OfCheck] for a check that may have several problems, each in a finding of its own.
func OfChecks(subject, told string, err error) []preflight.Finding {
	problems := each(err)
	if len(problems) == 0 {
		return []preflight.Finding{OfCheck(subject, told, nil)}
	}
	var found []preflight.Finding
	for _, problem := range problems {
		found = append(found, OfCheck(subject, "", problem))
	}
	return found
}
