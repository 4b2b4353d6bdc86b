//go:build lab

package e2e

import (
	"context"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/org/promote/lab/github"
	generator "github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/report"
)

// telling is quick with the commit as its version, so that a client sees which release answers, and with an end that lets clients
// leave: each of them keeps a connection for a second.
var telling = strings.NewReplacer(`"-version=quick"`, `"-version={{ .Commit }}", "-graceful=2s"`, "terminationGracePeriodSeconds: 2", "terminationGracePeriodSeconds: 5").Replace(quick)

// reaction is what a watchdog may take once the lock of a dead run has lapsed.
const reaction = 5 * time.Second

// birth is what a watchdog needs that comes to life only then: a Job makes its next pod after ten seconds.
const birth = 15 * time.Second

// guarded is a service in prod whose canaries have a watchdog.
type guarded struct {
	*scene
	monitor  *monitor
	baseline string
	load     *generator.Run
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{scene: newScene(t, "prod"), monitor: newMonitor(t)}
	g.h.commit("main", map[string]string{"deploy/quick.yaml": telling})
	g.allowWatchdog()
	base := g.h.run("canary", g.merged("base").event, g.inputs(g.more(nil)), g.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the baseline was not brought up:\n%s", base.output)
	}
	g.baseline = base.outputs["release"]
	g.monitor.baseline.Store(&g.baseline)
	g.startLoad()
	return g
}

// allowWatchdog makes the account that the documentation tells users to make.
func (g *guarded) allowWatchdog() {
	g.t.Helper()
	data, err := os.ReadFile("../../docs/role-watchdog.yaml")
	g.h.must(err)
	for _, o := range g.p.objects(string(data)) {
		if o.GetKind() == "RoleBinding" {
			subjects, _, _ := unstructured.NestedSlice(o.Object, "subjects")
			subjects[0].(map[string]any)["namespace"] = g.p.namespace
			g.h.must(unstructured.SetNestedSlice(o.Object, subjects, "subjects"))
		}
		g.p.create(o)
	}
}

func (g *guarded) more(more map[string]string) map[string]string {
	all := map[string]string{
		"monitor-url": g.monitor.url, "checks": g.monitor.checks(), "steps": "25,50,100", "step-duration": "400ms", "step-limit": "1m", "interval": "200ms",
		"watchdog": "true", "drain": "2s",
	}
	maps.Copy(all, more)
	return all
}

// dogs are the watchdogs' Jobs.
func (g *guarded) dogs() []batchv1.Job {
	g.t.Helper()
	jobs, err := g.p.admin.BatchV1().Jobs(g.p.namespace).List(context.Background(), metav1.ListOptions{LabelSelector: cluster.LabelWatchdog + "=quick"})
	g.h.must(err)
	return jobs.Items
}

// wanted is how many pods the candidate is to have.
func (g *guarded) wanted() int32 {
	g.t.Helper()
	all, err := g.p.admin.AppsV1().Deployments(g.p.namespace).List(context.Background(), metav1.ListOptions{})
	g.h.must(err)
	for _, d := range all.Items {
		if d.Labels[cluster.LabelRelease] != g.baseline {
			return *d.Spec.Replicas
		}
	}
	return 0
}

// TestAWatchdogMakesADeadCanarySafe kills a canary where it stands. Nobody runs anything again: the watchdog gives the traffic back
// within the lock's time and five seconds, removes the candidate, and ends.
func TestAWatchdogMakesADeadCanarySafe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		enough bool
		more   map[string]string
		until  func(*guarded) bool
		// then is what happens to the watchdog itself at that moment.
		then func(*guarded)
	}{
		"before it takes traffic":           {until: func(g *guarded) bool { return len(g.dogs()) > 0 }},
		"while a step is judged":            {until: func(g *guarded) bool { return g.selected() == both }},
		"while the pods of a step come":     {enough: true, until: func(g *guarded) bool { return g.selected() == both && g.wanted() > 1 }},
		"while it has all of the traffic":   {enough: true, more: map[string]string{"bake": "1m"}, until: func(g *guarded) bool { s := g.selected(); return s != both && s != g.baseline }},
		"and the watchdog's pod is deleted": {until: func(g *guarded) bool { return g.selected() == both }, then: (*guarded).shootDog},
		"and there are two watchdogs":       {until: func(g *guarded) bool { return g.selected() == both }, then: (*guarded).doubleDog},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			g.monitor.enough.Store(c.enough)
			req := g.merged("next")
			before := g.begin()
			r := g.start("canary", req.event, g.more(c.more))
			r.await("it is to be killed", func() bool { return c.until(g) })
			killed := time.Now()
			g.h.must(r.cmd.Process.Kill())
			<-r.ended
			if c.then != nil {
				c.then(g)
			}
			g.await("the baseline has all of the traffic", func() bool { return g.selected() == g.baseline && time.Since(killed) > time.Second })
			g.await("the candidate is gone", func() bool { return g.wanted() == 0 })
			g.await("every watchdog has ended", func() bool {
				for _, dog := range g.dogs() {
					if dog.Status.Succeeded == 0 {
						return false
					}
				}
				return true
			})
			g.wantGone(before)
			within := cluster.LockTime + reaction
			if c.then != nil {
				within += birth
			}
			g.wantSafe(req, killed, within)
		})
	}
}

