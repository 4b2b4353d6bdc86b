//go:build lab

package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestClusterState(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	ctx := t.Context()
	want := &cluster.State{Service: "checkout", Environment: "e2e", Phase: "preparing", Replicas: map[string]int{"checkout-a": 3}, Rollout: []byte(`{"step":2}`),
		Serving: &cluster.Release{ID: "a", Inventory: []cluster.ObjectRef{{APIVersion: "v1", Kind: "ConfigMap", Namespace: "n", Name: "x", UID: "u"}}, Time: time.Unix(7, 0).UTC()}}
	t.Run("reads back what was saved", func(t *testing.T) {
		p := p.in(t)
		if err := c.SaveState(ctx, want); err != nil {
			t.Fatal(err)
		}
		got, err := c.LoadState(ctx, "checkout")
		p.must(got, err)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(cluster.State{})); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a service that was never deployed has an empty state", func(t *testing.T) {
		got, err := c.LoadState(ctx, "other")
		if err != nil || got.Serving != nil || got.Service != "other" {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("a write over another run's is refused", func(t *testing.T) {
		p := p.in(t)
		one, err := c.LoadState(ctx, "checkout")
		p.must(one, err)
		two, err := c.LoadState(ctx, "checkout")
		p.must(two, err)
		one.Phase, two.Phase = "one", "two"
		if err := c.SaveState(ctx, one); err != nil {
			t.Fatal(err)
		}
		if err := c.SaveState(ctx, two); err == nil || !strings.Contains(err.Error(), "another run") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("somebody's annotation in between is no reason to fail", func(t *testing.T) {
		p := p.in(t)
		s, err := c.LoadState(ctx, "checkout")
		p.must(s, err)
		p.must(p.admin.CoreV1().ConfigMaps(p.namespace).Patch(ctx, "promote-checkout", types.MergePatchType, []byte(`{"metadata":{"annotations":{"a":"b"}}}`), metav1.PatchOptions{}))
		s.Phase = "three"
		if err := c.SaveState(ctx, s); err != nil {
			t.Error(err)
		}
	})
}

func TestClusterLock(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	ctx := t.Context()
	t.Run("one run at a time; the other waits and is told for whom", func(t *testing.T) {
		p := p.in(t)
		first, err := p.connect().Lock(ctx, "one", "run-1", cluster.LockOptions{URL: "https://github.example.com/runs/1"})
		p.must(first, err)
		_, err = p.connect().Lock(ctx, "one", "run-2", cluster.LockOptions{})
		var locked *cluster.LockedError
		if !errors.As(err, &locked) || locked.Holder != "run-1" {
			t.Errorf("got %v", err)
		}
		var told []string
		waiting := make(chan struct{})
		got := make(chan error)
		go func() {
			second, err := p.connect().Lock(ctx, "one", "run-2", cluster.LockOptions{Wait: time.Minute, URL: "https://github.example.com/runs/2", Waiting: func(h cluster.Holder) { told = append(told, h.Run+" "+h.URL); close(waiting) }})
			if err == nil {
				err = second.Release(ctx)
			}
			got <- err
		}()
		<-waiting
		if err := first.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"run-1 https://github.example.com/runs/1"}, told); diff != "" {
			t.Error(diff)
		}
		if first.Context().Err() == nil {
			t.Error("the context of a released lock goes on")
		}
	})
	t.Run("a lock that is renewed is kept beyond its duration", func(t *testing.T) {
		p := p.in(t)
		l, err := p.connect().Lock(ctx, "kept", "run-1", cluster.LockOptions{})
		p.must(l, err)
		defer l.Release(ctx)
		_, err = p.connect().Lock(ctx, "kept", "run-2", cluster.LockOptions{Wait: 20 * time.Second})
		var locked *cluster.LockedError
		if !errors.As(err, &locked) || l.Context().Err() != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a run that was cut off and comes back cannot write any more", func(t *testing.T) {
		p := p.in(t)
		refs := p.apply(p.connect(), service)
		old := p.connect(func(c *cluster.Config) { c.Outage = 90 * time.Second })
		lost, err := old.Lock(ctx, "checkout", "run-old", cluster.LockOptions{})
		p.must(lost, err)
		state, err := old.LoadState(ctx, "checkout")
		p.must(state, err)
		p.must(nil, old.SaveState(lost.Context(), state))

		p.wire.cut()
		admin, err := cluster.Connect(cluster.Config{Kubeconfig: adminKubeconfig(t), Namespace: p.namespace})
		p.must(admin, err)
		started := time.Now()
		l, err := admin.Lock(ctx, "checkout", "run-new", cluster.LockOptions{Wait: time.Minute})
		p.must(l, err)
		defer l.Release(ctx)
		if took := time.Since(started); took < 14*time.Second || took > 25*time.Second {
			t.Errorf("taken over after %s", took)
		}
		p.wire.mend()

		// Its parent context: what matters is that the write is refused, not that the context ended first.
		if err := old.Select(ctx, "checkout", only("b")); !errors.Is(err, cluster.ErrLockLost) {
			t.Errorf("Select gave %v", err)
		}
		if err := old.SaveState(ctx, state); !errors.Is(err, cluster.ErrLockLost) {
			t.Errorf("SaveState gave %v", err)
		}
		if err := old.Delete(ctx, refs); !errors.Is(err, cluster.ErrLockLost) {
			t.Errorf("Delete gave %v", err)
		}
		select {
		case <-lost.Context().Done():
			if !errors.Is(context.Cause(lost.Context()), cluster.ErrLockLost) {
				t.Errorf("ended with %v", context.Cause(lost.Context()))
			}
		case <-time.After(10 * time.Second):
			t.Error("the old run never noticed")
		}
		if got, err := admin.Selector(ctx, "checkout"); err != nil || got[cluster.LabelRelease] != "a" {
			t.Errorf("the Service selects %v, %v", got, err)
		}
		if err := lost.Release(ctx); err != nil {
			t.Errorf("releasing a lost lock: %v", err)
		}
		if err := admin.Select(ctx, "checkout", only("c")); err != nil {
			t.Errorf("the new run cannot write: %v", err)
		}
	})
}
