package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Where a pod says that its metrics are: https://github.com/prometheus-community/helm-charts has them in its scrape configuration.
const (
	annotationScheme = "prometheus.io/scheme"
	annotationPort   = "prometheus.io/port"
	annotationPath   = "prometheus.io/path"
)

// metricsPorts are names of ports that stand for metrics.
var metricsPorts = []string{"metrics", "http-metrics", "prometheus"}

// idleTime is how long a connection to a pod is kept between two looks at its metrics.
const idleTime = 2 * time.Minute

// Exporter is a pod that tells its own metrics.
type Exporter struct {
	Pod string
	UID types.UID
	// URL is reached through [Cluster.PodTransport].
	URL string
	// Started is when the pod was taken up by its node.
	Started time.Time
}

// Exporters are the pods of a release that are ready. Where their metrics are is said by the annotations prometheus.io/port and
// prometheus.io/path; without them it is /metrics, on a port named metrics or on the first.
func (c *Cluster) Exporters(ctx context.Context, release string) ([]Exporter, error) {
	pods, err := c.Pods(ctx, release)
	if err != nil {
		return nil, err
	}
	var all []Exporter
	for i := range pods {
		p := &pods[i]
		if !podReady(p) {
			continue
		}
		at, err := metricsOf(p)
		if err != nil {
			return nil, fmt.Errorf("finding the metrics of %s: %w", c.subject("Pod", p.Name), err)
		}
		e := Exporter{Pod: p.Name, UID: p.UID, URL: at}
		if p.Status.StartTime != nil {
			e.Started = p.Status.StartTime.Time
		}
		all = append(all, e)
	}
	return all, nil
}

// metricsOf is the URL of a pod's metrics; its host is the pod's name.
func metricsOf(p *corev1.Pod) (string, error) {
	if scheme := p.Annotations[annotationScheme]; scheme != "" && scheme != "http" {
		return "", fmt.Errorf("its annotation %s is %q, and only http is read", annotationScheme, scheme)
	}
	port, err := metricsPort(p)
	if err != nil {
		return "", err
	}
	path := p.Annotations[annotationPath]
	if path == "" {
		path = "/metrics"
	}
	if path[0] != '/' {
		return "", fmt.Errorf("its annotation %s is %q; give a path that begins with /", annotationPath, path)
	}
	return "http://" + net.JoinHostPort(p.Name, strconv.Itoa(int(port))) + path, nil
}

func metricsPort(p *corev1.Pod) (int32, error) {
	if text := p.Annotations[annotationPort]; text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return 0, fmt.Errorf("its annotation %s is %q; give the number of a port", annotationPort, text)
		}
		return int32(n), nil
	}
	var first int32
	for _, container := range p.Spec.Containers {
		for _, port := range container.Ports {
			if port.Protocol != corev1.ProtocolTCP && port.Protocol != "" {
				continue
			}
			if slices.Contains(metricsPorts, port.Name) {
				return port.ContainerPort, nil
			}
			if first == 0 {
				first = port.ContainerPort
			}
		}
	}
	if first == 0 {
		return 0, fmt.Errorf("it has neither the annotation %s nor a container port", annotationPort)
	}
	return first, nil
}

// PodTransport reaches pods by their names, through the API server as tests do: it takes no right beyond that to forward a port.
// Connections are kept for the next request.
func (c *Cluster) PodTransport() *http.Transport {
	return &http.Transport{
		MaxIdleConnsPerHost: 1, IdleConnTimeout: idleTime,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			pod, text, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			port, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return nil, err
			}
			remote, stream, err := c.dialPod(ctx, pod, int32(port))
			if err != nil {
				return nil, err
			}
			return &podConn{ReadWriteCloser: stream, remote: remote, address: podAddress(address)}, nil
		},
	}
}

// podConn is a stream as net/http takes it. It has no deadlines; requests are bounded by their contexts.
type podConn struct {
	io.ReadWriteCloser
	remote  io.Closer
	address podAddress
}

func (c *podConn) Close() error {
	_ = c.ReadWriteCloser.Close()
	return c.remote.Close()
}

func (c *podConn) LocalAddr() net.Addr              { return podAddress("") }
func (c *podConn) RemoteAddr() net.Addr             { return c.address }
func (c *podConn) SetDeadline(time.Time) error      { return nil }
func (c *podConn) SetReadDeadline(time.Time) error  { return nil }
func (c *podConn) SetWriteDeadline(time.Time) error { return nil }

type podAddress string

func (podAddress) Network() string  { return "portforward" }
func (a podAddress) String() string { return string(a) }
