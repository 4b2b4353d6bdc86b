//go:build lab

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	labcluster "github.com/org/promote/lab/cluster"
	"github.com/org/promote/lab/gateway"
	generator "github.com/org/promote/lab/load"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// routed is a place with a Gateway.
type routed struct {
	*place
	gateway *gateway.Gateway
}

// newRouted makes a place and starts a Gateway for it. The first time on a machine that takes minutes.
func newRouted(t *testing.T) *routed {
	t.Helper()
	p := newPlace(t, "e2e")
	lab, err := labcluster.Open(labcluster.Config{Out: os.Stderr})
	p.must(lab, err)
	g, err := gateway.Start(t.Context(), lab, p.namespace)
	p.must(g, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway's log ends with\n%s", g.Log())
		}
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &routed{place: p, gateway: g}
}

// in is the same for a subtest.
func (r *routed) in(t *testing.T) *routed { return &routed{place: r.place.in(t), gateway: r.gateway} }

// ownService is a Service of one release alone, as a route's backendRefs name them.
func ownService(release string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: checkout-%[1]s, labels: {promote.dev/service: checkout}}
spec:
  selector: {app: checkout, promote.dev/serve: "true", promote.dev/release: %[1]s}
  ports: [{name: http, port: 80, targetPort: 8080}]
`, release)
}

// route sends everything to a and nothing to b.
const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: checkout, labels: {promote.dev/service: checkout}}
spec:
  parentRefs: [{name: gateway}]
  rules:
  - backendRefs:
    - {name: checkout-a, port: 80, weight: 100}
    - {name: checkout-b, port: 80, weight: 0}
`

// routeStatus is what a controller says about a route.
type routeStatus struct {
	Metadata struct{ Generation int64 }
	Status   struct {
		Parents []struct {
			ControllerName string
			Conditions     []metav1.Condition
		}
	}
}

// condition is the first parent's, nil when it does not have it for the present generation.
func (s routeStatus) condition(kind string) *metav1.Condition {
	for _, parent := range s.Status.Parents {
		for _, c := range parent.Conditions {
			if c.Type == kind && c.ObservedGeneration == s.Metadata.Generation {
				return &c
			}
		}
	}
	return nil
}

func (r *routed) routePath() []string {
	return []string{"/apis/gateway.networking.k8s.io/v1", "namespaces", r.namespace, "httproutes", "checkout"}
}

func (r *routed) status() (s routeStatus) {
	r.t.Helper()
	data, err := r.admin.CoreV1().RESTClient().Get().AbsPath(r.routePath()...).Do(r.t.Context()).Raw()
	r.must(data, err)
	r.must(nil, json.Unmarshal(data, &s))
	return s
}

// patch changes the route, and gives the time of the API server's answer.
func (r *routed) patch(operations string) time.Time {
	r.t.Helper()
	r.must(r.admin.CoreV1().RESTClient().Patch(types.JSONPatchType).AbsPath(r.routePath()...).Body([]byte(operations)).Do(r.t.Context()).Raw())
	return time.Now()
}

// weigh changes both weights in one patch.
func (r *routed) weigh(a, b int) time.Time {
	r.t.Helper()
	const weight = `{"op":"replace","path":"/spec/rules/0/backendRefs/%d/weight","value":%d}`
	return r.patch(fmt.Sprintf("["+weight+","+weight+"]", 0, a, 1, b))
}

// awaitObserved waits until the controller has said something about the route's present generation, and gives ResolvedRefs.
func (r *routed) awaitObserved() metav1.Condition {
	r.t.Helper()
	var refs metav1.Condition
	r.await(func() error {
		s := r.status()
		accepted, resolved := s.condition("Accepted"), s.condition("ResolvedRefs")
		if accepted == nil || resolved == nil || accepted.Status != metav1.ConditionTrue {
			return fmt.Errorf("HTTPRoute/%s/checkout of generation %d is not accepted: %+v", r.namespace, s.Metadata.Generation, s.Status.Parents)
		}
		refs = *resolved
		return nil
	})
	return refs
}

