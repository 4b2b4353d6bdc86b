package cluster

import (
	"log/slog"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

func TestPick(t *testing.T) {
	within := netip.MustParsePrefix("192.0.2.0/29")
	t.Run("gives a Service the same address each time it is free", func(t *testing.T) {
		one, err := pick(within, "prod/checkout", nil)
		if err != nil {
			t.Fatal(err)
		}
		two, _ := pick(within, "prod/checkout", nil)
		if one != two || !within.Contains(one) {
			t.Errorf("got %s and %s", one, two)
		}
	})
	t.Run("hands out every address but the first and the last, then says so", func(t *testing.T) {
		taken := map[netip.Addr]bool{}
		for range 6 {
			address, err := pick(within, "prod/checkout", taken)
			if err != nil {
				t.Fatal(err)
			}
			if taken[address] || address == netip.MustParseAddr("192.0.2.0") || address == netip.MustParseAddr("192.0.2.7") {
				t.Fatalf("got %s", address)
			}
			taken[address] = true
		}
		if _, err := pick(within, "prod/checkout", taken); err == nil {
			t.Error("a seventh address was found")
		}
	})
}

func TestTaken(t *testing.T) {
	t.Run("counts what was given before the Service shows it, and frees it with the Service", func(t *testing.T) {
		shown := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "shown"}}
		shown.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
		fresh := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "fresh"}}
		b := balancer{given: map[netip.Addr]cache.ObjectName{
			netip.MustParseAddr("192.0.2.2"): {Namespace: "a", Name: "fresh"},
			netip.MustParseAddr("192.0.2.3"): {Namespace: "a", Name: "gone"},
		}}
		want := map[netip.Addr]bool{netip.MustParseAddr("192.0.2.1"): true, netip.MustParseAddr("192.0.2.2"): true}
		if diff := cmp.Diff(want, b.taken([]*corev1.Service{shown, fresh}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTargetsOf(t *testing.T) {
	pod := func(change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "prod", Name: "checkout-1",
			Labels:      map[string]string{"promote.dev/release": "r1", "promote.dev/service": "checkout"},
			Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "prometheus.io/path": "/m"},
		}}
		p.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}}
		p.Status.Phase, p.Status.PodIP = corev1.PodRunning, "198.18.0.20"
		change(p)
		return p
	}
	for name, tc := range map[string]struct {
		change func(*corev1.Pod)
		want   []target
	}{
		"carries the pod's release, service, namespace and name": {func(*corev1.Pod) {}, []target{{
			Targets: []string{"198.18.0.20:9090"},
			Labels:  map[string]string{"namespace": "prod", "pod": "checkout-1", "release": "r1", "service": "checkout", "__metrics_path__": "/m"},
		}}},
		"takes the first port and the usual path when none is named": {func(p *corev1.Pod) {
			p.Annotations = map[string]string{"prometheus.io/scrape": "true"}
			p.Labels = nil
		}, []target{{Targets: []string{"198.18.0.20:8080"}, Labels: map[string]string{"namespace": "prod", "pod": "checkout-1"}}}},
		"leaves out a pod that does not ask":     {func(p *corev1.Pod) { p.Annotations = nil }, []target{}},
		"leaves out a pod that does not run yet": {func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }, []target{}},
		"leaves out a pod that has no address":   {func(p *corev1.Pod) { p.Status.PodIP = "" }, []target{}},
		"goes on with a pod that is about to end": {func(p *corev1.Pod) {
			p.DeletionTimestamp = &metav1.Time{}
			p.Labels = nil
			p.Annotations["prometheus.io/path"] = ""
		}, []target{{Targets: []string{"198.18.0.20:9090"}, Labels: map[string]string{"namespace": "prod", "pod": "checkout-1"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, targetsOf([]*corev1.Pod{pod(tc.change)})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHostNames(t *testing.T) {
	mode := corev1.LoadBalancerIPModeVIP
	for name, tc := range map[string]struct {
		annotation string
		before     []corev1.LoadBalancerIngress
		want       string
	}{
		"a Service that asks for a load balancer of AWS's has an address and a name": {"external", nil, "shop.prod.elb.test"},
		"so does one that asks in the older way":                                     {"nlb", nil, "shop.prod.elb.test"},
		"others have an address alone":                                               {"", nil, ""},
		"who asks later gets the name too, and keeps the address":                    {"external", []corev1.LoadBalancerIngress{{IP: "198.19.128.7", IPMode: &mode}}, "shop.prod.elb.test"},
	} {
		t.Run(name, func(t *testing.T) {
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "shop", Annotations: map[string]string{annotationType: tc.annotation}}}
			service.Spec.Type, service.Status.LoadBalancer.Ingress = corev1.ServiceTypeLoadBalancer, tc.before
			client := fake.NewClientset(service)
			index := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
			if err := index.Add(service); err != nil {
				t.Fatal(err)
			}
			b := balancer{client: client, services: listers.NewServiceLister(index), domain: "elb.test", given: map[netip.Addr]cache.ObjectName{}, log: slog.New(slog.DiscardHandler)}
			if err := b.reconcile(t.Context(), cache.MetaObjectToName(service)); err != nil {
				t.Fatal(err)
			}
			got, err := client.CoreV1().Services("prod").Get(t.Context(), "shop", metav1.GetOptions{})
			if err != nil || len(got.Status.LoadBalancer.Ingress) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			ingress := got.Status.LoadBalancer.Ingress[0]
			if ingress.Hostname != tc.want || ingress.IP == "" || tc.before != nil && ingress.IP != tc.before[0].IP {
				t.Errorf("got %q and %q, want %q", ingress.IP, ingress.Hostname, tc.want)
			}
		})
	}
}
