//go:build lab

package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/org/promote/lab/github"
	generator "github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/cluster"
)

// soaked is quick with what a change can bring: an error for every so many-th request, and pods that come slowly.
var soaked = strings.NewReplacer(
	`"-version=quick"`, `"-version={{ .Commit }}", "-graceful=2s", "-fail={{ .Values.fail }}", "-ready-after={{ .Values.ready }}"`,
	"terminationGracePeriodSeconds: 2", "terminationGracePeriodSeconds: 5",
	"metadata: {labels: {app: quick}}", `metadata: {labels: {app: quick}, annotations: {prometheus.io/port: "8080"}}`,
).Replace(quick)

const soakChecks = `- name: errors
  type: ratio
  bad: sum(increase(answers_total{release="$release",code=~"5.."}[$window]))
  total: sum(increase(answers_total{release="$release"}[$window]))
  max: 0.02
`

// fate is what becomes of a canary.
type fate string

const (
	fateGood       fate = "good"
	fateBad        fate = "bad"
	fateSlow       fate = "slow"
	fateKilled     fate = "killed"
	fateCancelled  fate = "cancelled"
	fateSuperseded fate = "superseded"
)

// soak is a service in prod that gets one canary after the other while clients use it.
type soak struct {
	*guarded
	rnd *rand.Rand
	// sick are the commits whose own answers may fail.
	sick map[string]bool
}

// TestSoak sends canaries of random fates over one service under load, each judged by its own pods. PROMOTE_SOAK is how many,
// PROMOTE_SOAK_SEED plays the same ones again. After each: one release serves alone, it is the right one, nothing is left over; and
// in all that time no request fails but those that a bad version answers with an error.
func TestSoak(t *testing.T) {
	t.Parallel()
	rounds, seed := fromEnv(t, "PROMOTE_SOAK", 6), fromEnv(t, "PROMOTE_SOAK_SEED", 1)
	t.Logf("%d canaries of seed %d", rounds, seed)
	s := &soak{guarded: &guarded{scene: newScene(t, "prod")}, rnd: rand.New(rand.NewPCG(uint64(seed), 5)), sick: map[string]bool{}}
	s.h.commit("main", map[string]string{"deploy/quick.yaml": soaked})
	s.allowWatchdog()
	base := s.h.run("canary", s.merged("base").event, s.inputs(s.values(0, 0, nil)), s.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the first release was not brought up:\n%s", base.output)
	}
	s.baseline = base.outputs["release"]
	s.startLoad()
	fates := []fate{fateGood, fateBad, fateKilled, fateCancelled, fateSlow, fateSuperseded}
	for i := range rounds {
		f := fates[i%len(fates)]
		if i >= len(fates) {
			f = fates[s.rnd.IntN(len(fates))]
		}
		began := time.Now()
		s.round(fmt.Sprintf("%02d-%s", i, f), f)
		t.Logf("%d: %s, %s: %s serves", i, f, time.Since(began).Round(100*time.Millisecond), s.baseline)
		if t.Failed() {
			t.Fatalf("round %d of seed %d, %s", i, seed, f)
		}
	}
	s.wantNoLoss()
}

func fromEnv(t *testing.T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q, want a number", variable, text)
	}
	return n
}

func (s *soak) values(fail int, ready time.Duration, more map[string]string) map[string]string {
	all := map[string]string{
		"monitor": "pods", "checks": soakChecks, "steps": "25,50,100", "step-duration": "1s", "step-limit": "1m", "interval": "500ms", "min-requests": "20",
		"watchdog": "true", "drain": "2s", "values": fmt.Sprintf("fail: %d\nready: %s", fail, ready),
	}
	maps.Copy(all, more)
	return all
}

// round brings one change and sees what becomes of it.
func (s *soak) round(branch string, f fate) {
	s.t.Helper()
	req := s.merged(branch)
	fail, ready := 0, time.Duration(0)
	switch f {
	case fateBad:
		fail = 2 + s.rnd.IntN(4)
		s.sick[req.head] = true
	case fateSlow:
		ready = time.Duration(1+s.rnd.IntN(4)) * time.Second
	}
	dogs := len(s.dogs())
	r := s.start("canary", req.event, s.values(fail, ready, nil))
	switch f {
	case fateGood, fateSlow:
		s.want(r.end(), "promoted")
	case fateBad:
		s.want(r.end(), "rolled-back")
	case fateKilled, fateCancelled:
		s.stop(r, f, dogs)
	case fateSuperseded:
		// Two more changes come meanwhile: the first of them waits, and gives way to the second.
		s.await("the first run has the lock", s.works)
		second := s.merged(branch + "-2")
		waiting := s.start("canary", second.event, s.values(0, 0, map[string]string{"concurrency": "supersede"}))
		s.await("the second run waits", s.somebodyWaits)
		third := s.merged(branch + "-3")
		last := s.start("canary", third.event, s.values(0, 0, map[string]string{"concurrency": "supersede"}))
		s.want(r.end(), "promoted")
		if res := waiting.end(); res.outputs["result"] != "superseded" && res.outputs["result"] != "promoted" {
			s.t.Errorf("the run that waited ended with %d, %v\n%s", res.code, res.outputs, res.output)
		}
		if res := last.end(); res.outputs["result"] != "promoted" {
			s.t.Errorf("the last run ended with %d, %v\n%s", res.code, res.outputs, res.output)
		}
	}
	s.settled()
}

