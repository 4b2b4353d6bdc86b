package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
)

const (
	// removed is the result of a run that took a preview away.
	removed = "removed"
	// previewName is what previews are called where their pull request does not matter: as a gate, which no other knows, so that
	// nothing of them becomes evidence, and as the commit's status.
	previewName = "preview"
	// lastWords bounds what a cancelled run still does about its namespace; it has 10 s in all.
	lastWords = 4 * time.Second
)

// errClosed says that the pull request was closed while its preview was being made.
var errClosed = errors.New("the pull request is closed")

// checkPreview refuses inputs that exclude a preview.
func (v *inputs) checkPreview(in *gha.Inputs) {
	if !v.preview {
		return
	}
	if in.String("namespace", "") != "" {
		in.Problem("namespace", "must be left out with `preview: true`: each pull request gets one, <service>-pr-<number>")
	}
	if v.previewTTL <= 0 {
		in.Problem("preview-ttl", "must be more than 0, for instance 72h")
	}
}

// gate is the gate whose statement a deployment writes. A preview is none: it proves nothing about the environment test.
func (v inputs) gate() string {
	if v.preview {
		return previewName
	}
	return v.Environment
}

// shown are the inputs as people see them: the environment of a preview has a name of its own on GitHub.
func (v inputs) shown(ch change.Change) inputs {
	if v.preview {
		v.Environment = environmentOf(ch.PullRequest)
	}
	return v
}

// environmentOf is the name of a pull request's environment on GitHub.
func environmentOf(pr int) string { return fmt.Sprintf("%s/pr-%d", previewName, pr) }

// preview is the namespace of the pull request that a run deploys. The event that closes the pull request starts another run, which
// removes the namespace and may do so before, while or after this one makes it. So this one looks at the pull request again
// after it has made the namespace, before it applies, and when it is done, and removes the namespace itself if it came too
// late. Whichever run is last, nothing is left; what a killed one leaves, the sweep finds.
//
// A nil *preview is that of a run without one, and does nothing.
type preview struct {
	action  *gha.Action
	github  *github.Client
	in      inputs
	id      cluster.Preview
	cluster *cluster.Cluster
	// stop ends the deployment when its namespace is taken away.
	stop context.CancelCauseFunc
}

// newPreview settles the namespace; nil when the run has no preview. A pull request that is closed by now has nothing to deploy.
func newPreview(ctx context.Context, a *gha.Action, gh *github.Client, in *inputs, ch change.Change) (*preview, error) {
	if !in.preview {
		return nil, nil
	}
	if ch.PullRequest == 0 {
		return nil, &change.Refusal{
			Subject: "a preview of " + ch.Subject(), Reason: fmt.Sprintf("event %q belongs to no pull request", ch.Event),
			Fix: "run it on pull_request; on schedule or workflow_dispatch it removes what is due",
		}
	}
	p := &preview{action: a, github: gh, id: in.id(a, ch.PullRequest)}
	if err := p.id.Check(); err != nil {
		return nil, err
	}
	in.Namespace = p.id.Namespace()
	p.in = *in
	if err := p.wanted(ctx); !errors.Is(err, errClosed) {
		return p, err
	}
	cl, err := job.Connect(ctx, a, in.Inputs)
	if err == nil {
		_, err = p.remover(cl).remove(ctx, p.id)
	}
	return nil, errors.Join(p.neutral(), err)
}

// id names the preview of a pull request.
func (v inputs) id(a *gha.Action, pr int) cluster.Preview {
	return cluster.Preview{Repository: a.Env().Repository, Service: v.Service, Environment: v.Environment, PullRequest: pr}
}

// into makes the release go to the preview.
func (p *preview) into(req *release.Request, cl *cluster.Cluster) {
	if p == nil {
		return
	}
	p.cluster = cl
	req.Place = p.place
	req.Admit = func(ctx context.Context, _ *cluster.Release) error { return p.wanted(ctx) }
}

// wanted asks GitHub whether the pull request is still open.
func (p *preview) wanted(ctx context.Context) error {
	pull, err := p.github.Pull(ctx, p.id.PullRequest)
	if err == nil && !pull.Open {
		err = errClosed
	}
	return err
}

// place makes the namespace and looks again: a run that removes it and that saw none must have come after the close, which is
// then seen here.
func (p *preview) place(ctx context.Context) error {
	if err := p.wanted(ctx); err != nil {
		return err
	}
	until := time.Now().Add(p.in.previewTTL)
	if err := p.cluster.OpenPreview(ctx, p.id, p.action.Env().Run(), until); err != nil {
		return err
	}
	p.action.Infof("Namespace/%s is this pull request's until it closes, or until %s", p.id.Namespace(), until.UTC().Format(time.RFC3339))
	go func() {
		p.cluster.AwaitPreviewLeaving(ctx, p.id)
		p.stop(fmt.Errorf("Namespace/%s is being removed", p.id.Namespace()))
	}()
	return p.wanted(ctx)
}

// around runs the deployment and has the last word about the namespace.
func (p *preview) around(ctx context.Context, do func(context.Context) (outcome, error)) (outcome, error) {
	if p == nil {
		return do(ctx)
	}
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.stop = stop
	out, err := do(inner)
	if p.cluster == nil {
		return out, err
	}
	if host := out.host(); host != "" {
		out.URL = host // the Service of a preview is often reached through an Ingress, with the number in its host
	}
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		ctx = last
	}
	switch asked := p.wanted(ctx); {
	case errors.Is(asked, errClosed):
	case asked != nil:
		p.action.Warningf("asking whether the pull request is still open: %v; if it is not, the sweep removes Namespace/%s", asked, p.id.Namespace())
		return out, err
	default:
		return out, err
	}
	if err != nil {
		p.action.Infof("the deployment ended with: %v", err)
	}
	if _, err := p.remover(p.cluster).remove(ctx, p.id); err != nil {
		return out, err
	}
	out.Result, out.URL = removed, ""
	return out, p.neutral()
}

// retract takes back what was told of a preview whose pull request was closed while it was being told: the run of the close may
// have said before that it is gone.
func (p *preview) retract(ctx context.Context, t *tell, out outcome) error {
	if p == nil || out.Result == removed || !errors.Is(p.wanted(ctx), errClosed) {
		return nil
	}
	t.untold = nil
	t.tellRemoved(ctx)
	return t.action.Summary("The pull request was closed meanwhile, and its preview is removed.\n" + github.Untold(t.untold...))
}

// host is where the release's own Ingress serves, once the release does.
func (o outcome) host() string {
	if o.URL == "" || o.Candidate == nil {
		return ""
	}
	return o.Candidate.Host()
}

func (p *preview) neutral() error {
	return &change.Neutral{Name: "closed", Reason: fmt.Sprintf("pull request #%d was closed meanwhile, and its preview is removed", p.id.PullRequest)}
}

func (p *preview) remover(cl *cluster.Cluster) remover {
	return remover{action: p.action, github: p.github, cluster: cl, timeout: p.in.Timeout}
}

// tellRemoved says on GitHub that the pull request was closed before its preview was there.
func (t *tell) tellRemoved(ctx context.Context) {
	t.warn(t.github.SetStatus(ctx, t.change.Head, github.Status{
		Context: t.statusContext(), State: github.Success, Description: "removed: the pull request is closed", URL: t.action.Env().RunURL,
	}))
	for _, err := range retire(ctx, t.action, t.github, t.change.PullRequest, "the pull request is closed") {
		t.warn(err)
	}
}
