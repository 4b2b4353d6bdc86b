package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/promote/pkg/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// world is a namespace with two Deployments; it notes what is done and checks that pods never run short.
type world struct {
	replicas map[string]int
	ready    map[string]int
	selector map[string]string
	did      []string
	fails    map[string]error
	scalers  []cluster.Autoscaler
	live     []corev1.Pod
	// least is the smallest number of pods that there ever was.
	least int
}

func (w *world) do(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	w.did = append(w.did, line)
	verb, _, _ := strings.Cut(line, " ")
	return w.fails[verb]
}

func (w *world) set(d string, n int) {
	w.replicas[d], w.ready[d] = n, n
	w.least = min(w.least, w.ready["old"]+w.ready["new"])
}

func (w *world) Selector(context.Context, string) (map[string]string, error) { return w.selector, nil }
func (w *world) Select(_ context.Context, s string, sel map[string]string) error {
	if err := w.do("select %s %s", s, sel[cluster.LabelRelease]); err != nil {
		return err
	}
	w.selector = sel
	return nil
}
func (w *world) AwaitEndpoints(_ context.Context, _ string, want cluster.Endpoints) error {
	return w.do("endpoints %s", strings.Join(want.Releases, "+"))
}
func (w *world) Replicas(_ context.Context, d string) (int, int, error) {
	return w.replicas[d], w.ready[d], nil
}
func (w *world) Scale(_ context.Context, d string, n int) error {
	if err := w.do("scale %s %d", d, n); err != nil {
		return err
	}
	w.set(d, n)
	return nil
}
func (w *world) Drain(_ context.Context, d string, keep int, _ time.Duration) error {
	if err := w.do("drain %s %d", d, keep); err != nil {
		return err
	}
	w.set(d, keep)
	return nil
}
func (w *world) Kill(_ context.Context, d string) error {
	if err := w.do("kill %s", d); err != nil {
		return err
	}
	w.set(d, 0)
	return nil
}
func (w *world) Wait(_ context.Context, refs []cluster.ObjectRef, _ func(string)) error {
	return w.do("wait %s", refs[0].Name)
}

// Autoscalers and Selected answer as the cluster does: of all there are, what matches.
func (w *world) Autoscalers(_ context.Context, deployments []string) ([]cluster.Autoscaler, error) {
	return slices.DeleteFunc(slices.Clone(w.scalers), func(a cluster.Autoscaler) bool { return !slices.Contains(deployments, a.Deployment) }), nil
}
func (w *world) Selected(_ context.Context, selector map[string]string) ([]corev1.Pod, error) {
	return slices.DeleteFunc(slices.Clone(w.live), func(p corev1.Pod) bool {
		return !labels.SelectorFromSet(selector).Matches(labels.Set(p.Labels))
	}), nil
}

func newWorld(old, candidate int) *world {
	w := &world{replicas: map[string]int{}, ready: map[string]int{}, fails: map[string]error{}, selector: map[string]string{cluster.LabelRelease: "old-1"}}
	w.set("old", old)
	w.set("new", candidate)
	w.least = old + candidate
	return w
}

func config() Config {
	return Config{
		Baseline:  Release{ID: "old-1", Deployment: cluster.ObjectRef{Kind: "Deployment", Namespace: "prod", Name: "old"}},
		Candidate: Release{ID: "new-1", Deployment: cluster.ObjectRef{Kind: "Deployment", Namespace: "prod", Name: "new"}},
		Services:  []Service{{Name: "checkout", Selector: map[string]string{"app": "checkout"}}},
		Replicas:  4, Settle: time.Second, Ready: time.Minute,
	}
}

func pods(w *world, live ...corev1.Pod) *Pods {
	w.live = live
	return &Pods{cfg: config(), ops: w, others: w, namespace: "prod"}
}

func TestScaleStartsBeforeItTakesAway(t *testing.T) {
	w := newWorld(4, 1)
	w.selector = map[string]string{"app": "checkout"}
	if err := pods(w).Scale(t.Context(), 2, 6, 0); err != nil {
		t.Fatal(err)
	}
	want := []string{"scale new 6", "wait new", "endpoints old-1+new-1", "drain old 2"}
	if !slices.Equal(w.did, want) || w.least < 5 {
		t.Errorf("did %q with at least %d pods, want %q", w.did, w.least, want)
	}
}

