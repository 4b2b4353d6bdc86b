// Package traffic moves clients between two releases. [Pods] does it with pods behind one Service, usually of type
// LoadBalancer: the share of a release is its share of the pods. [Weighted] does it with a Service for each release and an [Entrance]
// that leads to both by weights: the routes of a gateway ([Gateway]), or a DNS name over two load balancers ([DNS]). Each is a
// rollout.Fleet.
//
// Pods refuses to share the Service with pods of a third release, and Deployments that an autoscaler scales meanwhile. It never
// removes a good pod that is in an endpoint list: what is scaled down leaves the list first. A bad candidate is another
// matter: after the one patch that takes it out of the Service its pods are stopped without waiting for their preStop,
// because open connections outlive the patch. It writes no DNS name that holds a record of somebody else.
//
//	pods, err := traffic.NewPods(ctx, cluster, traffic.Config{Baseline: …, Candidate: …, Services: …, Replicas: 8})
//	result, err := rollout.Run(ctx, plan, rollout.Edge{Fleet: pods, …})
package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/org/promote/pkg/cluster"
)

// Release is one of the two.
type Release struct {
	ID string
	// Deployment is its one Deployment that stands behind the Services.
	Deployment cluster.ObjectRef
}

// Service is a shared Service; Selector is what its user selects by, without promote's labels. Own is the candidate's own Service
// beside it, to which weights lead.
type Service struct {
	Name     string
	Selector map[string]string
	Own      string
}

// Config says who shares the traffic.
type Config struct {
	Baseline, Candidate Release
	Services            []Service
	// Replicas is how many pods the baseline had when it served alone; a rollback restores them.
	Replicas int
	// Settle is how long a good pod runs on after it left the endpoint list.
	Settle time.Duration
	// Ready bounds the wait for pods that start.
	Ready time.Duration
	// Log takes a line for every change; nil drops them.
	Log func(line string)
}

// operations is what is asked of *cluster.Cluster.
type operations interface {
	Selector(ctx context.Context, service string) (map[string]string, error)
	Select(ctx context.Context, service string, selector map[string]string) error
	AwaitEndpoints(ctx context.Context, service string, want cluster.Endpoints) error
	Replicas(ctx context.Context, deployment string) (desired, ready int, err error)
	Scale(ctx context.Context, deployment string, replicas int) error
	Drain(ctx context.Context, deployment string, keep int, settle time.Duration) error
	Kill(ctx context.Context, deployment string) error
	Wait(ctx context.Context, refs []cluster.ObjectRef, progress func(string)) error
}

// strangers is what is asked of *cluster.Cluster about those who might take part.
type strangers interface {
	Autoscalers(ctx context.Context, deployments []string) ([]cluster.Autoscaler, error)
	Selected(ctx context.Context, selector map[string]string) ([]corev1.Pod, error)
}

// Pods is a fleet of two Deployments behind shared Services.
type Pods struct {
	cfg    Config
	ops    operations
	others strangers
	// namespace is where all of them are.
	namespace string
}

// Check refuses, all at once, what can't share the traffic, in whatever way; it changes nothing.
func Check(ctx context.Context, c *cluster.Cluster, cfg Config) error {
	return newPods(c, cfg).check(ctx)
}

func newPods(c *cluster.Cluster, cfg Config) *Pods {
	return &Pods{cfg: cfg, ops: c, others: c, namespace: c.Namespace}
}

// NewPods checks that the traffic can be shared, and changes nothing.
func NewPods(ctx context.Context, c *cluster.Cluster, cfg Config) (*Pods, error) {
	p := newPods(c, cfg)
	return p, p.check(ctx)
}

func (p *Pods) check(ctx context.Context) error {
	var errs []error
	if len(p.cfg.Services) == 0 {
		errs = append(errs, errors.New("no Service shares the traffic"))
	}
	if p.cfg.Replicas < 1 {
		errs = append(errs, fmt.Errorf("release %s serves with no pods", p.cfg.Baseline.ID))
	}
	return errors.Join(append(errs, p.refuseAutoscalers(ctx), p.refuseStrangers(ctx))...)
}

