package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
)

// Entrance leads clients to the shared Services and to the candidate's own beside them, by weights. Every method may be called again
// when it is not known whether it succeeded.
type Entrance interface {
	// Check refuses what can't be shared, before anything is written.
	Check(ctx context.Context) error
	// Shift gives the candidate's own Services that many percent of the clients, and returns when they feel it. The others get the
	// rest: there is never a moment in which nobody gets any.
	Shift(ctx context.Context, percent float64) error
	// Return gives all clients to the shared Services, and does not wait until they feel it.
	Return(ctx context.Context) error
	// Close gives all clients to the shared Services and leads to no other any more. After it the candidate's own may be deleted.
	Close(ctx context.Context) error
}

// Weighted is a fleet of two Deployments, each behind Services of its own, and an entrance that leads to both.
//
// The way back does not lie in the weights: the candidate's own Services are made to select the baseline, in one patch each, which
// needs no more than the right to patch a Service and is felt wherever the weights stand, however long clients keep an old DNS answer.
type Weighted struct {
	pods     *Pods
	entrance Entrance
	shared   []Service
	own      []Service
}

// NewWeighted checks that the traffic can be shared, and changes nothing. Each of the Services needs its Own.
func NewWeighted(ctx context.Context, c *cluster.Cluster, cfg Config, entrance Entrance) (*Weighted, error) {
	return newWeighted(ctx, newPods(c, cfg), entrance)
}

func newWeighted(ctx context.Context, pods *Pods, entrance Entrance) (*Weighted, error) {
	w := &Weighted{pods: pods, entrance: entrance}
	// A pod that left its Service is asked for as long as what leads there takes to follow.
	pods.cfg.Settle = max(pods.cfg.Settle, gatewayTime)
	for _, s := range pods.cfg.Services {
		w.shared = append(w.shared, s)
		if s.Own != "" {
			w.own = append(w.own, Service{Name: s.Own, Selector: s.Selector})
		}
	}
	var errs []error
	if len(w.own) == 0 {
		errs = append(errs, errors.New("the candidate has no Service of its own that weights could lead to"))
	}
	if pods.cfg.Replicas < 1 {
		errs = append(errs, fmt.Errorf("release %s serves with no pods", pods.cfg.Baseline.ID))
	}
	return w, errors.Join(append(errs, pods.refuseAutoscalers(ctx), entrance.Check(ctx))...)
}

// Scale brings both releases to these numbers of pods, and the candidate's weight to percent in between: after its pods are there,
// and before the baseline gives any away.
func (w *Weighted) Scale(ctx context.Context, baseline, candidate int, percent float64) error {
	return w.pods.scale(ctx, baseline, candidate, func(ctx context.Context) error {
		if err := w.awaitOwn(ctx); err != nil || percent == 0 {
			return err
		}
		return w.entrance.Shift(ctx, percent)
	})
}

// awaitOwn waits until the candidate's own Services list its pods.
func (w *Weighted) awaitOwn(ctx context.Context) error {
	for _, s := range w.own {
		if err := w.pods.ops.AwaitEndpoints(ctx, s.Name, cluster.Endpoints{Releases: []string{w.pods.cfg.Candidate.ID}}); err != nil {
			return err
		}
	}
	return nil
}

// Admit gives the candidate its first share.
func (w *Weighted) Admit(ctx context.Context, percent float64) error {
	return w.entrance.Shift(ctx, percent)
}

// Promote leads everybody to the candidate's own Services first, and only then lets the shared ones select the candidate: what a load
// balancer needs to register new targets nobody feels meanwhile.
func (w *Weighted) Promote(ctx context.Context) error {
	if err := w.entrance.Shift(ctx, 100); err != nil {
		return err
	}
	return w.pods.selectAll(ctx, w.pods.cfg.Candidate.ID, cluster.Endpoints{Releases: []string{w.pods.cfg.Candidate.ID}})
}

// returnTime bounds the giving back of the weights in a rollback: the Services have brought everybody to the baseline already.
const returnTime = 3 * time.Second

// Rollback lets all Services select the baseline, the candidate's own first. The weights follow, for load balancers that take long to
// get to know other pods; that they could not be moved yet is no danger, and the entrance is closed later.
func (w *Weighted) Rollback(ctx context.Context) error {
	services := append(append([]Service{}, w.own...), w.shared...)
	return w.pods.rollback(ctx, services, gatewayTime, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, returnTime)
		defer cancel()
		if err := w.entrance.Return(ctx); err != nil {
			w.pods.log(fmt.Sprintf("the weights could not be moved back yet; every Service that they lead to selects %s, and they are moved back later: %v", w.pods.cfg.Baseline.ID, err))
		}
	})
}
