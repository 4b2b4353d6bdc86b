package release

import (
	"context"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
)

// touches notes that what every release applies in place now has the candidate's content.
func (c *Candidate) touches(applied []cluster.Applied) {
	own := map[cluster.ObjectRef]bool{}
	for _, ref := range intended(c.own()) {
		own[ref] = true
	}
	for _, a := range applied {
		ref := a.Ref
		ref.UID = ""
		c.touched = c.touched || a.Action == cluster.Configured && !own[ref]
	}
}

// restoreShared gives what every release applies in place back the content that it had from the release that serves, rendered
// again from what that was rendered from. It never stands in the way of the candidate's removal: what could not be restored is
// told.
func (c *Candidate) restoreShared(ctx context.Context) {
	if !c.touched || c.Baseline == nil || c.Baseline.Adopted || c.Baseline.ID == c.Release.ID {
		return
	}
	if err := c.applyBaseline(ctx); err != nil {
		c.deps.Log.Warningf("what the manifests hold besides Deployments, ConfigMaps and Secrets may have the content of %s, which is gone: "+
			"giving it back that of %s: %v; the next deployment applies it again", c.Release.ID, c.Baseline.ID, err)
		return
	}
	c.deps.Log.Infof("what is applied in place has the content of release %s again", c.Baseline.ID)
}

func (c *Candidate) applyBaseline(ctx context.Context) error {
	e := &Earlier{Record: *c.Baseline, Change: change.Change{Head: c.Baseline.Commit, Tree: c.Baseline.Tree, Merge: c.Baseline.Merge}}
	if err := e.load(ctx, c.deps.Cluster, c.req.Service); err != nil {
		return err
	}
	req := e.Restore(c.req)
	req.Image = c.Baseline.Image
	out, err := render(ctx, c.deps, req)
	if err != nil {
		return err
	}
	old := &Candidate{deps: c.deps, req: req, out: out, Release: *c.Baseline, Baseline: c.Baseline, Services: out.services(), State: c.State, Lock: c.Lock}
	if _, err := c.deps.Cluster.Apply(ctx, old.early()); err != nil {
		return err
	}
	return old.ApplyShared(ctx)
}
