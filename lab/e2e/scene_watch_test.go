//go:build lab

package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/cluster"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// both is what [scene.selected] gives for a Service that selects more than one release.
const both = "both"

// selected is the release that takes the traffic.
func (s *scene) selected() string {
	s.t.Helper()
	service, err := s.p.admin.CoreV1().Services(s.p.namespace).Get(s.t.Context(), "quick", metav1.GetOptions{})
	s.h.must(err)
	return selectedBy(service)
}

func selectedBy(service *corev1.Service) string {
	if release := service.Spec.Selector[cluster.LabelRelease]; release != "" {
		return release
	}
	return both
}

// moment is what a namespace held when something began.
type moment struct {
	snapshot              string
	services, deployments string // resourceVersions
}

func (s *scene) begin() moment {
	s.t.Helper()
	ctx := s.t.Context()
	services, err := s.p.admin.CoreV1().Services(s.p.namespace).List(ctx, metav1.ListOptions{})
	s.h.must(err)
	deployments, err := s.p.admin.AppsV1().Deployments(s.p.namespace).List(ctx, metav1.ListOptions{})
	s.h.must(err)
	return moment{snapshot: s.held(), services: services.ResourceVersion, deployments: deployments.ResourceVersion}
}

// generations rise when a run leaves its mark on an object, which changes nothing for clients.
var generations = regexp.MustCompile(` generation \d+`)

// held is what the namespace holds, by UID, and what its Services select.
func (s *scene) held() string {
	s.t.Helper()
	return generations.ReplaceAllString(s.h.snapshot(s.p.namespace), "")
}

// marker ends what a watch is asked for: the API server tells in order, so all that was before it has been told then.
const marker = "e2e/marker"

// mark makes the event that [replay] ends with.
func mark() (string, []byte) {
	value := fmt.Sprint(time.Now().UnixNano())
	return value, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, marker, value)
}

// replay gives everything that an object kind went through up to the marker.
func replay(t *testing.T, w watch.Interface, err error, end string) []runtime.Object {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	var seen []runtime.Object
	for timeout := time.After(10 * time.Second); ; {
		select {
		case event, open := <-w.ResultChan():
			o, ok := event.Object.(metav1.Object)
			if !open || !ok {
				t.Fatalf("the watch ended with %v", event)
			}
			if o.GetAnnotations()[marker] == end {
				return seen
			}
			seen = append(seen, event.Object)
		case <-timeout:
			t.Fatal("the watch did not come to the marker")
		}
	}
}

// wantTraffic wants the Service to have selected these releases since then, one after the other, beginning with what it
// selected then.
func (s *scene) wantTraffic(since moment, want ...string) {
	s.t.Helper()
	ctx, services := s.t.Context(), s.p.admin.CoreV1().Services(s.p.namespace)
	end, patch := mark()
	service, err := services.Patch(ctx, "quick", types.MergePatchType, patch, metav1.PatchOptions{})
	s.h.must(err)
	w, err := services.Watch(ctx, metav1.ListOptions{ResourceVersion: since.services, FieldSelector: "metadata.name=quick"})
	got := []string{want[0]}
	for _, o := range append(replay(s.t, w, err, end), service) {
		got = append(got, selectedBy(o.(*corev1.Service)))
	}
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		s.t.Errorf("Service/%s/quick selected (-want +got):\n%s", s.p.namespace, diff)
	}
}

// candidates are the numbers of pods that candidates were to have since then.
func (s *scene) candidates(since moment) []int32 {
	s.t.Helper()
	ctx, deployments := s.t.Context(), s.p.admin.AppsV1().Deployments(s.p.namespace)
	all, err := deployments.List(ctx, metav1.ListOptions{})
	s.h.must(err)
	end, patch := mark()
	_, err = deployments.Patch(ctx, all.Items[0].Name, types.MergePatchType, patch, metav1.PatchOptions{})
	s.h.must(err)
	w, err := deployments.Watch(ctx, metav1.ListOptions{ResourceVersion: since.deployments})
	var got []int32
	for _, o := range replay(s.t, w, err, end) {
		if d := o.(*appsv1.Deployment); !strings.Contains(since.snapshot, string(d.UID)) {
			got = append(got, *d.Spec.Replicas)
		}
	}
	return slices.Compact(got)
}

// wantGone wants the namespace to hold what it held, down to the UIDs of the pods: the candidate is gone and the baseline was
// not touched. Pods go a moment after their Deployment.
func (s *scene) wantGone(since moment) {
	s.t.Helper()
	now := ""
	for deadline := time.Now().Add(10 * time.Second); now != since.snapshot; time.Sleep(20 * time.Millisecond) {
		if now = s.held(); now != since.snapshot && time.Now().After(deadline) {
			s.t.Fatalf("the namespace is not what it was (-before +after):\n%s", cmp.Diff(since.snapshot, now))
		}
	}
}

// wantRefusal wants the run to have failed with one error that says all of this, and the commit's last status to say the same.
func (s *scene) wantRefusal(res result, req request, says ...string) {
	s.t.Helper()
	failed := errorsIn(res.output)
	if res.code != 1 || strings.Count(failed, "::error") != 1 {
		s.t.Errorf("exit code %d, want 1 with one error:\n%s", res.code, res.output)
	}
	for _, text := range append(says, "refusing commit "+req.head[:7]) {
		if !strings.Contains(strings.ReplaceAll(failed, "%25", "%"), text) {
			s.t.Errorf("the error does not say %q:\n%s", text, failed)
		}
		if !strings.Contains(res.summary, text) {
			s.t.Errorf("the summary does not say %q:\n%s", text, res.summary)
		}
	}
	statuses, err := s.h.repo.Statuses(req.head)
	s.h.must(err)
	i := slices.IndexFunc(statuses, func(st github.Status) bool { return st.Context == "promote/"+s.environment })
	if i < 0 || statuses[i].State != "failure" || !strings.Contains(statuses[i].Description, "refus") {
		s.t.Errorf("the statuses of the commit are %+v, want a failure that says why", statuses)
	}
}
