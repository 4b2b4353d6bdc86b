// Package balancers tells AWS's double which load balancers a cluster has: what the AWS Load Balancer Controller does with network
// load balancers, seen from AWS's side. A Service whose status has a host name is a balancer; its ports are target groups, and the
// ready addresses in its EndpointSlices are their targets. A new target is "initial" for a while before it is "healthy", as AWS
// takes its time to register it; one that is not ready any more is gone.
//
// It refuses nothing: what is wrong with a Service, Kubernetes says. It does not play failed health checks, because kubelet has
// looked at the same pods; tests of those tell the double what they want.
//
//	all, err := balancers.Watch(ctx, client, balancers.Options{Delay: 2 * time.Second})
//	double.SetBalancers(all.List)
package balancers

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listerscore "k8s.io/client-go/listers/core/v1"
	listersdiscovery "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/org/promote/lab/aws"
)

const (
	// annotationScheme says whether a balancer is open to the internet. Without it the controller makes an internal one,
	// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/.
	annotationScheme = "service.beta.kubernetes.io/aws-load-balancer-scheme"
	schemePublic     = "internet-facing"
	// zone is the only availability zone of a lab that has one node.
	zone = "lab-1a"
	// checkInterval (in seconds) and checkThreshold are the least that AWS takes.
	checkInterval, checkThreshold = 5, 2
)

// Options say how AWS behaves.
type Options struct {
	// Delay is how long a target is "initial"; AWS takes minutes.
	Delay time.Duration
	// Clock gives the time; nil means time.Now.
	Clock func() time.Time
}

// Balancers are those of one cluster.
type Balancers struct {
	services listerscore.ServiceLister
	slices   listersdiscovery.EndpointSliceLister
	options  Options

	mu sync.Mutex
	// since is when a target was first seen in its group.
	since map[string]time.Time
}

// Watch follows the cluster until ctx ends.
func Watch(ctx context.Context, client kubernetes.Interface, o Options) (*Balancers, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	services, endpoints := factory.Core().V1().Services(), factory.Discovery().V1().EndpointSlices()
	b := &Balancers{services: services.Lister(), slices: endpoints.Lister(), options: o, since: map[string]time.Time{}}
	// Each change is looked at, so that the delay of a target begins when it appears and not when somebody asks.
	look := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { b.List() },
		UpdateFunc: func(any, any) { b.List() },
		DeleteFunc: func(any) { b.List() },
	}
	for _, informer := range []cache.SharedIndexInformer{services.Informer(), endpoints.Informer()} {
		if _, err := informer.AddEventHandler(look); err != nil {
			return nil, fmt.Errorf("watching load balancers: %w", err)
		}
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), services.Informer().HasSynced, endpoints.Informer().HasSynced) {
		return nil, fmt.Errorf("watching load balancers: %w", ctx.Err())
	}
	return b, nil
}

// List gives the balancers as they are now.
func (b *Balancers) List() []aws.LoadBalancer {
	b.mu.Lock()
	defer b.mu.Unlock()
	// A lister of a cache never fails.
	services, _ := b.services.List(labels.Everything())
	seen := map[string]time.Time{}
	var all []aws.LoadBalancer
	for _, s := range services {
		if one, is := b.balancer(s, seen); is {
			all = append(all, one)
		}
	}
	b.since = seen
	slices.SortFunc(all, func(a, b aws.LoadBalancer) int { return strings.Compare(a.Host, b.Host) })
	return all
}

// balancer is what AWS sees of a Service, and whether it sees anything. Targets are noted in seen.
func (b *Balancers) balancer(s *corev1.Service, seen map[string]time.Time) (aws.LoadBalancer, bool) {
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		address, err := netip.ParseAddr(ingress.IP)
		if ingress.Hostname == "" || err != nil {
			continue
		}
		one := aws.LoadBalancer{
			Name: "k8s-" + s.Namespace + "-" + s.Name, Host: ingress.Hostname, IPv4: address, Zones: []string{zone},
			Internal: s.Annotations[annotationScheme] != schemePublic,
		}
		owned, _ := b.slices.EndpointSlices(s.Namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: s.Name}))
		for _, port := range s.Spec.Ports {
			one.Groups = append(one.Groups, b.group(one.Name, port, owned, seen))
		}
		return one, true
	}
	return aws.LoadBalancer{}, false
}

// group is the target group of one port.
func (b *Balancers) group(balancer string, port corev1.ServicePort, owned []*discoveryv1.EndpointSlice, seen map[string]time.Time) aws.TargetGroup {
	g := aws.TargetGroup{Name: fmt.Sprintf("%s-%d", balancer, port.Port), Port: int(port.Port), Interval: checkInterval, Threshold: checkThreshold}
	now := b.options.Clock()
	for _, slice := range owned {
		number := portOf(slice, port.Name)
		for _, endpoint := range slice.Endpoints {
			if number == 0 || endpoint.Conditions.Ready == nil || !*endpoint.Conditions.Ready {
				continue
			}
			for _, address := range endpoint.Addresses {
				key := g.Name + " " + address
				if seen[key] = b.since[key]; seen[key].IsZero() {
					seen[key] = now
				}
				t := aws.Target{ID: address, Port: number, Zone: zone, State: "healthy"}
				if now.Sub(seen[key]) < b.options.Delay {
					t.State, t.Reason, t.Description = "initial", "Elb.RegistrationInProgress", "Target registration is in progress"
				}
				g.Targets = append(g.Targets, t)
			}
		}
	}
	slices.SortFunc(g.Targets, func(a, b aws.Target) int { return strings.Compare(a.ID, b.ID) })
	return g
}

// portOf is the number that the endpoints of a slice have for a Service's port, 0 when they have none.
func portOf(slice *discoveryv1.EndpointSlice, name string) int {
	for _, p := range slice.Ports {
		if p.Port != nil && (p.Name == nil && name == "" || p.Name != nil && *p.Name == name) {
			return int(*p.Port)
		}
	}
	return 0
}
