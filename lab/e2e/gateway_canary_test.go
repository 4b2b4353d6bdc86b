//go:build lab

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	labcluster "github.com/org/promote/lab/cluster"
	"github.com/org/promote/lab/gateway"
	"github.com/org/promote/lab/github"
	generator "github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/cluster"
)

// routedQuick is a service of 4 pods whose clients come by a route, with a weight that is to be there afterwards too.
var routedQuick = strings.Replace(telling, "replicas: 2", "replicas: 4", 1) + `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: gateway}]
  rules:
  - backendRefs: [{name: quick, port: 80, weight: 7}]
`

// newGatewayed is a guarded service behind a Gateway, with its load on that.
func newGatewayed(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{scene: newScene(t, "prod"), monitor: newMonitor(t)}
	lab, err := labcluster.Open(labcluster.Config{Out: os.Stderr})
	g.h.must(err)
	way, err := gateway.Start(t.Context(), lab, g.p.namespace)
	g.h.must(err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway's log ends with\n%s", way.Log())
		}
		if err := way.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	g.h.commit("main", map[string]string{"deploy/quick.yaml": routedQuick})
	g.allowWatchdog()
	base := g.h.run("canary", g.merged("base").event, g.inputs(g.weights(nil)), g.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the baseline was not brought up:\n%s", base.output)
	}
	g.baseline = base.outputs["release"]
	g.monitor.baseline.Store(&g.baseline)
	// The gateway says nothing of when it knows a new Service's pods.
	g.await("the gateway answers", func() bool {
		resp, err := onceClient.Get(way.URL)
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	g.load, err = generator.Start(t.Context(), generator.Config{URL: way.URL, Rate: 100, KeepAlive: 0.5, Clients: 5, PerConnection: 5, Scenario: generator.Get("/")})
	g.h.must(err)
	return g
}

func (g *guarded) weights(more map[string]string) map[string]string {
	all := g.more(map[string]string{"traffic": "gateway", "steps": "10,50,100"})
	for key, value := range more {
		all[key] = value
	}
	return all
}

// backends are the backends of the route's rule as name=weight, and its annotation.
func (g *guarded) backends() (refs string, note string) {
	g.t.Helper()
	data, err := g.p.admin.CoreV1().RESTClient().Get().AbsPath("/apis/gateway.networking.k8s.io/v1", "namespaces", g.p.namespace, "httproutes", "shop").Do(context.Background()).Raw()
	g.h.must(err)
	var route struct {
		Metadata metav1.ObjectMeta
		Spec     struct {
			Rules []struct {
				BackendRefs []struct {
					Name   string
					Weight int
				}
			}
		}
	}
	g.h.must(json.Unmarshal(data, &route))
	var all []string
	for _, b := range route.Spec.Rules[0].BackendRefs {
		all = append(all, fmt.Sprintf("%s=%d", b.Name, b.Weight))
	}
	return strings.Join(all, " "), route.Metadata.Annotations[cluster.AnnotationWeights]
}

// wantPlainRoute wants the route to be as the manifests have it, and nothing beside it.
func (g *guarded) wantPlainRoute() {
	g.t.Helper()
	if refs, note := g.backends(); refs != "quick=7" || note != "" {
		g.t.Errorf("the route leads to %s, with the note %q", refs, note)
	}
	if _, err := g.p.admin.CoreV1().Services(g.p.namespace).Get(context.Background(), "quick-candidate", metav1.GetOptions{}); !cluster.IsNotFound(err) {
		g.t.Errorf("the candidate's own Service is there: %v", err)
	}
}

// TestACanaryByWeights moves the clients of a real gateway by the weights of its route: each share is the one that was asked for, no
// request fails on the way to the end, and the route is afterwards what it was.
func TestACanaryByWeights(t *testing.T) {
	t.Parallel()
	g := newGatewayed(t)
	g.monitor.enough.Store(true)
	req := g.merged("next")
	r := g.start("canary", req.event, g.weights(map[string]string{"step-duration": "6s"}))
	var shared time.Time
	r.await("the route leads to both", func() bool {
		refs, _ := g.backends()
		shared = time.Now()
		return refs == "quick=9000 quick-candidate=1000"
	})
	if pods := g.wanted(); pods != 1 {
		t.Errorf("the candidate has %d pods for a tenth of the traffic of 4, want 1", pods)
	}
	r.await("half of it goes to the candidate", func() bool {
		refs, _ := g.backends()
		return refs == "quick=5000 quick-candidate=5000"
	})
	tenth := generator.Between(g.load.Records(), shared.Add(3*time.Second), time.Now())
	if res := r.end(); res.outputs["result"] != "promoted" || res.outputs["share"] != "100" {
		t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	candidate := 0
	for _, record := range tenth {
		if strings.HasPrefix(record.Version, req.head) {
			candidate++
		}
	}
	if share := float64(candidate) / float64(len(tenth)); len(tenth) < 200 || math.Abs(share-0.1) > 0.03 {
		t.Errorf("the candidate answered %d of %d requests at 10 %%", candidate, len(tenth))
	}
	g.wantPlainRoute()
	records, err := g.load.Stop()
	g.h.must(err)
	for _, record := range records {
		if record.Failed() {
			t.Errorf("a request failed: %+v", record)
		}
	}
	if last := records[len(records)-1]; !strings.HasPrefix(last.Version, req.head) {
		t.Errorf("the last request was answered by %s", last.Version)
	}
}

// TestAWeightedCanaryIsTakenBack cancels a canary by weights, and kills one. The way back does not need the gateway's weights, so that a
// watchdog without any right on routes makes the traffic safe; what it leaves of the route, a run that recovers puts right.
func TestAWeightedCanaryIsTakenBack(t *testing.T) {
	t.Parallel()
	both := func(g *guarded) bool { refs, _ := g.backends(); return refs == "quick=9000 quick-candidate=1000" }
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		g := newGatewayed(t)
		req := g.merged("next")
		before := g.begin()
		r := g.start("canary", req.event, g.weights(nil))
		r.await("the route leads to both", func() bool { return both(g) })
		cancelled := time.Now()
		g.h.must(r.cmd.Process.Signal(os.Interrupt))
		if res := r.end(); res.outputs["result"] != "rolled-back" {
			t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
		}
		// What the seconds of a cancelled run were too few for, its watchdog or the next run does.
		g.recovered("after the cancellation")
		g.wantGone(before)
		g.wantPlainRoute()
		g.wantSafe(req, cancelled, 5*time.Second)
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		g := newGatewayed(t)
		req := g.merged("next")
		before := g.begin()
		r := g.start("canary", req.event, g.weights(nil))
		r.await("the route leads to both", func() bool { return both(g) })
		killed := time.Now()
		g.h.must(r.cmd.Process.Kill())
		<-r.ended
		g.await("the candidate is gone", func() bool { return g.wanted() == 0 })
		g.await("the watchdog has ended", func() bool { dogs := g.dogs(); return len(dogs) == 1 && dogs[0].Status.Succeeded == 1 })
		// Nobody but the canary may write routes, so both ways lead to the baseline now.
		if refs, _ := g.backends(); refs != "quick=9000 quick-candidate=1000" {
			t.Errorf("the route leads to %s", refs)
		}
		own, err := g.p.admin.CoreV1().Services(g.p.namespace).Get(t.Context(), "quick-candidate", metav1.GetOptions{})
		g.h.must(err)
		if diff := cmp.Diff(g.baseline, selectedBy(own)); diff != "" {
			t.Errorf("the candidate's own Service selects (-want +got):\n%s", diff)
		}
		if res := g.recovered("after the watchdog"); res.outputs["result"] != "recovered" {
			t.Errorf("recovering ended with %d, %v\n%s", res.code, res.outputs, res.output)
		}
		g.wantGone(before)
		g.wantPlainRoute()
		g.wantSafe(req, killed, cluster.LockTime+reaction)
	})
}

// TestNobodyDeploysIntoAnOpenEntrance deploys after a canary by weights that was killed and has no watchdog. The deploy action can't
// close the route, and the Service of a new candidate would be the one that it leads to: it gives the traffic back and refuses.
func TestNobodyDeploysIntoAnOpenEntrance(t *testing.T) {
	t.Parallel()
	g := newGatewayed(t)
	before := g.begin()
	req := g.merged("next")
	r := g.start("canary", req.event, g.weights(map[string]string{"watchdog": "false"}))
	r.await("the route leads to both", func() bool { refs, _ := g.backends(); return refs == "quick=9000 quick-candidate=1000" })
	g.h.must(r.cmd.Process.Kill())
	<-r.ended
	for _, again := range []string{"first", "second"} {
		res := g.h.run("deploy", g.approved(again).event, g.inputs(nil), g.runner())
		if res.code != 1 || !strings.Contains(errorsIn(res.output), "mode: recover") {
			t.Errorf("the %s deployment ended with %d, %v\n%s", again, res.code, res.outputs, res.output)
		}
		own, err := g.p.admin.CoreV1().Services(g.p.namespace).Get(t.Context(), "quick-candidate", metav1.GetOptions{})
		g.h.must(err)
		if selectedBy(own) != g.baseline {
			t.Errorf("clients are led to %s", selectedBy(own))
		}
	}
	g.recovered("after the deployments")
	g.wantGone(before)
	g.wantPlainRoute()
	records, err := g.load.Stop()
	g.h.must(err)
	for _, record := range records {
		if record.Failed() {
			t.Errorf("a request failed: %+v", record)
		}
	}
}

// recovered runs the action that makes safe what was left, and wants it to succeed.
func (g *guarded) recovered(when string) result {
	g.t.Helper()
	res := g.h.run("canary", github.Event{Name: "schedule", Payload: []byte("{}")}, g.inputs(map[string]string{"mode": "recover", "drain": "2s"}), g.runner())
	if res.code != 0 {
		g.t.Errorf("recovering %s ended with %d, %v\n%s", when, res.code, res.outputs, res.output)
	}
	return res
}
