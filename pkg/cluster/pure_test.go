package cluster

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

func readLease(t *testing.T, r *http.Request) []byte {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	// client-go sends built-in kinds as protobuf or JSON; the test server answers in JSON.
	o, _, err := scheme.Codecs.UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	lease := o.(*coordinationv1.Lease)
	lease.APIVersion, lease.Kind, lease.ResourceVersion = "coordination.k8s.io/v1", "Lease", "7"
	out, err := json.Marshal(lease)
	if err != nil {
		t.Error(err)
	}
	return out
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDiffObjects(t *testing.T) {
	secret := func(value string) *unstructured.Unstructured {
		return parse(t, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: "+value+"\ndata:\n  a: "+value+"\n  b: c2FtZQ==\n")
	}
	t.Run("a Secret's values are masked, a change is told", func(t *testing.T) {
		got := diffObjects(secret("b2xkdmFsdWU="), secret("bmV3dmFsdWU="))
		if strings.Contains(got, "b2xk") || strings.Contains(got, "bmV3") || strings.Contains(got, "c2Ft") {
			t.Errorf("a value shows:\n%s", got)
		}
		if !strings.Contains(got, "+  a: (secret, changed)") {
			t.Errorf("the change does not show:\n%s", got)
		}
	})
	t.Run("a Secret that is made anew is masked too", func(t *testing.T) {
		if got := diffObjects(nil, secret("bmV3dmFsdWU=")); strings.Contains(got, "bmV3") || !strings.Contains(got, "+  a: (secret)") {
			t.Errorf("got:\n%s", got)
		}
	})
	t.Run("what only the API server writes is no difference", func(t *testing.T) {
		a := parse(t, "kind: ConfigMap\nmetadata: {name: c, resourceVersion: '1', generation: 1}\ndata: {k: v}\nstatus: {x: 1}")
		b := parse(t, "kind: ConfigMap\nmetadata: {name: c, resourceVersion: '2', generation: 2}\ndata: {k: v}\nstatus: {x: 2}")
		if got := diffObjects(a, b); got != "" {
			t.Errorf("got:\n%s", got)
		}
	})
	t.Run("shows a change with its surroundings", func(t *testing.T) {
		got := diffLines(strings.Fields("a b c d e f g h"), strings.Fields("a b c d X f g h"))
		if want := " …\n c\n d\n-e\n+X\n f\n g\n"; strings.TrimPrefix(got, " …\n") != strings.TrimPrefix(want, " …\n") {
			t.Errorf("got:\n%s", got)
		}
	})
	t.Run("texts that are too large to compare are shown as replaced", func(t *testing.T) {
		long := func(word string) []string { return strings.Fields(strings.Repeat(word+" ", 3000)) }
		got := diffLines(long("a"), long("b"))
		if strings.Count(got, "-a\n") != 3000 || strings.Count(got, "+b") != 3000 {
			t.Errorf("%d lines", strings.Count(got, "\n"))
		}
	})
}

func TestHide(t *testing.T) {
	t.Run("takes a Secret's values, plain and base64, out of the server's words", func(t *testing.T) {
		o := parse(t, "kind: Secret\nmetadata: {name: s}\ndata: {a: cGFzc3dvcmQxMjM=}\nstringData: {b: 'two words'}")
		got := hide(o, `cannot parse "cGFzc3dvcmQxMjM=" (password123), nor "two words" or dHdvIHdvcmRz`)
		if want := `cannot parse "***" (***), nor "***" or ***`; got != want {
			t.Errorf("got %s", got)
		}
	})
	t.Run("also quoted, and a value that is a part of another one", func(t *testing.T) {
		o := parse(t, "kind: Secret\nmetadata: {name: s}\nstringData: {a: 'pass', b: \"the \\\"password\\\"\\nof two lines\", c: 'password1234'}")
		for range 20 { // maps have no order
			got := hide(o, `invalid value "the \"password\"\nof two lines" and password1234`)
			if want := `invalid value "***" and ***`; got != want {
				t.Fatalf("got %s", got)
			}
		}
	})
}

func TestConflictOf(t *testing.T) {
	err := &apierrors.StatusError{ErrStatus: metav1.Status{
		Reason: metav1.StatusReasonConflict, Code: 409, Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{
			{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.replicas", Message: `conflict with "promote" with subresource "scale" using apps/v1`},
			{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.template.spec.containers[name=\"app\"].image", Message: `conflict with "kubectl-edit" using apps/v1`},
		}},
	}}
	ref := ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "ns", Name: "d"}
	t.Run("names each manager and its fields", func(t *testing.T) {
		got := conflictOf(ref, err).Error()
		for _, want := range []string{"Deployment/ns/d", `"kubectl-edit" owns .spec.template.spec.containers[name="app"].image`, `"promote" owns .spec.replicas`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %s", got, want)
			}
		}
	})
	t.Run("is not ours alone when somebody else is part of it", func(t *testing.T) {
		if conflictOf(ref, err).only(FieldManager, clientSideApply) {
			t.Error("a foreign manager would be overruled")
		}
	})
	t.Run("a conflict of versions is none of managers", func(t *testing.T) {
		if conflictOf(ref, apierrors.NewConflict(corev1.Resource("configmaps"), "c", nil)) != nil {
			t.Error("taken for a conflict of managers")
		}
	})
}

func TestFree(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	lease := func(holder string, renewed time.Duration) *coordinationv1.Lease {
		seconds, at := int32(15), metav1.NewMicroTime(now.Add(-renewed))
		return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &at}}
	}
	for name, test := range map[string]struct {
		lease *coordinationv1.Lease
		seen  time.Duration
		want  bool
	}{
		"a lease that was given back is free":                                {lease("", time.Second), 0, true},
		"a lease that was just renewed is held":                              {lease("run", time.Second), 0, false},
		"an old lease is not believed old by one look at two clocks":         {lease("run", 30*time.Second), 0, false},
		"a lease that was seen unrenewed for its time is free":               {lease("run", 30*time.Second), 16 * time.Second, true},
		"a lease that is seen unrenewed but not long enough is held":         {lease("run", 30*time.Second), 14 * time.Second, false},
		"a lease that looks hours old to a clock that is ahead is held":      {lease("run", 5*time.Hour), 0, false},
		"a lease from the future (a clock that is ahead) is judged by sight": {lease("run", -time.Hour), 16 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := free(test.lease, observation{since: now.Add(-test.seen)}, now); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func aPod(name string, change func(*corev1.Pod)) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name), Labels: map[string]string{LabelRelease: "a", LabelServe: "true"}},
		Spec:       corev1.PodSpec{NodeName: "node"},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue},
		}},
	}
	if change != nil {
		change(&p)
	}
	return p
}

