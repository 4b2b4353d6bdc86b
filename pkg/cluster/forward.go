package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// dialTime bounds how long a connection through a Forward waits for a ready pod: a restarting pod or API server comes back
// within it.
const dialTime = 30 * time.Second

// Forward is a local listener whose connections end at a ready pod behind a Service.
type Forward struct {
	cluster  *Cluster
	service  string
	portName string
	scheme   string
	listener net.Listener
	cancel   context.CancelFunc
	open     sync.WaitGroup
	next     atomic.Uint32
}

// Forward listens on a free port of the loopback interface until Close or the end of ctx. port is a port of the Service, by
// name or number; empty is its first. Every connection is dialled anew to a pod that is ready then, so a pod's restart costs
// the connections it had and no others.
func (c *Cluster) Forward(ctx context.Context, service, port string) (*Forward, error) {
	s, err := c.Client.Services(c.Namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return nil, c.failed("reading "+c.subject("Service", service), err)
	}
	p, err := pickPort(s, port)
	if err != nil {
		return nil, fmt.Errorf("forwarding to %s: %w", c.subject("Service", service), err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w", c.subject("Service", service), err)
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &Forward{cluster: c, service: service, portName: p.Name, scheme: schemeOf(p), listener: listener, cancel: cancel}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	f.open.Go(func() { f.accept(ctx) })
	return f, nil
}

// URL is where the pods answer, without a slash at the end.
func (f *Forward) URL() string { return f.scheme + "://" + f.listener.Addr().String() }

// Close ends the listener and every connection.
func (f *Forward) Close() error {
	f.cancel()
	f.open.Wait()
	return nil
}

func (f *Forward) accept(ctx context.Context) {
	for {
		local, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.open.Go(func() {
			defer local.Close()
			defer context.AfterFunc(ctx, func() { _ = local.Close() })()
			f.serve(ctx, local)
		})
	}
}

// serve connects one local connection with a pod. One that finds no pod in time is closed without an answer.
func (f *Forward) serve(ctx context.Context, local net.Conn) {
	bounded, cancel := context.WithTimeout(ctx, dialTime)
	remote, stream, err := f.dial(bounded)
	cancel()
	if err != nil {
		return
	}
	defer remote.Close()
	stop := context.AfterFunc(ctx, func() { _ = remote.Close() })
	defer stop()
	done := make(chan struct{}, 2)
	go func() {
		_, _ = io.Copy(stream, local)
		// The end of the request's side only; the answer may still be coming.
		_ = stream.Close()
		done <- struct{}{}
	}()
	_, _ = io.Copy(local, stream)
	if tcp, ok := local.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = local.Close()
	<-done
}

// dial connects to one of the ready pods, trying until the context ends. Closing the connection ends its stream.
func (f *Forward) dial(ctx context.Context) (io.Closer, io.ReadWriteCloser, error) {
	for attempt := 0; ; attempt++ {
		pod, port, err := f.target(ctx)
		if err == nil {
			remote, stream, errDial := f.cluster.dialPod(ctx, pod, port)
			if errDial == nil {
				return remote, stream, nil
			}
			err = errDial
		}
		if errSleep := sleep(ctx, backoff(attempt)); errSleep != nil {
			return nil, nil, fmt.Errorf("reaching a pod of %s: %w", f.cluster.subject("Service", f.service), err)
		}
	}
}

// target picks the next ready pod, in turn.
func (f *Forward) target(ctx context.Context) (pod string, port int32, err error) {
	c := f.cluster
	list, err := c.Client.EndpointSlices(c.Namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.Set{discoveryv1.LabelServiceName: f.service}.String()})
	if err != nil {
		return "", 0, c.failed("listing the endpoint slices of "+c.subject("Service", f.service), err)
	}
	type endpoint struct {
		pod  string
		port int32
	}
	var ready []endpoint
	for _, slice := range list.Items {
		i := slices.IndexFunc(slice.Ports, func(p discoveryv1.EndpointPort) bool {
			return (p.Name == nil && f.portName == "") || (p.Name != nil && *p.Name == f.portName)
		})
		if i < 0 || slice.Ports[i].Port == nil {
			continue
		}
		for _, e := range slice.Endpoints {
			if (e.Conditions.Ready == nil || *e.Conditions.Ready) && e.TargetRef != nil && e.TargetRef.Kind == "Pod" {
				ready = append(ready, endpoint{e.TargetRef.Name, *slice.Ports[i].Port})
			}
		}
	}
	if len(ready) == 0 {
		return "", 0, fmt.Errorf("%s has no ready pod", c.subject("Service", f.service))
	}
	slices.SortFunc(ready, func(a, b endpoint) int { return strings.Compare(a.pod, b.pod) })
	e := ready[int(f.next.Add(1)-1)%len(ready)]
	return e.pod, e.port, nil
}

// dialPod opens a connection to a pod's port through the API server, and one stream on it.
func (c *Cluster) dialPod(ctx context.Context, pod string, port int32) (io.Closer, io.ReadWriteCloser, error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, nil, fmt.Errorf("preparing a stream to %s: %w", c.subject("Pod", pod), err)
	}
	pods := c.Client.Pods(c.Namespace)
	at := pods.subresource(pods.client.Post(), pod, "portforward").URL()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), nil)
	if err != nil {
		return nil, nil, c.failed("opening a stream to "+c.subject("Pod", pod), err)
	}
	remote, _, err := spdy.Negotiate(upgrader, &http.Client{Transport: transport}, req, portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, nil, c.failed("opening a stream to "+c.subject("Pod", pod), err)
	}
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(int(port)))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	failure, err := remote.CreateStream(headers)
	if err != nil {
		_ = remote.Close()
		return nil, nil, c.failed("opening a stream to "+c.subject("Pod", pod), err)
	}
	// We have nothing to say on the error stream; what the other side says there ends the connection.
	_ = failure.Close()
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := remote.CreateStream(headers)
	if err != nil {
		_ = remote.Close()
		return nil, nil, c.failed("opening a stream to "+c.subject("Pod", pod), err)
	}
	go func() {
		if message, err := io.ReadAll(io.LimitReader(failure, 1<<12)); err != nil || len(message) > 0 {
			_ = remote.Close()
		}
	}()
	return remote, data, nil
}

// pickPort finds a port of a Service by name or number; "" is the first.
func pickPort(s *corev1.Service, want string) (corev1.ServicePort, error) {
	var names []string
	for _, p := range s.Spec.Ports {
		if want == "" || want == p.Name || want == strconv.Itoa(int(p.Port)) {
			return p, nil
		}
		names = append(names, strings.Trim(fmt.Sprintf("%s %d", p.Name, p.Port), " "))
	}
	return corev1.ServicePort{}, fmt.Errorf("it has no port %q, but %s", want, strings.Join(names, ", "))
}

// schemeOf guesses how a port is spoken to.
func schemeOf(p corev1.ServicePort) string {
	if p.Port == 443 || p.Name == "https" || p.AppProtocol != nil && *p.AppProtocol == "https" {
		return "https"
	}
	return "http"
}
