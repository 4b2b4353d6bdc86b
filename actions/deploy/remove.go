package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/report"
)

// removeTries is how often a preview is read again because it was written since it was read.
const removeTries = 5

// remover takes previews away.
type remover struct {
	action  *gha.Action
	github  *github.Client
	cluster *cluster.Cluster
	timeout time.Duration
	// dry says that nothing is removed and nobody is told.
	dry bool
}

// taken is one preview that was removed, or was not there.
type taken struct {
	id   cluster.Preview
	why  string
	gone bool // there was one
	more bool // another of the same pull request stays
}

// endPreviews does the work of the events that bring no release to a preview: the one that closes a pull request removes its
// preview, and a schedule, or a person, every one of the repository that is due. ended is false for all others.
func endPreviews(ctx context.Context, a *gha.Action, gh *github.Client, in inputs) (ended bool, err error) {
	name, payload, err := a.Event()
	if err != nil {
		return true, err
	}
	sweeps := name == "schedule" || name == "workflow_dispatch"
	ch, closed, err := change.Closed(name, payload)
	if err != nil || !closed && !sweeps {
		return err != nil, err
	}
	a.Mask(in.Token)
	id := in.id(a, max(ch.PullRequest, 1)) // a sweep is about all; it only has to reach the cluster
	if err := id.Check(); err != nil {
		return true, err
	}
	in.Namespace = id.Namespace()
	cl, err := job.Connect(ctx, a, in.Inputs)
	if err != nil {
		return true, err
	}
	r := remover{action: a, github: gh, cluster: cl, timeout: in.Timeout, dry: in.dryRun}
	var all []taken
	if sweeps {
		all, err = r.sweep(ctx)
	} else {
		all, err = r.closed(ctx, id)
	}
	// What was removed must be told even when the rest failed, or the run was cancelled.
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return true, errors.Join(err, r.tell(told, all, err))
}

// closed removes the preview of a pull request that was closed, unless it is open again.
func (r remover) closed(ctx context.Context, id cluster.Preview) ([]taken, error) {
	pull, err := r.github.Pull(ctx, id.PullRequest)
	if err != nil {
		return nil, err
	}
	if pull.Open {
		return nil, &change.Neutral{Name: "reopened", Reason: fmt.Sprintf("pull request #%d is open again, and the run of its reopening deploys", id.PullRequest)}
	}
	gone, err := r.remove(ctx, id)
	var foreign *cluster.ForeignError
	if errors.As(err, &foreign) {
		return nil, &change.Neutral{Name: "foreign", Reason: foreign.Error()}
	}
	if err != nil {
		return nil, err
	}
	return []taken{{id: id, why: "the pull request is closed", gone: gone}}, nil
}

// sweep removes the repository's previews that are due, all at once. What it can't decide it leaves, with an error.
func (r remover) sweep(ctx context.Context) ([]taken, error) {
	all, err := r.cluster.Previews(ctx, r.action.Env().Repository)
	if err != nil {
		return nil, err
	}
	r.action.Infof("%d previews of %s", len(all), r.action.Env().Repository)
	results, errs := make([]*taken, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	for i, found := range all {
		wg.Go(func() { results[i], errs[i] = r.judge(ctx, found) })
	}
	wg.Wait()
	stays := map[int]bool{} // pull requests of which another service's preview is still there
	for i, t := range results {
		stays[all[i].PullRequest] = stays[all[i].PullRequest] || t == nil
	}
	var done []taken
	for _, t := range results {
		if t != nil {
			t.more = stays[t.id.PullRequest]
			done = append(done, *t)
		}
	}
	return done, errors.Join(errs...)
}

// judge removes one preview if it is due; nil when it stays.
func (r remover) judge(ctx context.Context, found cluster.Found) (*taken, error) {
	pull, err := r.github.Pull(ctx, found.PullRequest)
	if err != nil {
		return nil, fmt.Errorf("deciding about Namespace/%s: %w", found.Name, err)
	}
	why, due := found.Due(pull.Open, time.Now())
	if !due {
		r.action.Infof("Namespace/%s stays: pull request #%d is open, and its time is up at %s", found.Name, found.PullRequest, found.Expires.Format(time.RFC3339))
		return nil, nil
	}
	err = r.take(ctx, found)
	if errors.Is(err, cluster.ErrPreviewChanged) {
		r.action.Infof("Namespace/%s stays: %v", found.Name, err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &taken{id: found.Preview, why: why, gone: true}, nil
}

// remove removes a preview of a pull request that is closed, and says whether there was one.
func (r remover) remove(ctx context.Context, id cluster.Preview) (bool, error) {
	var err error
	for range removeTries {
		var found *cluster.Found
		found, err = r.cluster.Preview(ctx, id)
		if err != nil || found == nil {
			return false, err
		}
		if err = r.take(ctx, *found); !errors.Is(err, cluster.ErrPreviewChanged) {
			return err == nil, err
		}
	}
	return false, err
}

// take deletes one namespace and waits until it is gone.
func (r remover) take(ctx context.Context, found cluster.Found) error {
	if r.dry {
		r.action.Infof("a run would remove Namespace/%s", found.Name)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.cluster.RemovePreview(ctx, found); err != nil {
		return err
	}
	if err := r.cluster.AwaitPreviewGone(ctx, found); err != nil {
		return err
	}
	r.action.Infof("Namespace/%s is gone", found.Name)
	return nil
}

// tell writes on GitHub, in the outputs and the summary what was removed.
func (r remover) tell(ctx context.Context, all []taken, failure error) error {
	var untold []error
	result, rows := "unchanged", [][]string{}
	for _, t := range all {
		if t.gone {
			result = removed
			rows = append(rows, []string{report.Inline(t.id.Namespace()), "#" + strconv.Itoa(t.id.PullRequest), report.Escape(t.why)})
		}
		if t.more || r.dry {
			continue
		}
		for _, err := range retire(ctx, r.action, r.github, t.id.PullRequest, t.why) {
			if err != nil {
				r.action.Warningf("telling GitHub: %v", err)
				untold = append(untold, err)
			}
		}
	}
	var neutral *change.Neutral
	page := "### ✅ No preview was to be removed\n"
	switch {
	case failure != nil && !errors.As(failure, &neutral):
		page = "### ❌ Not every preview could be removed\n\n" + report.Code("text", failure.Error()) + "\n"
	case len(rows) > 0:
		page = "### 🧹 Previews removed\n"
	}
	if r.dry {
		result = job.Planned
		if len(rows) > 0 {
			page = "### 📝 Previews that a run would remove\n"
		}
	}
	if len(rows) > 0 {
		page += "\n" + report.Table([]string{"Namespace", "Pull request", "Because"}, rows)
	}
	var errs []error
	for _, o := range [][2]string{{"result", result}, {"changed", strconv.FormatBool(result == removed)}} {
		errs = append(errs, r.action.SetOutput(o[0], o[1]))
	}
	return errors.Join(append(errs, r.action.Summary(page+github.Untold(untold...)))...)
}

// retire says on GitHub that a pull request's preview is gone. Its board shows that in place of the links; a pull request that
// never had a preview is told nothing. The errors are for the summary.
func retire(ctx context.Context, a *gha.Action, gh *github.Client, pr int, why string) []error {
	run := a.Env().RunURL
	return []error{
		gh.RetireDeployments(ctx, environmentOf(pr), 0, github.DeploymentStatus{Description: "removed: " + why, LogURL: run}),
		gh.RetireBoard(ctx, pr, environmentOf(pr), removed, run),
	}
}
