package demo

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/org/promote/lab/show"
	"github.com/org/promote/lab/world"
	"github.com/org/promote/pkg/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// witness watches the API server on its own, so that what the demo says of traffic and pods does not rest on the word of
// the actions.
type witness struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu        sync.Mutex
	selectors []selection
	pods      map[types.UID]*life
}

// selection is one change of a shared Service's selector. Release is "" while the Service selects every release, and before
// promote has come to it.
type selection struct {
	Environment, Release string
	// To says in words where traffic goes.
	To   string
	Time time.Time
}

// bothReleases is where a canary's traffic goes.
const bothReleases = "both releases"

// life is what was seen of one pod. Release is the newest that it had; a pod that was put there by hand has none until it is
// adopted.
type life struct {
	Environment, Release string
	Restarts             int32
	Leaving, Gone        time.Time
}

// watch begins to watch the three namespaces.
func (s *scene) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &witness{cancel: cancel, pods: map[types.UID]*life{}}
	s.witness = w
	for _, env := range world.Environments {
		w.follow(ctx, func(ctx context.Context) (watch.Interface, error) {
			return s.kube.CoreV1().Services(env).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + s.service.name})
		}, func(e watch.Event) { w.service(s.timeline, env, e) })
		w.follow(ctx, func(ctx context.Context) (watch.Interface, error) {
			return s.kube.CoreV1().Pods(env).Watch(ctx, metav1.ListOptions{LabelSelector: s.service.pods()})
		}, func(e watch.Event) { w.pod(env, e) })
	}
	return nil
}

// follow keeps a watch open until the witness stops; a watch that ends is opened again.
func (w *witness) follow(ctx context.Context, open func(context.Context) (watch.Interface, error), see func(watch.Event)) {
	w.done.Go(func() {
		for ctx.Err() == nil {
			stream, err := open(ctx)
			if err != nil {
				select {
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
				continue
			}
			for e := range stream.ResultChan() {
				see(e)
			}
			stream.Stop()
		}
	})
}

func (w *witness) service(t *timeline, env string, e watch.Event) {
	svc, ok := e.Object.(*corev1.Service)
	if !ok || e.Type == watch.Deleted {
		return
	}
	release := svc.Spec.Selector[cluster.LabelRelease]
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := w.last(env); last != nil && last.Release == release {
		return
	}
	to := release
	switch {
	case release == "" && svc.Spec.Selector[cluster.LabelServe] == "":
		to = "what was put there by hand"
	case release == "":
		to = bothReleases
	}
	w.selectors = append(w.selectors, selection{Environment: env, Release: release, To: to, Time: time.Now()})
	t.detail("⇄ traffic of %s goes to %s", env, to)
}

// last is the newest selection in an environment; the caller holds the lock.
func (w *witness) last(env string) *selection {
	for i := len(w.selectors) - 1; i >= 0; i-- {
		if w.selectors[i].Environment == env {
			return &w.selectors[i]
		}
	}
	return nil
}

func (w *witness) pod(env string, e watch.Event) {
	pod, ok := e.Object.(*corev1.Pod)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.pods[pod.UID]
	if l == nil {
		l = &life{Environment: env}
		w.pods[pod.UID] = l
	}
	l.Release = pod.Labels[cluster.LabelRelease]
	for _, c := range pod.Status.ContainerStatuses {
		l.Restarts = max(l.Restarts, c.RestartCount)
	}
	if pod.DeletionTimestamp != nil && l.Leaving.IsZero() {
		l.Leaving = time.Now()
	}
	if e.Type == watch.Deleted {
		l.Gone = time.Now()
	}
}

// lives are the pods that a release has had in an environment.
func (w *witness) lives(env, release string) map[types.UID]life {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[types.UID]life{}
	for uid, l := range w.pods {
		if l.Environment == env && l.Release == release {
			found[uid] = *l
		}
	}
	return found
}

// during lists an environment's selections while a part was played.
func (w *witness) during(env string, p *part) []selection {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []selection
	for _, s := range w.selectors {
		if s.Environment == env && s.Time.After(p.began) && s.Time.Before(p.ended) {
			out = append(out, s)
		}
	}
	return out
}

// moves are all selections, as the page shows them.
func (w *witness) moves() []show.Move {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []show.Move
	for _, s := range w.selectors {
		all = append(all, show.Move{Environment: s.Environment, Time: s.Time, To: s.To})
	}
	return all
}

func (w *witness) stop() {
	w.cancel()
	w.done.Wait()
}

// gone is when the last pod of the releases of a commit disappeared; zero while one is there or none ever was.
func (w *witness) gone(env, commit string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var last time.Time
	for _, l := range w.pods {
		if l.Environment != env || !strings.HasPrefix(l.Release, commit) {
			continue
		}
		if l.Gone.IsZero() {
			return time.Time{}
		}
		if l.Gone.After(last) {
			last = l.Gone
		}
	}
	return last
}