// await waits until there is no error, for half a minute.
func (r *routed) await(ask func() error) {
	r.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatal(err)
		}
	}
}

// client takes a new connection for each request.
var onceClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends one request and tells who answered: a release, or a status when it is none of 200.
func (r *routed) ask() string {
	r.t.Helper()
	resp, err := onceClient.Get(r.gateway.URL)
	r.must(resp, err)
	r.must(nil, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		return resp.Status
	}
	return resp.Header.Get("Version")
}

// awaitAnswers asks until twenty answers in a row came from those alone, and from all of them.
func (r *routed) awaitAnswers(want ...string) {
	r.t.Helper()
	slices.Sort(want)
	r.await(func() error {
		counts := map[string]int{}
		for range 20 {
			counts[r.ask()]++
		}
		var got []string
		for who := range counts {
			got = append(got, who)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("answers came from %v, want %v", counts, want)
		}
		return nil
	})
}

// startRouteLoad sends requests at a constant rate, half of them on kept connections, until the test ends.
func (r *routed) startRouteLoad(perSecond float64) *routeLoad {
	r.t.Helper()
	run, err := generator.Start(context.Background(), generator.Config{URL: r.gateway.URL, Rate: perSecond, KeepAlive: 0.5, Scenario: generator.Get("/")})
	r.must(run, err)
	r.t.Cleanup(func() { _, _ = run.Stop() })
	return &routeLoad{routed: r, run: run}
}

// routeLoad is load on the route.
type routeLoad struct {
	*routed
	run *generator.Run
}

// throttle is Traefik's pause between two changes of what it serves (providersThrottleDuration, 2 s), and a margin.
const throttle = 2500 * time.Millisecond

// rest waits until nothing was changed for so long that Traefik makes the next change at once.
func (l *routeLoad) rest() {
	l.t.Helper()
	select {
	case <-time.After(throttle):
	case <-l.t.Context().Done():
	}
}

// felt waits until so many answers have come since the share of b changed, and gives how long the change took, and b's share since.
func (l *routeLoad) felt(since time.Time, before, after float64, answers int) (took time.Duration, share float64) {
	l.t.Helper()
	l.await(func() error {
		records := generator.Between(l.run.Records(), since, time.Now())
		at := turn(records, before, after)
		if len(records)-at < answers {
			return fmt.Errorf("%d of %d answers came since b's share went from %v to %v; the last ones: %s", len(records)-at, len(records), before, after, versions(records[max(0, len(records)-40):]))
		}
		took, share = records[at].Time.Sub(since), shareOfB(records[at:])
		return nil
	})
	return took, share
}

// turn is the index of the first answer that was given with the new share: of all indexes the one that makes the answers likeliest.
func turn(records []generator.Record, before, after float64) (at int) {
	// Not quite 0 and 1: what can't be must still be comparable.
	likely := func(share float64, r generator.Record) float64 {
		share = min(max(share, 1e-6), 1-1e-6)
		if r.Version == "b" {
			return math.Log(share)
		}
		return math.Log(1 - share)
	}
	gain, best := 0.0, 0.0
	for i, r := range records {
		gain += likely(before, r) - likely(after, r)
		if gain > best {
			best, at = gain, i+1
		}
	}
	return at
}

func shareOfB(records []generator.Record) float64 {
	b := 0
	for _, record := range records {
		if record.Version == "b" {
			b++
		}
	}
	return float64(b) / float64(len(records))
}

// versions is who answered, a letter each.
func versions(records []generator.Record) string {
	var all strings.Builder
	for _, record := range records {
		if record.Failed() {
			all.WriteString("!")
		}
		all.WriteString(record.Version)
	}
	return all.String()
}

// lost is an error for every request that failed so far.
func (l *routeLoad) lost() error {
	var errs []error
	for _, record := range l.run.Records() {
		if record.Failed() {
			errs = append(errs, fmt.Errorf("lost at %s: status %d %s", record.Time.Format(time.StampMilli), record.Status, record.Error))
		}
	}
	return errors.Join(errs...)
}