// Scale brings both releases to these numbers of pods. What starts is ready and listed before anything is taken away, so
// there are never fewer pods than the split needs.
func (p *Pods) Scale(ctx context.Context, baseline, candidate int, _ float64) error {
	return p.scale(ctx, baseline, candidate, p.awaitShared)
}

// scale does between what starts and what is taken away.
func (p *Pods) scale(ctx context.Context, baseline, candidate int, between func(context.Context) error) error {
	haveB, _, err := p.ops.Replicas(ctx, p.cfg.Baseline.Deployment.Name)
	if err != nil {
		return err
	}
	haveC, _, err := p.ops.Replicas(ctx, p.cfg.Candidate.Deployment.Name)
	if err != nil {
		return err
	}
	if baseline > haveB {
		if err := p.raise(ctx, p.cfg.Baseline, baseline); err != nil {
			return err
		}
	}
	// Waited for even when the number is right: a run that was killed may have set it a moment ago.
	if err := p.raise(ctx, p.cfg.Candidate, max(candidate, haveC)); err != nil {
		return err
	}
	if err := between(ctx); err != nil {
		return err
	}
	if candidate < haveC {
		if err := p.drain(ctx, p.cfg.Candidate, candidate); err != nil {
			return err
		}
	}
	if baseline < haveB {
		return p.drain(ctx, p.cfg.Baseline, baseline)
	}
	return nil
}

// raise scales a release up and waits until its pods are ready.
func (p *Pods) raise(ctx context.Context, r Release, replicas int) error {
	if err := p.ops.Scale(ctx, r.Deployment.Name, replicas); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Ready)
	defer cancel()
	return p.ops.Wait(ctx, []cluster.ObjectRef{r.Deployment}, p.log)
}

func (p *Pods) drain(ctx context.Context, r Release, keep int) error {
	if err := p.ops.Drain(ctx, r.Deployment.Name, keep, p.cfg.Settle); err != nil {
		return err
	}
	p.log(fmt.Sprintf("%s has %d pods", r.Deployment, keep))
	return nil
}

// awaitShared waits until the Services that select both releases list them.
func (p *Pods) awaitShared(ctx context.Context) error {
	for _, s := range p.cfg.Services {
		selector, err := p.ops.Selector(ctx, s.Name)
		if err != nil {
			return err
		}
		if selector[cluster.LabelRelease] != "" {
			continue
		}
		if err := p.ops.AwaitEndpoints(ctx, s.Name, p.both()); err != nil {
			return err
		}
	}
	return nil
}

// Admit lets the Services select both releases.
func (p *Pods) Admit(ctx context.Context, _ float64) error {
	// Looked at again right before: the selector names no release now, so whatever carries the service's labels is in.
	if err := p.refuseStrangers(ctx); err != nil {
		return err
	}
	return p.selectAll(ctx, "", p.both())
}

// Promote lets the Services select the candidate alone.
func (p *Pods) Promote(ctx context.Context) error {
	return p.selectAll(ctx, p.cfg.Candidate.ID, cluster.Endpoints{Releases: []string{p.cfg.Candidate.ID}})
}

// selectAll moves one Service after the other and waits for its endpoints.
func (p *Pods) selectAll(ctx context.Context, release string, want cluster.Endpoints) error {
	for _, s := range p.cfg.Services {
		if err := p.ops.Select(ctx, s.Name, s.selector(release)); err != nil {
			return err
		}
		if err := p.ops.AwaitEndpoints(ctx, s.Name, want); err != nil {
			return err
		}
	}
	return nil
}

// selector is the Service's selector for one release, or for all with "".
func (s Service) selector(release string) map[string]string {
	m := map[string]string{cluster.LabelServe: "true"}
	for k, v := range s.Selector {
		m[k] = v
	}
	delete(m, cluster.LabelRelease)
	if release != "" {
		m[cluster.LabelRelease] = release
	}
	return m
}

func (p *Pods) both() cluster.Endpoints {
	return cluster.Endpoints{Releases: []string{p.cfg.Baseline.ID, p.cfg.Candidate.ID}}
}

func (p *Pods) log(line string) {
	if p.cfg.Log != nil {
		p.cfg.Log(line)
	}
}
