package cluster

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// addressTime bounds the wait for a load balancer; a cloud's takes two to three minutes to make.
	addressTime = 5 * time.Minute
	// lookTime bounds a look at one that should be there.
	lookTime = 10 * time.Second
)

// Address gives a Service's address as URL: http://host, with the port where it is not the scheme's own. A new LoadBalancer's
// is waited for on request; any other Service has the name by which pods of the cluster reach it.
func (c *Cluster) Address(ctx context.Context, service string, wait bool) (string, error) {
	subject, found := c.subject("Service", service), ""
	limit := lookTime
	if wait {
		limit = addressTime
	}
	err := c.poll(ctx, limit, func(ctx context.Context) (string, error) {
		s, err := c.Client.Services(c.Namespace).Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			return "", c.failed("reading "+subject, err)
		}
		if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
			found = urlOf(s, s.Name+"."+s.Namespace+".svc")
			return "", nil
		}
		if found = addressOf(s); found == "" {
			return "no address yet: see what makes load balancers in this cluster", nil
		}
		return "", nil
	})
	if err != nil {
		return "", fmt.Errorf("awaiting the address of %s: %w", subject, err)
	}
	return found, nil
}

// BalancerHost gives the host name of a Service's load balancer, and waits for a new one.
func (c *Cluster) BalancerHost(ctx context.Context, service string) (string, error) {
	subject, found := c.subject("Service", service), ""
	err := c.poll(ctx, addressTime, func(ctx context.Context) (string, error) {
		s, err := c.Client.Services(c.Namespace).Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			return "", c.failed("reading "+subject, err)
		}
		if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
			return "", fmt.Errorf("%s is of type %s, and a DNS name is shared between load balancers", subject, s.Spec.Type)
		}
		for _, in := range s.Status.LoadBalancer.Ingress {
			if in.Hostname != "" {
				found = in.Hostname
				return "", nil
			}
			if in.IP != "" {
				return "", fmt.Errorf("%s has the address %s and no host name: what makes load balancers here is not AWS's", subject, in.IP)
			}
		}
		return "no address yet: see what makes load balancers in this cluster", nil
	})
	if err != nil {
		return "", fmt.Errorf("awaiting the load balancer of %s: %w", subject, err)
	}
	return found, nil
}

func addressOf(s *corev1.Service) string {
	for _, in := range s.Status.LoadBalancer.Ingress {
		if host := cmp.Or(in.Hostname, in.IP); host != "" {
			return urlOf(s, host)
		}
	}
	return ""
}

// urlOf is the URL of a Service's first port on a host; "" when it has no port.
func urlOf(s *corev1.Service, host string) string {
	if len(s.Spec.Ports) == 0 {
		return ""
	}
	p := s.Spec.Ports[0]
	kind := schemeOf(p)
	if kind == "http" && p.Port == 80 || kind == "https" && p.Port == 443 {
		if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
			host = "[" + host + "]"
		}
		return kind + "://" + host
	}
	return kind + "://" + net.JoinHostPort(host, strconv.Itoa(int(p.Port)))
}
