package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// account is the number of the account that everything belongs to.
const account = "000000000000"

// Options say where the double listens and who may use it.
type Options struct {
	// Listen is a TCP address; "127.0.0.1:0" picks a free port. "" means that.
	Listen string
	// AccessKey and SecretKey are a key pair that may read everything. More keys: AddKey.
	AccessKey, SecretKey string
	// Region, when set, is the only one in which signatures are accepted.
	Region string
	// Log, when set, gets one JSON object per request and line: names, never values.
	Log io.Writer
	// Clock gives the time; nil means time.Now.
	Clock func() time.Time
	// Propagation is how long a change of a hosted zone is PENDING: until then name servers answer as before.
	Propagation time.Duration
	// OneChange refuses a change of a hosted zone while another is PENDING, as Route 53 does when it is busy.
	OneChange bool
	// AliasTTL is the time to live of answers about load balancers; AWS's minute when zero.
	AliasTTL time.Duration
}

// Server is a running double. Its methods may be called from several goroutines at once.
type Server struct {
	url    string
	region string
	clock  func() time.Time
	zoning zoning
	http   *http.Server
	log    requestLog
	done   chan struct{}

	mu         sync.Mutex // guards all below
	ecr        ecrState
	keys       map[string]Key
	secrets    map[string]*secret
	parameters map[string]*parameter
	kms        map[string]*kmsKey
	eks        map[string]*eksCluster
	zones      map[string]*hostedZone
	changes    map[string]*zoneChange
	balancers  func() []LoadBalancer
	throttle   int // how many more requests are told to slow down
}

// Start serves until ctx ends or Close is called.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.AccessKey == "" || o.SecretKey == "" {
		return nil, errors.New("starting AWS's double: Options.AccessKey and Options.SecretKey are both needed")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("starting AWS's double on %q: %w", o.Listen, err)
	}
	s := &Server{
		url: "http://" + listener.Addr().String(), region: o.Region, clock: o.Clock, log: requestLog{out: o.Log}, done: make(chan struct{}),
		keys:    map[string]Key{o.AccessKey: {AccessKey: o.AccessKey, SecretKey: o.SecretKey, Allow: []string{""}}},
		secrets: map[string]*secret{}, parameters: map[string]*parameter{}, kms: map[string]*kmsKey{}, eks: map[string]*eksCluster{},
		zones: map[string]*hostedZone{}, changes: map[string]*zoneChange{}, balancers: func() []LoadBalancer { return nil },
		zoning: zoning{propagation: o.Propagation, oneChange: o.OneChange, aliasTTL: cmp.Or(o.AliasTTL, time.Minute)},
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		// The only errors Serve can give here are those of a closed listener: that is how it ends.
		_ = s.http.Serve(listener)
	}()
	context.AfterFunc(ctx, func() { _ = s.http.Close() })
	return s, nil
}

// URL is what to set AWS_ENDPOINT_URL to.
func (s *Server) URL() string { return s.url }

// Close stops serving and waits until the listener is gone.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	if err != nil {
		return fmt.Errorf("closing AWS's double: %w", err)
	}
	return nil
}

// Throttle answers the next n requests with ThrottlingException.
func (s *Server) Throttle(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttle = n
}

func (s *Server) arn(service, resource string) string {
	region := s.region
	if region == "" {
		region = "us-east-1"
	}
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, account, resource)
}