// works says that a canary is under way.
func (s *soak) works() bool {
	state, err := s.p.connect().LoadState(context.Background(), "quick")
	return err == nil && state.Candidate != nil
}

// somebodyWaits says that a run is in the line for the lock: it has read the checkout by then.
func (s *soak) somebodyWaits() bool {
	lease, err := s.p.admin.CoordinationV1().Leases(s.p.namespace).Get(context.Background(), "promote-quick", metav1.GetOptions{})
	return err == nil && strings.Contains(fmt.Sprint(lease.Annotations), `"beat":`)
}

func (s *soak) want(res result, wanted string) {
	s.t.Helper()
	if res.outputs["result"] != wanted {
		s.t.Errorf("it ended with %d, %v, want %s\n%s", res.code, res.outputs, wanted, res.output)
	}
}

// stop ends a run at a random moment, or lets it be if it is done by then. dogs is how many watchdogs there were before it.
func (s *soak) stop(r *running, f fate, dogs int) {
	s.t.Helper()
	moment := time.Duration(s.rnd.IntN(11000)) * time.Millisecond
	select {
	case <-r.ended:
		r.ended <- nil
	case <-time.After(moment):
		signal := os.Interrupt
		if f == fateKilled {
			signal = syscall.SIGKILL
		}
		_ = r.cmd.Process.Signal(signal)
	}
	res := r.end()
	if f == fateCancelled && res.code != 0 && res.code != 130 {
		s.t.Errorf("cancelled after %s it ended with %d, %v\n%s", moment, res.code, res.outputs, res.output)
	}
	s.t.Logf("%s after %s: ended with %d, %s", f, moment, res.code, res.outputs["result"])
	if f == fateKilled && len(s.dogs()) == dogs && s.works() {
		// It died before its watchdog was there, and before any traffic moved: a scheduled run clears up.
		s.want(s.h.run("canary", github.Event{Name: "schedule", Payload: []byte("{}")}, s.inputs(s.values(0, 0, map[string]string{"mode": "recover"})), s.runner()), "recovered")
	}
}

// atRest waits until nothing is under way any more, and wants one release to serve alone.
func (s *soak) atRest() {
	s.t.Helper()
	c, ctx := s.p.connect(), context.Background()
	var state *cluster.State
	s.await("the state is at rest, and no watchdog is left", func() bool {
		var err error
		state, err = c.LoadState(ctx, "quick")
		s.h.must(err)
		return state.Candidate == nil && !slices.ContainsFunc(s.dogs(), func(j batchv1.Job) bool { return j.DeletionTimestamp == nil && j.Status.Succeeded == 0 })
	})
	s.baseline = state.Serving.ID
	if selected := s.selected(); selected != s.baseline {
		s.t.Errorf("the Service selects %s, and %s serves", selected, s.baseline)
	}
	if s.sick[state.Serving.Commit] {
		s.t.Errorf("the bad commit %s serves", state.Serving.Commit)
	}
}

// settled is atRest, with nothing of another release left.
func (s *soak) settled() {
	s.t.Helper()
	s.atRest()
	ctx := context.Background()
	deployments, err := s.p.admin.AppsV1().Deployments(s.p.namespace).List(ctx, metav1.ListOptions{})
	s.h.must(err)
	for _, d := range deployments.Items {
		if d.Labels[cluster.LabelRelease] != s.baseline && d.DeletionTimestamp == nil {
			s.t.Errorf("Deployment/%s is left of another release", d.Name)
		}
		if d.Labels[cluster.LabelRelease] == s.baseline && *d.Spec.Replicas != 2 {
			s.t.Errorf("Deployment/%s is to have %d pods, want 2", d.Name, *d.Spec.Replicas)
		}
	}
}

// wantNoLoss wants every request to have been answered, and only bad commits to have answered with errors.
func (s *soak) wantNoLoss() {
	s.t.Helper()
	records, err := s.load.Stop()
	s.h.must(err)
	failed := 0
	for _, r := range records {
		if !r.Failed() {
			continue
		}
		failed++
		if r.Status == 0 || !s.sick[r.Version] {
			s.t.Errorf("a request failed: %+v", r)
		}
	}
	s.t.Logf("%d requests, of which bad versions answered %d with an error", len(records), failed)
}

// startLoad sends requests to the service, half of them on connections that are kept for a second.
func (g *guarded) startLoad() {
	g.t.Helper()
	service, err := g.p.admin.CoreV1().Services(g.p.namespace).Get(g.t.Context(), "quick", metav1.GetOptions{})
	g.h.must(err)
	url := "http://" + service.Spec.ClusterIP
	await(g.t, url)
	g.load, err = generator.Start(g.t.Context(), generator.Config{URL: url, Rate: 50, KeepAlive: 0.5, Clients: 5, PerConnection: 5, Scenario: generator.Get("/")})
	g.h.must(err)
}
