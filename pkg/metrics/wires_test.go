package metrics

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
)

// wires is a network within the test: real servers and real clients, whose connections a synctest bubble can wait for, so that
// an hour of a monitor's pauses takes no time.
type wires struct {
	mu      sync.Mutex
	servers map[string]*pipes
}

// serve starts a server at an address such as prometheus.test:80.
func (w *wires) serve(t *testing.T, address string, handler http.Handler) {
	t.Helper()
	listener := &pipes{address: address, incoming: make(chan net.Conn), closed: make(chan struct{})}
	w.mu.Lock()
	if w.servers == nil {
		w.servers = map[string]*pipes{}
	}
	w.servers[address] = listener
	w.mu.Unlock()
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// transport reaches the servers and no other.
func (w *wires) transport(t *testing.T) *http.Transport {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		w.mu.Lock()
		listener := w.servers[address]
		w.mu.Unlock()
		if listener == nil {
			return nil, fmt.Errorf("dialling %s: connection refused", address)
		}
		ours, theirs := net.Pipe()
		select {
		case listener.incoming <- theirs:
			return ours, nil
		case <-listener.closed:
			return nil, fmt.Errorf("dialling %s: connection refused", address)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// pipes is a listener.
type pipes struct {
	address  string
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddress(p.address) }

type pipeAddress string

func (pipeAddress) Network() string  { return "pipe" }
func (a pipeAddress) String() string { return string(a) }
