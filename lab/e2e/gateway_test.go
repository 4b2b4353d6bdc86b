//go:build lab

package e2e

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestAGatewayMovesShares changes the weights of a route between two releases under load, on a real implementation of the Gateway
// API. What it finds is what pkg/traffic rests on.
func TestAGatewayMovesShares(t *testing.T) {
	t.Parallel()
	r := newRouted(t)
	c := r.connect()
	r.ready(c, r.apply(c, deployment("checkout-a", "a", 2)+"---\n"+deployment("checkout-b", "b", 2)+"---\n"+ownService("a")+"---\n"+ownService("b")))
	for _, o := range r.objects(route) {
		r.create(o)
	}
	if refs := r.awaitObserved(); refs.Status != metav1.ConditionTrue {
		t.Fatalf("%+v", refs)
	}
	r.awaitAnswers("a")

	t.Run("weights are shares, and no request is lost when they change", func(t *testing.T) {
		r := r.in(t)
		l := r.startRouteLoad(100)
		before := 0.0
		for _, share := range []float64{0.1, 0.5, 1, 0} {
			l.rest()
			since := r.weigh(int(100-100*share), int(100*share))
			refs := r.awaitObserved()
			observed := time.Since(since)
			if refs.Status != metav1.ConditionTrue {
				t.Errorf("%+v", refs)
			}
			took, got := l.felt(since, before, share, 200)
			t.Logf("%.0f%% to %.0f%%: the status said so after %s, clients felt it after %s; then b had %.1f%%", 100*before, 100*share, round(observed), round(took), 100*got)
			if math.Abs(got-share) > 0.02 || share == 0 && got > 0 || share == 1 && got < 1 {
				t.Errorf("b has a share of %v, want %v", got, share)
			}
			before = share
		}
		r.must(nil, l.lost())
	})
	t.Run("a change right after another is felt later than its status says", func(t *testing.T) {
		r := r.in(t)
		l := r.startRouteLoad(100)
		l.rest()
		r.weigh(50, 50)
		r.awaitObserved()
		since := r.weigh(0, 100)
		r.awaitObserved()
		observed := time.Since(since)
		took, _ := l.felt(since, 0.5, 1, 50)
		t.Logf("the status said so after %s, clients felt it after %s", round(observed), round(took))
		if took > throttle+time.Second {
			t.Errorf("felt after %s; a client that waits for %s is too early", took, throttle)
		}
		r.must(nil, l.lost())
	})
	t.Run("a Service that selects others moves the traffic, and no request is lost", func(t *testing.T) {
		r := r.in(t)
		l := r.startRouteLoad(100)
		l.rest()
		since := r.selects("checkout-b", "a")
		took, _ := l.felt(since, 1, 0, 50)
		t.Logf("felt after %s", round(took))
		l.rest()
		since = r.selects("checkout-b", "b")
		l.felt(since, 0, 1, 50)
		r.must(nil, l.lost())
	})
	t.Run("a pod that leaves the Service is asked for a while yet", func(t *testing.T) {
		r := r.in(t)
		pods, err := r.admin.CoreV1().Pods(r.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "promote.dev/release=b"})
		r.must(pods, err)
		leaves := pods.Items[0].Name
		r.weigh(1, 99) // the pod's leaving is a second change
		r.must(r.admin.CoreV1().Pods(r.namespace).Patch(t.Context(), leaves, types.MergePatchType, []byte(`{"metadata":{"labels":{"promote.dev/serve":"false"}}}`), metav1.PatchOptions{}))
		since := time.Now()
		last := since
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ; time.Since(since) < 2*throttle; <-tick.C {
			resp, err := onceClient.Get(r.gateway.URL)
			r.must(resp, err)
			r.must(nil, resp.Body.Close())
			if resp.StatusCode != http.StatusOK {
				t.Error(resp.Status)
			}
			if resp.Header.Get("Pod") == leaves {
				last = time.Now()
			}
		}
		t.Logf("last asked %s after it left", round(last.Sub(since)))
		if last.Sub(since) > throttle+time.Second {
			t.Errorf("the pod was asked %s after it left", last.Sub(since))
		}
	})
	t.Run("a reference that is taken out gets nothing, and no request is lost", func(t *testing.T) {
		r := r.in(t)
		l := r.startRouteLoad(100)
		r.weigh(50, 50)
		r.awaitAnswers("a", "b")
		r.patch(`[{"op":"remove","path":"/spec/rules/0/backendRefs/1"}]`)
		r.awaitAnswers("a")
		r.patch(`[{"op":"add","path":"/spec/rules/0/backendRefs/1","value":{"name":"checkout-b","port":80,"weight":50}}]`)
		r.awaitAnswers("a", "b")
		r.must(nil, l.lost())
	})
	t.Run("a Service without pods keeps its share, which fails", func(t *testing.T) {
		r := r.in(t)
		r.weigh(50, 50)
		r.selects("checkout-b", "none")
		r.awaitAnswers("a", "503 Service Unavailable")
		if refs := r.awaitObserved(); refs.Status != metav1.ConditionTrue {
			t.Errorf("the status says so: %+v", refs)
		}
		r.weigh(100, 0)
		r.awaitAnswers("a")
		r.selects("checkout-b", "b")
	})
	t.Run("a Service that is not there keeps its share, which fails, and the status names it", func(t *testing.T) {
		r := r.in(t)
		r.patch(`[{"op":"replace","path":"/spec/rules/0/backendRefs/1","value":{"name":"missing","port":80,"weight":50}},{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":50}]`)
		refs := r.awaitObserved()
		if refs.Status != metav1.ConditionFalse || refs.Reason != "BackendNotFound" {
			t.Errorf("%+v", refs)
		}
		t.Log(refs.Message)
		r.awaitAnswers("a", "500 Internal Server Error")
		r.patch(`[{"op":"replace","path":"/spec/rules/0/backendRefs/1","value":{"name":"checkout-b","port":80,"weight":50}}]`)
		r.awaitAnswers("a", "b")
	})
	t.Run("with all weights zero nobody is served", func(t *testing.T) {
		r := r.in(t)
		r.weigh(0, 0)
		r.awaitAnswers("503 Service Unavailable")
		r.weigh(100, 0)
		r.awaitAnswers("a")
	})
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

// selects lets a Service select a release, and gives the time of the API server's answer.
func (r *routed) selects(service, release string) time.Time {
	r.t.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"selector":{"promote.dev/release":%q}}}`, release)
	var changed *corev1.Service
	changed, err := r.admin.CoreV1().Services(r.namespace).Patch(r.t.Context(), service, types.MergePatchType, patch, metav1.PatchOptions{})
	r.must(changed, err)
	return time.Now()
}
