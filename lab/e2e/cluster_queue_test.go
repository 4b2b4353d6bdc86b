//go:build lab

package e2e

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestClusterQueue lets two runs wait for a third: the one that is older gives way, and whoever waits hears of it regularly.
func TestClusterQueue(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	ctx := t.Context()
	holder := p.connect()
	held, err := holder.Lock(ctx, "checkout", "run-1", cluster.LockOptions{URL: "https://github.example.com/runs/1", Order: 1, Line: "merged"})
	p.must(held, err)
	p.must(nil, holder.SaveState(ctx, &cluster.State{Service: "checkout", Phase: "preparing"}))

	var mu sync.Mutex
	var told []string
	wait := func(run string, order int64, supersede bool) chan error {
		ended := make(chan error, 1)
		go func() {
			l, err := p.connect().Lock(ctx, "checkout", run, cluster.LockOptions{Wait: 2 * time.Minute, Order: order, Line: "merged", Supersede: supersede,
				Waiting: func(h cluster.Holder) {
					mu.Lock()
					defer mu.Unlock()
					told = append(told, run+" "+h.String())
				}})
			if err == nil {
				err = l.Release(ctx)
			}
			ended <- err
		}()
		return ended
	}
	older := wait("run-2", 2, true)
	patient := wait("run-3", 3, false)
	newer := wait("run-9", 9, true)
	select {
	case err := <-older:
		var superseded *cluster.SupersededError
		// To whichever of the later ones it saw first.
		if !errors.As(err, &superseded) || superseded.By != "run-9" && superseded.By != "run-3" {
			t.Errorf("the older run ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the older run still waits")
	}
	lines := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, line := range told {
			if strings.HasPrefix(line, "run-9 run run-1 (https://github.example.com/runs/1) since ") && strings.HasSuffix(line, `in phase "preparing"`) {
				n++
			}
		}
		return n
	}
	for started := time.Now(); lines() < 2; time.Sleep(100 * time.Millisecond) {
		if time.Since(started) > 30*time.Second {
			t.Fatalf("no second line within 30 s: %q", told)
		}
	}
	p.must(nil, held.Release(ctx))
	for name, ended := range map[string]chan error{"the newer run": newer, "the run that waits its turn": patient} {
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	lease, err := p.admin.CoordinationV1().Leases(p.namespace).Get(ctx, "promote-checkout", metav1.GetOptions{})
	p.must(lease, err)
	if left := lease.Annotations["promote.dev/queue"]; strings.Contains(left, "run-9") {
		t.Errorf("the queue still has %s", left)
	}
}