func TestScaleShrinksTheCandidateBeforeTheBaseline(t *testing.T) {
	w := newWorld(2, 6)
	if err := pods(w).Scale(t.Context(), 1, 4, 0); err != nil {
		t.Fatal(err)
	}
	if want := []string{"scale new 6", "wait new", "drain new 4", "drain old 1"}; !slices.Equal(w.did, want) {
		t.Errorf("did %q, want %q", w.did, want)
	}
}

func TestScaleThatFailsTakesNothingAway(t *testing.T) {
	w := newWorld(4, 1)
	w.fails["wait"] = errors.New("crash loop")
	if err := pods(w).Scale(t.Context(), 0, 4, 0); err == nil || w.replicas["old"] != 4 {
		t.Errorf("got %v with %d baseline pods", err, w.replicas["old"])
	}
}

func TestAdmitAndPromoteMoveTheSelector(t *testing.T) {
	w := newWorld(4, 4)
	p := pods(w)
	if err := p.Admit(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, named := w.selector[cluster.LabelRelease]; named || w.selector["app"] != "checkout" || w.selector[cluster.LabelServe] != "true" {
		t.Errorf("admitted with %v", w.selector)
	}
	if err := p.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.selector[cluster.LabelRelease] != "new-1" {
		t.Errorf("promoted with %v", w.selector)
	}
	if want := []string{"select checkout ", "endpoints old-1+new-1", "select checkout new-1", "endpoints new-1"}; !slices.Equal(w.did, want) {
		t.Errorf("did %q, want %q", w.did, want)
	}
}

func TestRollbackPatchesFirst(t *testing.T) {
	for _, c := range []struct {
		name  string
		world func() *world
		want  []string
	}{
		{"a whole baseline needs nobody to start", func() *world { return newWorld(4, 4) },
			[]string{"select checkout old-1", "endpoints old-1", "kill new"}},
		{"a baseline that gave pods gets them back", func() *world { return newWorld(2, 6) },
			[]string{"select checkout old-1", "scale old 4", "endpoints old-1", "kill new"}},
		{"a baseline without pods starts before it is selected", func() *world { return newWorld(0, 4) },
			[]string{"scale old 4", "wait old", "select checkout old-1", "endpoints old-1", "kill new"}},
		{"endpoints that never settle do not keep the bad pods alive", func() *world {
			w := newWorld(4, 4)
			w.fails["endpoints"] = errors.New("still listed")
			return w
		}, []string{"select checkout old-1", "endpoints old-1", "kill new"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := c.world()
				if err := pods(w).Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(w.did, c.want) || w.replicas["old"] != 4 || w.replicas["new"] != 0 {
					t.Errorf("did %q and left %v, want %q", w.did, w.replicas, c.want)
				}
			})
		})
	}
}

func TestRollbackStopsNoPodThatIsStillSelected(t *testing.T) {
	w := newWorld(4, 4)
	w.fails["select"] = errors.New("conflict")
	if err := pods(w).Rollback(t.Context()); err == nil || w.replicas["new"] != 4 {
		t.Errorf("got %v, and the candidate has %d pods", err, w.replicas["new"])
	}
}

func TestPodsRefuseWhatWouldFightOrJoin(t *testing.T) {
	stranger := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "left-over", Labels: map[string]string{
		"app": "checkout", cluster.LabelServe: "true", cluster.LabelRelease: "older-1"}}}
	friend := *stranger.DeepCopy()
	friend.Name, friend.Labels[cluster.LabelRelease] = "mine", "new-1"

	w := newWorld(4, 1)
	w.scalers = []cluster.Autoscaler{{Name: "checkout", Deployment: "old"}, {Name: "still", Deployment: "new", Frozen: true}, {Name: "other", Deployment: "other"}}
	err := pods(w, stranger, friend).check(t.Context())
	if err == nil {
		t.Fatal("both were accepted")
	}
	for _, want := range []string{"HorizontalPodAutoscaler/prod/checkout scales Deployment/prod/old", `Pod/prod/left-over of release "older-1"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	for _, name := range []string{"still", "other"} {
		if strings.Contains(err.Error(), "HorizontalPodAutoscaler/prod/"+name) {
			t.Errorf("HorizontalPodAutoscaler/prod/%s was refused: %v", name, err)
		}
	}
	if strings.Contains(err.Error(), "Pod/prod/mine") {
		t.Errorf("the candidate's own pod was refused: %v", err)
	}
	if err := pods(newWorld(4, 1), stranger).Admit(t.Context(), 0); err == nil {
		t.Error("the stranger was admitted")
	}
	if err := pods(newWorld(4, 1), friend).check(t.Context()); err != nil {
		t.Errorf("got %v", err)
	}
}
