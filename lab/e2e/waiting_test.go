//go:build lab

package e2e

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/promote/lab/failing"
	"github.com/org/promote/lab/world"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// namedWithin is the promise: so long after Kubernetes knows of a failure it is named.
const namedWithin = 15 * time.Second

// longest is how long a case may last here.
const longest = 30 * time.Second

// TestWaitJudgesEachCase makes the cases of pkg/cluster/testdata/recorded happen again, all at a time, each in a namespace of its
// own, and waits for them with the rights of docs/role.yaml alone. What takes Kubernetes longer than longest, such as noticing that a
// node is lost, is judged from its recording only.
func TestWaitJudgesEachCase(t *testing.T) {
	cases, err := failing.Load("../../pkg/cluster/testdata/recorded")
	if err != nil {
		t.Fatal(err)
	}
	lab, err := world.Load(world.DefaultDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := failing.Start(t.Context(), lab)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	// They mostly wait, so more of them than there are processors run at a time; t.Parallel would not let them.
	var all sync.WaitGroup
	for _, c := range cases {
		if c.For.Duration <= longest {
			all.Go(func() { t.Run(c.Name+": "+c.About, func(t *testing.T) { waitJudges(t, w, c) }) })
		}
	}
	all.Wait()
}

func waitJudges(t *testing.T, w *failing.World, c failing.Case) {
	p := newPlace(t, "e2e")
	// What happens is watched until the subtest ends: the recording says when Kubernetes knew.
	seen, err := w.Watch(t.Context(), p.namespace)
	p.must(seen, err)
	made, err := w.Make(t.Context(), p.namespace, c)
	p.must(made, err)
	t.Cleanup(func() {
		seen.Stop()
		if err := made.Remove(t.Context()); err != nil {
			t.Error(err)
		}
	})
	limit := time.Minute
	if c.Want.Outcome == "waits" {
		// Longer than when it was recorded alone: with all cases at once the node comes to each one later.
		limit = c.For.Duration + 10*time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var lines []string
	err = p.connect().Wait(ctx, []cluster.ObjectRef{cluster.RefOf(made.Subject)}, func(line string) { lines = append(lines, line) })
	named := time.Now()
	var failed *cluster.FailedError
	switch {
	case c.Want.Outcome == "ready":
		if err != nil {
			t.Errorf("got %v", err)
		}
		return
	case !errors.As(err, &failed):
		t.Fatalf("got %v", err)
	case c.Want.Outcome == "waits":
		if ctx.Err() == nil {
			t.Errorf("gave up before its time was over: %v", err)
		}
		for _, words := range c.Want.Says {
			if !strings.Contains(strings.Join(lines, "\n"), words) {
				t.Errorf("no line says %q:\n%s", words, strings.Join(lines, "\n"))
			}
		}
		return
	}
	known, ok := seen.Known(c.Shows)
	if !ok {
		t.Fatalf("%q never showed; %v", c.Shows, err)
	}
	t.Logf("named %.1fs after Kubernetes knew: %v", named.Sub(known).Seconds(), err)
	if named.Sub(known) >= namedWithin {
		t.Errorf("named %s after Kubernetes knew, want less than %s", named.Sub(known), namedWithin)
	}
	if failed.Reason != c.Want.Reason {
		t.Errorf("got the reason %s, want %s", failed.Reason, c.Want.Reason)
	}
	for _, words := range c.Want.Says {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not said by: %v", words, err)
		}
	}
	// An event that comes while the report is being written cannot be in it.
	if at, ok := seen.Known(`"reason":"` + c.Want.Event + `"`); c.Want.Event != "" && ok && named.Sub(at) > time.Second {
		wantEvent(t, c.Want.Event, failed.Diagnosis)
	}
	wantDiagnosis(t, p, c, failed.Diagnosis)
}

func wantEvent(t *testing.T, reason string, d cluster.Diagnosis) {
	t.Helper()
	if !slices.ContainsFunc(d.Events, func(e cluster.EventDiagnosis) bool { return e.Reason == reason }) {
		t.Errorf("no event %s:\n%s", reason, d)
	}
}

// wantDiagnosis checks what was found, and that it was found before anything was removed: the pods are there.
func wantDiagnosis(t *testing.T, p *place, c failing.Case, d cluster.Diagnosis) {
	t.Helper()
	if len(d.Incomplete) > 0 {
		t.Errorf("not found out: %v", d.Incomplete)
	}
	for _, pod := range d.Pods {
		name := pod.Name[strings.LastIndex(pod.Name, "/")+1:]
		if _, err := p.admin.CoreV1().Pods(p.namespace).Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			t.Errorf("%s was gone when its failure was told: %v", pod.Name, err)
		}
	}
	if len(d.Events) == 0 {
		t.Error("no event was found")
	}
	if c.Want.Container == "" {
		return
	}
	for _, pod := range d.Pods {
		for _, container := range pod.Containers {
			if container.Name != c.Want.Container {
				continue
			}
			if !strings.Contains(container.State, c.Want.Exit) {
				t.Errorf("%q does not say %q", container.State, c.Want.Exit)
			}
			if log := strings.Join(container.Log, "\n"); !strings.Contains(log, c.Want.Log) {
				t.Errorf("the log lacks %q:\n%s", c.Want.Log, log)
			}
			if c.Want.Lines > 0 && len(container.Log) != c.Want.Lines {
				t.Errorf("got %d lines of log, want the last %d", len(container.Log), c.Want.Lines)
			}
			return
		}
	}
	t.Errorf("no container %s:\n%s", c.Want.Container, d)
}