// wantSafe wants no request to have failed, and none to have reached the candidate later than promised.
func (g *guarded) wantSafe(req request, killed time.Time, within time.Duration) {
	g.t.Helper()
	records, err := g.load.Stop()
	g.h.must(err)
	var last time.Time
	for _, r := range records {
		if r.Failed() {
			g.t.Errorf("a request failed %s after the kill: %+v", r.Time.Sub(killed), r)
		}
		if strings.HasPrefix(r.Version, req.head) && r.Time.After(last) {
			last = r.Time
		}
	}
	if last.IsZero() {
		g.t.Log("no request reached the candidate")
		return
	}
	g.t.Logf("the last request reached the candidate %.1f s after the kill", last.Sub(killed).Seconds())
	if late := last.Sub(killed); late > within {
		g.t.Errorf("a request reached the candidate %s after the kill, want at most %s", late, within)
	}
}

// shootDog deletes the watchdog's pod at once; its Job makes another.
func (g *guarded) shootDog() {
	g.t.Helper()
	g.h.must(g.p.admin.CoreV1().Pods(g.p.namespace).DeleteCollection(g.t.Context(), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))},
		metav1.ListOptions{LabelSelector: cluster.LabelWatchdog + "=quick"}))
}

// doubleDog makes a second watchdog like the first.
func (g *guarded) doubleDog() {
	g.t.Helper()
	dog := g.dogs()[0]
	dog.Spec.Selector, dog.Spec.Template.Labels = nil, map[string]string{cluster.LabelWatchdog: "quick"}
	_, err := g.p.admin.BatchV1().Jobs(g.p.namespace).Create(g.t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "second-", Labels: dog.Labels}, Spec: dog.Spec,
	}, metav1.CreateOptions{})
	g.h.must(err)
}

// TestACancelledCanaryIsSafeInSeconds cancels a canary where it stands, as a person does on GitHub: SIGINT now, SIGTERM after 7.5 s.
// It ends by itself before the second signal, and the candidate has lost its traffic in less than five seconds.
func TestACancelledCanaryIsSafeInSeconds(t *testing.T) {
	t.Parallel()
	const limit, second = 5 * time.Second, 7500 * time.Millisecond
	for name, c := range map[string]struct {
		enough bool
		more   map[string]string
		until  func(*guarded) bool
	}{
		"while a step is judged":          {until: func(g *guarded) bool { return g.selected() == both }},
		"while the pods of a step come":   {enough: true, until: func(g *guarded) bool { return g.selected() == both && g.wanted() > 1 }},
		"while it has all of the traffic": {enough: true, more: map[string]string{"bake": "1m"}, until: func(g *guarded) bool { s := g.selected(); return s != both && s != g.baseline }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			g.monitor.enough.Store(c.enough)
			req := g.merged("next")
			before := g.begin()
			r := g.start("canary", req.event, g.more(c.more))
			r.await("it is to be cancelled", func() bool { return c.until(g) })
			cancelled := time.Now()
			g.h.must(r.cmd.Process.Signal(os.Interrupt))
			res := r.end()
			took := time.Since(cancelled)
			if took > second {
				t.Errorf("it ended %s after the first signal, and GitHub sends the second after %s", took, second)
			}
			if res.code != 130 || res.outputs["result"] != "rolled-back" || res.outputs["time-to-safe"] == "" {
				t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
			}
			if selected := g.selected(); selected != g.baseline {
				t.Errorf("the Service selects %s", selected)
			}
			g.wantGone(before)
			g.wantSafe(req, cancelled, limit)
			t.Logf("it ended %s after the signal; time to safe %s", took.Round(time.Millisecond), res.outputs["time-to-safe"])
		})
	}
}

// TestAHeldCanaryIsLeftAsItIs cancels a canary that is to be held: both releases go on serving, and neither a watchdog nor a run that
// recovers takes that back. One that aborts does.
func TestAHeldCanaryIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	req := g.merged("next")
	before := g.begin()
	r := g.start("canary", req.event, g.more(map[string]string{"on-cancel": "hold"}))
	r.await("the candidate takes its part", func() bool { return g.selected() == both })
	// A move that is under way is undone even then; the first step is judged once the monitor is asked again.
	proven := g.monitor.asked.Load()
	r.await("its step is judged", func() bool { return g.monitor.asked.Load() > proven+4 })
	g.h.must(r.cmd.Process.Signal(os.Interrupt))
	if res := r.end(); res.outputs["result"] != "held" {
		t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	g.await("its watchdog is gone", func() bool { return len(g.dogs()) == 0 })
	if selected := g.selected(); selected != both {
		t.Errorf("the Service selects %s", selected)
	}
	for _, mode := range []string{"recover", "abort"} {
		want := map[string]string{"recover": "held", "abort": "aborted"}[mode]
		if res := g.h.run("canary", req.event, g.inputs(g.more(map[string]string{"mode": mode})), g.runner()); res.code != 0 || res.outputs["result"] != want {
			t.Errorf("mode %s ended with %d, %v\n%s", mode, res.code, res.outputs, res.output)
		}
	}
	g.wantTraffic(before, g.baseline, both, g.baseline)
	g.wantGone(before)
}

