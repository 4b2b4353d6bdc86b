package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options say where the double keeps its things and where it listens.
type Options struct {
	// Dir holds the bare repositories and the store; it is made when missing, and an existing one is
	// opened again with everything in it.
	Dir string
	// Listen is a TCP address; "127.0.0.1:0" picks a free port. "" means that.
	Listen string
	// Log, when set, gets one JSON object per request and line. No token and no body is written.
	Log io.Writer
	// Clock gives the time of everything that is created; nil means time.Now.
	Clock func() time.Time

	// wrap stands around the whole API; the tests put the OpenAPI validator there.
	wrap func(http.Handler) http.Handler
}

// Server is a running double. Its methods may be called from several goroutines at once.
type Server struct {
	dir   string
	url   string
	clock func() time.Time
	http  *http.Server
	log   requestLog
	done  chan struct{}

	// mu guards all below. One lock for everything: the double's answers are linear, and a lab has few callers.
	mu     sync.Mutex
	state  *state
	events []Event
	// lag is how many more times a commit's pull requests are answered as if not indexed yet.
	lag int
	// throttle is the secondary rate limit that holds at the moment.
	throttle Throttle
}

// Start opens the store in o.Dir and serves the API until ctx ends or Close is called.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Dir == "" {
		return nil, errors.New("starting GitHub's double: Options.Dir is empty, name a folder for its repositories")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting GitHub's double in %q: %w", o.Dir, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "repositories"), 0o755); err != nil {
		return nil, fmt.Errorf("starting GitHub's double: %w", err)
	}
	s := &Server{dir: dir, clock: o.Clock, log: requestLog{out: o.Log}, done: make(chan struct{})}
	if s.state, err = loadState(s.storePath()); err != nil {
		return nil, err
	}
	s.ensureBot()

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("starting GitHub's double on %q: %w", o.Listen, err)
	}
	s.url = "http://" + listener.Addr().String()
	s.serve(ctx, listener, o.wrap)
	return s, nil
}

// serve runs the HTTP server in the background and ties its life to ctx.
func (s *Server) serve(ctx context.Context, listener net.Listener, wrap func(http.Handler) http.Handler) {
	var handler http.Handler = s
	if wrap != nil {
		handler = wrap(handler)
	}
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	go func() {
		defer close(s.done)
		// The only errors Serve can give here are those of a closed listener: that is how it ends.
		_ = s.http.Serve(listener)
	}()
	context.AfterFunc(ctx, func() { _ = s.http.Close() })
}

// URL is the API's base URL, "http://127.0.0.1:port", without a slash at its end. The same API also
// answers under /api/v3, as GitHub Enterprise Server's does.
func (s *Server) URL() string { return s.url }

// Close stops serving and waits until the listener is gone. What was stored stays in Options.Dir.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	if err != nil {
		return fmt.Errorf("closing GitHub's double: %w", err)
	}
	return nil
}

func (s *Server) storePath() string { return filepath.Join(s.dir, "store.json") }

// now is the clock in whole seconds, the finest that GitHub shows.
func (s *Server) now() time.Time { return s.clock().UTC().Truncate(time.Second) }

// Events returns every webhook payload made so far, oldest first, those of changes made over HTTP too.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event(nil), s.events...)
}

// LagAssociations makes the next n look-ups of a commit's pull requests answer with none, as GitHub does
// in the moments after a merge, before its index has caught up.
func (s *Server) LagAssociations(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = n
}
