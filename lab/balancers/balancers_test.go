package balancers

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/org/promote/lab/aws"
)

// clock is a time that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func service(name, host string) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name, Annotations: map[string]string{annotationScheme: schemePublic}}}
	s.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "admin", Port: 81}}
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "198.19.128.7", Hostname: host}}
	return s
}

func slice(name string, ready ...bool) *discoveryv1.EndpointSlice {
	number, web, admin := int32(8080), "http", "admin"
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: name}}}
	other := number + 1
	s.Ports = []discoveryv1.EndpointPort{{Name: &web, Port: &number}, {Name: &admin, Port: &other}}
	for i, r := range ready {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{"198.18.0." + string(rune('1'+i))}, Conditions: discoveryv1.EndpointConditions{Ready: &r}})
	}
	return s
}

func TestBalancersOfACluster(t *testing.T) {
	c := &clock{now: time.Now()}
	client := fake.NewClientset(service("shop", "shop.prod.elb.test"), service("plain", ""), slice("shop", true, false), slice("plain", true))
	all, err := Watch(t.Context(), client, Options{Delay: time.Minute, Clock: c.time})
	if err != nil {
		t.Fatal(err)
	}
	states := func() map[string]string {
		got := map[string]string{}
		for _, b := range all.List() {
			for _, g := range b.Groups {
				for _, target := range g.Targets {
					got[g.Name+" "+target.ID] = target.State
				}
			}
		}
		return got
	}
	await := func(want map[string]string) {
		t.Helper()
		for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			diff := cmp.Diff(want, states())
			if diff == "" {
				return
			}
			if time.Now().After(until) {
				t.Fatal(diff)
			}
		}
	}
	await(map[string]string{"k8s-prod-shop-80 198.18.0.1": "initial", "k8s-prod-shop-81 198.18.0.1": "initial"})
	b := all.List()
	if len(b) != 1 || b[0].Host != "shop.prod.elb.test" || b[0].IPv4.String() != "198.19.128.7" || b[0].Internal {
		t.Fatalf("got %+v", b)
	}
	want := aws.Target{ID: "198.18.0.1", Port: 8081, Zone: zone, State: "initial", Reason: "Elb.RegistrationInProgress", Description: "Target registration is in progress"}
	if diff := cmp.Diff([]aws.Target{want}, b[0].Groups[1].Targets); diff != "" {
		t.Error(diff)
	}
	c.pass(time.Minute)
	await(map[string]string{"k8s-prod-shop-80 198.18.0.1": "healthy", "k8s-prod-shop-81 198.18.0.1": "healthy"})

	update := func(ready ...bool) {
		t.Helper()
		if _, err := client.DiscoveryV1().EndpointSlices("prod").Update(t.Context(), slice("shop", ready...), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	update(true, true)
	await(map[string]string{"k8s-prod-shop-80 198.18.0.1": "healthy", "k8s-prod-shop-81 198.18.0.1": "healthy",
		"k8s-prod-shop-80 198.18.0.2": "initial", "k8s-prod-shop-81 198.18.0.2": "initial"})
	update(false, true)
	await(map[string]string{"k8s-prod-shop-80 198.18.0.2": "initial", "k8s-prod-shop-81 198.18.0.2": "initial"})
	update(true, true) // one that comes back is registered anew
	await(map[string]string{"k8s-prod-shop-80 198.18.0.1": "initial", "k8s-prod-shop-81 198.18.0.1": "initial",
		"k8s-prod-shop-80 198.18.0.2": "initial", "k8s-prod-shop-81 198.18.0.2": "initial"})
}