func unready(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }
func leaving(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }

func TestVictims(t *testing.T) {
	names := func(pods []corev1.Pod) (out []string) {
		for _, p := range pods {
			out = append(out, p.Name)
		}
		return out
	}
	pods := []corev1.Pod{
		aPod("good1", nil), aPod("good2", nil), aPod("leaving", leaving), aPod("unready", unready),
		aPod("withdrawn", func(p *corev1.Pod) { p.Labels[LabelServe] = "false" }),
		aPod("pending", func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending; p.Spec.NodeName = "" }),
	}
	for name, test := range map[string]struct {
		keep int
		want []string
	}{
		"those that serve least go first":                           {2, []string{"pending", "unready", "withdrawn"}},
		"one more goes when one less is to stay":                    {1, []string{"pending", "unready", "withdrawn", "good1"}},
		"all go when none is to stay":                               {0, []string{"pending", "unready", "withdrawn", "good1", "good2"}},
		"nobody goes when enough stay":                              {5, nil},
		"a pod on its way out is not counted among those that stay": {4, []string{"pending"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, names(victims(pods, test.keep))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMissingEndpoints(t *testing.T) {
	listed := func(names ...string) map[types.UID][]string {
		out := map[types.UID][]string{}
		for _, n := range names {
			out[types.UID(n)] = []string{"checkout"}
		}
		return out
	}
	b := func(p *corev1.Pod) { p.Labels[LabelRelease] = "b" }
	for name, test := range map[string]struct {
		pods   []corev1.Pod
		listed map[types.UID][]string
		want   Endpoints
		text   string
	}{
		"all ready pods are listed":               {[]corev1.Pod{aPod("1", nil), aPod("2", nil)}, listed("1", "2"), Endpoints{Releases: []string{"a"}}, ""},
		"a ready pod is not listed yet":           {[]corev1.Pod{aPod("1", nil), aPod("2", nil)}, listed("1"), Endpoints{Releases: []string{"a"}}, "Pod/ns/2 is ready and not listed"},
		"an unready pod need not be listed":       {[]corev1.Pod{aPod("1", nil), aPod("2", unready)}, listed("1"), Endpoints{Releases: []string{"a"}}, ""},
		"a pod on its way out must not be listed": {[]corev1.Pod{aPod("1", nil), aPod("2", leaving)}, listed("1", "2"), Endpoints{Releases: []string{"a"}}, "no longer"},
		"another release is selected":             {[]corev1.Pod{aPod("1", nil), aPod("2", b)}, listed("1", "2"), Endpoints{Releases: []string{"a"}}, `release "b" is selected too`},
		"one of two releases has no pod":          {[]corev1.Pod{aPod("1", nil)}, listed("1"), Endpoints{Releases: []string{"a", "b"}}, "release b has 0 of 1"},
		"a release has fewer pods than wanted":    {[]corev1.Pod{aPod("1", nil)}, listed("1"), Endpoints{Releases: []string{"a"}, Min: 2}, "release a has 1 of 2"},
		"nothing is listed and nothing is ready":  {nil, listed(), Endpoints{Releases: []string{"a"}}, "release a has 0 of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := missingEndpoints(test.pods, test.listed, test.want)
			if (test.text == "") != (got == "") || !strings.Contains(got, test.text) {
				t.Errorf("got %q, want %q", got, test.text)
			}
		})
	}
}

func TestAddressOf(t *testing.T) {
	service := func(port int32, host, ip string) *corev1.Service {
		return &corev1.Service{
			Spec:   corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: port}}},
			Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{Hostname: host, IP: ip}}}},
		}
	}
	for want, s := range map[string]*corev1.Service{
		"http://10.0.0.9":           service(80, "", "10.0.0.9"),
		"http://10.0.0.9:8080":      service(8080, "", "10.0.0.9"),
		"https://lb.example.com":    service(443, "lb.example.com", ""),
		"http://[2001:db8::1]":      service(80, "", "2001:db8::1"),
		"http://[2001:db8::1]:8080": service(8080, "", "2001:db8::1"),
		"":                          {Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}},
	} {
		t.Run("gives "+want, func(t *testing.T) {
			if got := addressOf(s); got != want {
				t.Errorf("got %q", got)
			}
		})
	}
}
