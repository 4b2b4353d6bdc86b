// Package gateway runs a real implementation of Kubernetes' Gateway API for one namespace of the lab: Traefik, as a process of this
// machine, with a GatewayClass and a Gateway of its own. It is started by what asks for it and ends with it: a lab without it is
// neither slower nor bigger.
//
// Several may run at once, in one process or in many: each sees its own class and its own namespace alone. The API's kinds are put
// into the cluster by the first and removed by the last; kinds that were there before are used and left.
//
// It serves HTTP on an address of loopback. It refuses no HTTPRoute of its namespace, and no other namespace's.
//
//	g, err := gateway.Start(ctx, lab, "shop")
//	defer g.Close(context.Background())
//	… // an HTTPRoute in shop with parentRefs: [{name: gateway}]
//	http.Get(g.URL)
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/org/promote/lab/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Name is what every Gateway is called in its namespace, for the parentRefs of its routes.
const Name = "gateway"

const (
	host  = "127.0.0.1"
	group = "gateway.networking.k8s.io"
	// controller is who Traefik says it is, in a class and in a status.
	controller = "traefik.io/gateway-controller"
)

var (
	gateways = schema.GroupVersionResource{Group: group, Version: "v1", Resource: "gateways"}
	classes  = schema.GroupVersionResource{Group: group, Version: "v1", Resource: "gatewayclasses"}
)

// readyLimit is for the start on a machine that compiles something else; it takes two seconds on a free one.
const readyLimit = 90 * time.Second

// Gateway is one that runs.
type Gateway struct {
	// URL is where its routes are served; those for a host name want it in the Host header.
	URL string

	namespace string
	made      bool // the Gateway, here
	kinds     *kinds
	port      *port
	proxy     *proxy
}

// Start starts a Gateway for a namespace and returns once it is programmed. The first time on a machine it builds Traefik, which
// takes minutes. What was made is removed again when it fails.
func Start(ctx context.Context, lab *cluster.Lab, namespace string) (*Gateway, error) {
	program, err := lab.Traefik(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := lab.GatewayKinds(ctx)
	if err != nil {
		return nil, err
	}
	g := &Gateway{namespace: namespace}
	if g.kinds, err = open(lab.World().AdminKubeconfig, lab.Dir()); err != nil {
		return nil, err
	}
	if g.port, err = holdPort(); err != nil {
		return nil, err
	}
	g.URL = "http://" + g.port.address()
	if err := g.start(ctx, program, folder, lab.World().AdminKubeconfig); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the gateway of namespace %q: %w", namespace, err), g.Close(context.WithoutCancel(ctx)))
	}
	return g, nil
}

// start makes the objects, then the process that serves them.
func (g *Gateway) start(ctx context.Context, program, folder, kubeconfig string) error {
	if err := g.kinds.use(ctx, folder, g.namespace); err != nil {
		return err
	}
	listener := map[string]any{"name": "http", "protocol": "HTTP", "port": int64(g.port.number)}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": "Gateway", "metadata": map[string]any{"name": Name},
		"spec": map[string]any{"gatewayClassName": className(g.namespace), "listeners": []any{listener}},
	}}
	if _, err := g.kinds.client.Resource(gateways).Namespace(g.namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return err
	}
	g.made = true
	var err error
	if g.proxy, err = run(ctx, program, kubeconfig, g.namespace, g.port.number); err != nil {
		return err
	}
	return g.awaitProgrammed(ctx)
}

// awaitProgrammed waits until Traefik says that the Gateway serves, and it does.
func (g *Gateway) awaitProgrammed(ctx context.Context) error {
	return await(ctx, readyLimit, func() error {
		if err := g.proxy.ended(); err != nil {
			return stop{err}
		}
		o, err := g.kinds.client.Resource(gateways).Namespace(g.namespace).Get(ctx, Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if !holds(o, "Programmed") {
			return fmt.Errorf("Gateway/%s/%s is not programmed: %v\n%s", g.namespace, Name, o.Object["status"], g.proxy.log)
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", g.port.address())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// Log is the end of what Traefik said so far.
func (g *Gateway) Log() string { return g.proxy.log.String() }

// Close ends the process and removes the Gateway, its class, and the kinds when this was the last that used them. A process that
// had ended by itself is an error.
func (g *Gateway) Close(ctx context.Context) error {
	var errs []error
	if g.proxy != nil {
		errs = append(errs, g.proxy.stop())
	}
	if g.made {
		errs = append(errs, ignoreGone(g.kinds.client.Resource(gateways).Namespace(g.namespace).Delete(ctx, Name, metav1.DeleteOptions{})))
	}
	errs = append(errs, g.port.release(), g.kinds.leave(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the gateway of namespace %q: %w", g.namespace, err)
	}
	return nil
}
