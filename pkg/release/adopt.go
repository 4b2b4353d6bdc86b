package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/cluster"
)

// takeOver makes sure that nothing but the baseline stands behind the Services that are about to be used: a candidate's pods
// carry the labels that such a Service selects by, and would meet clients before they are tested.
func (c *Candidate) takeOver(ctx context.Context) error {
	var found []foreign
	var problems []error
	for _, s := range c.out.services() {
		selector, err := c.deps.Cluster.Selector(ctx, s.Name)
		if cluster.IsNotFound(err) || err == nil && selector[cluster.LabelRelease] != "" && !c.unfinished(selector) {
			continue
		}
		if err != nil {
			return err
		}
		deployment, err := c.behind(ctx, s.Name, selector)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found = append(found, foreign{s.Name, deployment})
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if err := c.adopt(ctx, found); err != nil {
		return err
	}
	return c.keepDropped(ctx)
}

// foreign is a Service that promote did not make, with the Deployment that serves through it.
type foreign struct {
	service    string
	deployment cluster.ObjectRef
}

// unfinished says that a killed run began to adopt what the Service selects, and may not have come to its end.
func (c *Candidate) unfinished(selector map[string]string) bool {
	return c.Baseline != nil && c.Baseline.Adopted && selector[cluster.LabelRelease] == c.Baseline.ID && c.State.Phase == PhaseAdopting
}

// behind finds the Deployment that serves through a Service of somebody else's. It must have the name that the manifests give
// to theirs: then the same manifests made it, with another tool, and it may be replaced.
func (c *Candidate) behind(ctx context.Context, service string, selector map[string]string) (cluster.ObjectRef, error) {
	refuse := func(why string) error {
		return fmt.Errorf("Service/%s/%s exists and was not made by promote, and %s: the candidate's pods would serve before they are tested; "+
			"name the Deployment and the Service in the manifests as they are named in the cluster, or give the Service another name", c.req.Namespace, service, why)
	}
	if c.Baseline != nil && !c.Baseline.Adopted {
		return cluster.ObjectRef{}, refuse("release " + c.Baseline.ID + " serves already, so nothing else can be adopted")
	}
	var all []cluster.ObjectRef
	for _, name := range c.Release.Deployments {
		ref, err := c.deps.Cluster.Serving(ctx, strings.TrimSuffix(name, "-"+c.Release.ID), selector)
		if err != nil {
			return cluster.ObjectRef{}, err
		}
		if ref.Name != "" {
			all = append(all, ref)
		}
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return cluster.ObjectRef{}, refuse("none of the manifests' Deployments is behind it under its plain name")
	}
	return cluster.ObjectRef{}, refuse("several Deployments are behind it")
}

// adopt makes what serves already the baseline, without a restart of its pods. The intent is written first: what a killed run
// has begun, the next one goes on with.
func (c *Candidate) adopt(ctx context.Context, found []foreign) error {
	if len(found) == 0 {
		return nil
	}
	if c.Baseline == nil {
		c.Baseline = adopted(found, c.out.services())
		c.State.Serving = c.Baseline
	}
	if err := c.phase(ctx, PhaseAdopting); err != nil {
		return err
	}
	for _, f := range found {
		if err := c.deps.Cluster.Adopt(ctx, f.service, f.deployment.Name, c.Baseline.ID); err != nil {
			return err
		}
		c.deps.Log.Infof("adopted %s behind Service/%s/%s as release %s; its pods run on", f.deployment, c.req.Namespace, f.service, c.Baseline.ID)
	}
	return c.phase(ctx, PhaseIdle)
}

// adopted is the record of what promote did not make.
func adopted(found []foreign, services []cluster.SharedService) *cluster.Release {
	r := &cluster.Release{ID: "adopted-" + strings.ReplaceAll(string(found[0].deployment.UID), "-", "")[:6], Adopted: true, Time: time.Now().UTC()}
	seen := map[string]bool{}
	for _, f := range found {
		r.Services = append(r.Services, cluster.SharedService{Name: f.service, Selector: userSelector(services, f.service)})
		if !seen[f.deployment.Name] {
			seen[f.deployment.Name] = true
			r.Inventory = append(r.Inventory, f.deployment)
			r.Deployments = append(r.Deployments, f.deployment.Name)
		}
	}
	return r
}

// keepDropped lets the Services through which the baseline serves, and which the manifests no longer hold, move along: to leave
// them behind would cut their clients off.
func (c *Candidate) keepDropped(ctx context.Context) error {
	if c.Baseline == nil {
		return nil
	}
	var problems []error
	for _, s := range c.Baseline.Services {
		if userSelector(c.Services, s.Name) != nil {
			continue
		}
		selector, err := c.deps.Cluster.Selector(ctx, s.Name)
		if cluster.IsNotFound(err) || err == nil && selector[cluster.LabelRelease] != c.Baseline.ID {
			continue
		}
		subject := "Service/" + c.req.Namespace + "/" + s.Name
		switch {
		case err != nil:
			problems = append(problems, err)
		case !c.out.selectedBy(s.Selector):
			problems = append(problems, fmt.Errorf("%s, through which release %s serves, is not in the manifests any more, and its selector %v finds no pod of theirs: "+
				"its clients would be cut off; keep it in the manifests, or delete it once nobody uses it", subject, c.Baseline.ID, s.Selector))
		default:
			c.deps.Log.Warningf("%s is not in the manifests any more; it goes on serving, with release %s. Delete it once nobody uses it", subject, c.Release.ID)
			c.Services = append(c.Services, s)
		}
	}
	c.Release.Services = c.Services
	return errors.Join(problems...)
}
