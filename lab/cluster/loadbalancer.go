package cluster

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"

	"k8s.io/apimachinery/pkg/labels"
)

// annotationType asks for a load balancer of AWS's, https://kubernetes-sigs.github.io/aws-load-balancer-controller/.
const annotationType = "service.beta.kubernetes.io/aws-load-balancer-type"

// ServeBalancers gives every Service of type LoadBalancer an address until the context ends. What a cloud's controller does
// with hardware, kube-proxy does here: it takes the address out of the Service's status and translates it. A Service that asks for
// a load balancer of AWS's gets a host name in domain too, which AWS's double knows (package balancers); kube-proxy looks at addresses alone.
func ServeBalancers(ctx context.Context, kubeconfig, domain string, log *slog.Logger) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 10*time.Minute)
	services := factory.Core().V1().Services()
	// One worker and one queue: addresses are handed out one after the other, so no two Services get the same.
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](100*time.Millisecond, 5*time.Second))
	enqueue := func(obj any) {
		if name, err := cache.ObjectToName(obj); err == nil {
			queue.Add(name)
		}
	}
	if _, err := services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, obj any) { enqueue(obj) },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), services.Informer().HasSynced) {
		return ctx.Err()
	}
	context.AfterFunc(ctx, queue.ShutDown)
	b := balancer{client: client, services: services.Lister(), domain: domain, given: map[netip.Addr]cache.ObjectName{}, log: log}
	for {
		name, stop := queue.Get()
		if stop {
			return nil
		}
		if err := b.reconcile(ctx, name); err != nil {
			log.Error("giving an address", "subject", "Service/"+name.String(), "error", err)
			queue.AddRateLimited(name)
		} else {
			queue.Forget(name)
		}
		queue.Done(name)
	}
}

type balancer struct {
	client   kubernetes.Interface
	services listers.ServiceLister
	domain   string
	// given are the addresses handed out so far: the informer may be a moment behind.
	given map[netip.Addr]cache.ObjectName
	log   *slog.Logger
}

// reconcile makes the status of one Service say which address it has: none, when it is no load balancer any more.
func (b balancer) reconcile(ctx context.Context, name cache.ObjectName) error {
	service, err := b.services.Services(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	service = service.DeepCopy()
	ingress := service.Status.LoadBalancer.Ingress
	switch wants := service.Spec.Type == corev1.ServiceTypeLoadBalancer && service.DeletionTimestamp == nil; {
	case wants && len(ingress) > 0 && ingress[0].Hostname == b.hostname(service), !wants && len(ingress) == 0:
		return nil
	case wants && len(ingress) > 0:
		ingress[0].Hostname = b.hostname(service)
	case !wants:
		service.Status.LoadBalancer = corev1.LoadBalancerStatus{}
	default:
		all, err := b.services.List(labels.Everything())
		if err != nil {
			return err
		}
		taken := b.taken(all)
		address, err := pick(netip.MustParsePrefix(balancerNet), name.String(), taken)
		if err != nil {
			return err
		}
		b.given[address] = name
		mode := corev1.LoadBalancerIPModeVIP
		service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address.String(), IPMode: &mode, Hostname: b.hostname(service)}}
		b.log.Info("giving an address", "subject", "Service/"+name.String(), "address", address)
	}
	_, err = b.client.CoreV1().Services(name.Namespace).UpdateStatus(ctx, service, metav1.UpdateOptions{})
	return err
}

// hostname is the DNS name of a Service's load balancer, "" when it has not asked for one of AWS's.
func (b balancer) hostname(s *corev1.Service) string {
	if kind := s.Annotations[annotationType]; kind != "external" && kind != "nlb" {
		return ""
	}
	return s.Name + "." + s.Namespace + "." + b.domain
}

// taken are the addresses that a Service holds, or was given and has not shown yet.
func (b balancer) taken(all []*corev1.Service) map[netip.Addr]bool {
	taken := map[netip.Addr]bool{}
	lives := map[cache.ObjectName]bool{}
	for _, s := range all {
		lives[cache.MetaObjectToName(s)] = true
		for _, ingress := range s.Status.LoadBalancer.Ingress {
			if address, err := netip.ParseAddr(ingress.IP); err == nil {
				taken[address] = true
			}
		}
	}
	for address, owner := range b.given {
		if lives[owner] {
			taken[address] = true
		} else {
			delete(b.given, address)
		}
	}
	return taken
}

// pick is a free address of the range. It starts looking at a place that depends on the Service's name alone, so that a Service
// that is made anew mostly keeps its address, as with a cloud's reserved ones.
func pick(within netip.Prefix, name string, taken map[netip.Addr]bool) (netip.Addr, error) {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	four := within.Masked().Addr().As4()
	base := uint32(four[0])<<24 | uint32(four[1])<<16 | uint32(four[2])<<8 | uint32(four[3])
	// The first and the last address of a range mean the range itself and everyone in it.
	size := uint32(1)<<(32-within.Bits()) - 2
	for i := range size {
		n := base + 1 + (hash.Sum32()+i)%size
		address := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		if !taken[address] {
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("picking an address: all %d of %s are taken", size, within)
}
