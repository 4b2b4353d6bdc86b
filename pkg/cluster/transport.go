package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// answerTime bounds the wait for one answer's first byte; admission webhooks may take 30 s.
	answerTime = 35 * time.Second
	// readTime is the same for reads, which no webhook delays: a dead connection is noticed soon.
	readTime = 10 * time.Second
	// warmUp is how long after an outage a refusal (401, 403, 404 of a whole API group) is not believed: a starting API
	// server answers before its caches of roles and tokens are filled.
	warmUp = 10 * time.Second

	// internalTries is how often an internal error is met with another try.
	internalTries = 4

	firstBackoff = 100 * time.Millisecond
	lastBackoff  = time.Second
)

// patience is a transport that rides out an API server that is down, restarting or overloaded. It repeats only requests
// that are safe to repeat, which all of promote's are but creations: reads, server-side applies, and writes and deletions
// that carry a resourceVersion, UID or test as precondition. A creation is repeated when it certainly was not received.
type patience struct {
	next   http.RoundTripper
	outage time.Duration
	// down is when the server was last found down, in Unix nanoseconds.
	down atomic.Int64
}

func newPatience(next http.RoundTripper, outage time.Duration) *patience {
	return &patience{next: next, outage: outage}
}

func (p *patience) RoundTrip(req *http.Request) (*http.Response, error) {
	rewind, err := rewinder(req)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	for attempt := 0; ; attempt++ {
		resp, err := p.once(req, rewind)
		wait, again := p.again(req, resp, err, attempt)
		if !again || time.Since(started)+wait > p.outage || req.Context().Err() != nil {
			return final(req, resp, err, time.Since(started))
		}
		if resp != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
			_ = resp.Body.Close()
		}
		timer := time.NewTimer(wait)
		select {
		case <-req.Context().Done():
			timer.Stop()
			return nil, context.Cause(req.Context())
		case <-timer.C:
		}
	}
}

// once sends the request and bounds the time to the answer. One that is read to its end anyway is read here, so that a
// connection that breaks in the middle of it is like one that broke before; watches, logs and upgraded connections stay open.
func (p *patience) once(req *http.Request, rewind func() io.ReadCloser) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	limit := answerTime
	if req.Method == http.MethodGet {
		limit = readTime
	}
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("no answer within %s", limit)) })
	out := req.Clone(ctx)
	out.Body = rewind()
	out.GetBody = func() (io.ReadCloser, error) { return rewind(), nil }
	resp, err := p.next.RoundTrip(out)
	if err == nil && !open(req, resp) {
		timer.Reset(answerTime)
		err = slurp(resp)
	}
	timer.Stop()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return nil, err
	}
	resp.Body = &closer{ReadCloser: resp.Body, then: func() { cancel(nil) }}
	return resp, nil
}

// open says that an answer goes on for as long as somebody listens.
func open(req *http.Request, resp *http.Response) bool {
	query := req.URL.Query()
	return resp.StatusCode == http.StatusSwitchingProtocols || query.Get("watch") == "true" || query.Get("watch") == "1" || query.Get("follow") == "true"
}

// slurp replaces an answer's body by what it has, all of it.
func slurp(resp *http.Response) error {
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return err
}

// again decides whether to repeat, and after how long.
func (p *patience) again(req *http.Request, resp *http.Response, err error, attempt int) (time.Duration, bool) {
	if err != nil && (req.Context().Err() != nil || noToken(err)) {
		return 0, false
	}
	if err != nil {
		p.down.Store(time.Now().UnixNano())
		return backoff(attempt), permanent(err) == nil && (repeatable(req) || neverSent(err))
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return after(resp, attempt), true
	case http.StatusInternalServerError:
		// Such as a change of etcd's leader. A webhook that cannot be called has the same number, and will go on to: few tries.
		return backoff(attempt), repeatable(req) && attempt < internalTries
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		p.down.Store(time.Now().UnixNano())
		return after(resp, attempt), repeatable(req)
	case http.StatusUnauthorized, http.StatusForbidden:
		return backoff(attempt), p.warming()
	case http.StatusNotFound:
		// The whole path is unknown, not one object: the group is not served yet.
		return backoff(attempt), p.warming() && !decoded(resp)
	}
	return 0, false
}

// decoded says that an answer is in one of the API's own forms, and so the API's own word.
func decoded(resp *http.Response) bool {
	kind := resp.Header.Get("Content-Type")
	return strings.Contains(kind, "json") || strings.Contains(kind, "kubernetes.protobuf")
}

func (p *patience) warming() bool {
	return time.Since(time.Unix(0, p.down.Load())) < warmUp
}

// final is what client-go gets to see. It must not start waiting again from the beginning, which it would do ten times over
// for an answer with Retry-After and for a connection that was reset.
func final(req *http.Request, resp *http.Response, err error, waited time.Duration) (*http.Response, error) {
	if err == nil {
		if waited > time.Second {
			resp.Header.Del("Retry-After")
		}
		return resp, nil
	}
	if req.Context().Err() != nil || waited < time.Second || noToken(err) {
		return nil, err
	}
	return nil, &UnreachableError{Host: req.URL.Host, For: waited, Cause: strings.ReplaceAll(err.Error(), "connection reset by peer", "connection reset")}
}

// repeatable says that a second delivery of the request changes nothing.
func repeatable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	case http.MethodPost:
		// Questions about the account: what it may do, and who it is.
		return strings.HasPrefix(req.URL.Path, "/apis/authorization.k8s.io/") || strings.HasPrefix(req.URL.Path, "/apis/authentication.k8s.io/")
	}
	return false
}

// neverSent says that no byte of the request can have reached a server.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// noToken says that the trouble is with our credentials and not with the server; their source has been waited for already.
func noToken(err error) bool {
	var identity *IdentityError
	return errors.As(err, &identity)
}

// permanent gives the error when waiting cannot help: a certificate or a name that is wrong stays wrong.
func permanent(err error) error {
	text := err.Error()
	for _, s := range []string{"x509:", "certificate", "no such host", "unsupported protocol", "exec plugin", "executable"} {
		if strings.Contains(text, s) {
			return err
		}
	}
	return nil
}

// backoff doubles from a tenth of a second up to one, half of it by chance, so that many runs do not return at once.
func backoff(attempt int) time.Duration {
	d := lastBackoff
	if attempt < 4 {
		d = firstBackoff << attempt
	}
	return d/2 + rand.N(d/2)
}

// after honours Retry-After in seconds, the only form Kubernetes sends, up to 30 s.
func after(resp *http.Response, attempt int) time.Duration {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return backoff(attempt)
	}
	return time.Duration(min(seconds, 30))*time.Second + rand.N(firstBackoff)
}

// rewinder gives the request's body anew for each attempt.
func rewinder(req *http.Request) (func() io.ReadCloser, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return func() io.ReadCloser { return http.NoBody }, nil
	}
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	_ = req.Body.Close()
	return func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }, nil
}

type closer struct {
	io.ReadCloser
	then func()
}

func (c *closer) Close() error {
	defer c.then()
	return c.ReadCloser.Close()
}

func splitPaths(list string) []string {
	var paths []string
	for _, p := range filepath.SplitList(list) {
		if p != "" {
			paths = append(paths, p)
		}
	}
	return paths
}