// TestAnAbortReachesTheRunThatIsAtWork aborts a canary from another run while a step is judged and while it has all of the traffic. The
// run that is at work undoes its own rollout, says who wanted it, and no client notices.
func TestAnAbortReachesTheRunThatIsAtWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		enough bool
		until  func(*guarded) bool
	}{
		"while a step is judged":          {until: func(g *guarded) bool { return g.selected() == both }},
		"while it has all of the traffic": {enough: true, until: func(g *guarded) bool { s := g.selected(); return s != both && s != g.baseline }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			g.monitor.enough.Store(c.enough)
			req := g.merged("next")
			before := g.begin()
			r := g.start("canary", req.event, g.more(map[string]string{"bake": "1m"}))
			r.await("it is to be aborted", func() bool { return c.until(g) })
			asked := time.Now()
			res := g.h.run("canary", github.Event{Name: "workflow_dispatch", Payload: []byte("{}")}, g.inputs(map[string]string{"mode": "abort", "drain": "2s"}), g.runner())
			if res.code != 0 || res.outputs["result"] != "aborted" || res.outputs["release"] != g.baseline {
				t.Errorf("the abort ended with %d, %v\n%s", res.code, res.outputs, res.output)
			}
			told := r.end()
			if told.code != 1 || told.outputs["result"] != "rolled-back" || !strings.Contains(errorsIn(told.output), "aborted: ") {
				t.Errorf("the run that was aborted ended with %d, %v\n%s", told.code, told.outputs, told.output)
			}
			g.wantGone(before)
			// The lock is renewed every three seconds, and the way back takes one or two.
			g.wantSafe(req, asked, 10*time.Second)
			again := g.h.run("canary", github.Event{Name: "workflow_dispatch", Payload: []byte("{}")}, g.inputs(map[string]string{"mode": "abort", "drain": "2s"}), g.runner())
			if again.code != 0 || again.outputs["result"] != "unchanged" {
				t.Errorf("with nothing to abort it ended with %d, %v\n%s", again.code, again.outputs, again.output)
			}
		})
	}
}

// TestRecoverMakesADeadCanarySafe has no watchdog: a scheduled run finds what the dead one left, and leaves one that lives alone.
func TestRecoverMakesADeadCanarySafe(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	// Nothing but what finds the service.
	inputs := map[string]string{
		"mode": "recover", "environment": "prod", "namespace": g.p.namespace, "kubeconfig": g.p.kubeconfig, "service": "quick", "drain": "2s",
	}
	recover := func() result {
		return g.h.run("canary", github.Event{Name: "schedule", Payload: []byte(`{"schedule":"*/10 * * * *"}`)}, inputs, g.runner())
	}
	if res := recover(); res.code != 0 || res.outputs["result"] != "unchanged" || res.outputs["release"] != g.baseline {
		t.Errorf("with nothing to do it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	req := g.merged("next")
	before := g.begin()
	r := g.start("canary", req.event, g.more(map[string]string{"watchdog": "false"}))
	r.await("the candidate takes its part", func() bool { return g.selected() == both })
	if res := recover(); res.code != 0 || res.outputs["result"] != "busy" || g.selected() != both {
		t.Errorf("beside a run that lives it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	g.h.must(r.cmd.Process.Kill())
	<-r.ended
	res := recover()
	if res.code != 0 || res.outputs["result"] != "recovered" || res.outputs["release"] != g.baseline || !strings.HasPrefix(res.outputs["previous"], req.head[:7]) {
		t.Errorf("after the run's death it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	if want := "had died, " + report.Escape(g.baseline) + " serves"; !strings.Contains(res.summary, want) {
		t.Errorf("the summary lacks %q:\n%s", want, res.summary)
	}
	statuses, err := g.h.repo.Statuses(req.head)
	g.h.must(err)
	if s := statuses[0]; s.Context != "promote/prod" || s.State != "failure" || !strings.Contains(s.Description, "died") {
		t.Errorf("the last status of the commit is %+v", s)
	}
	g.wantTraffic(before, g.baseline, both, g.baseline)
	g.wantGone(before)
	g.wantSafe(req, time.Now(), 0)
	if res := recover(); res.outputs["result"] != "unchanged" {
		t.Errorf("again it ended with %v", res.outputs)
	}
}
