package image

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How long a registry's trouble is ridden out, per request. Registries limit
// rates per second and are restarted within seconds; a person who mistyped the
// registry's name should know within half a minute.
const (
	retryAttempts = 8
	retryBudget   = 30 * time.Second
	// A refused connection means that nothing listens. Restarts are over sooner than rate limits.
	refusedBudget = 8 * time.Second
	retryFirst    = 250 * time.Millisecond
	retryLongest  = 8 * time.Second
)

// retry sends a request again when the registry is in trouble. Unlike the client
// library's own retry it stops with the request's context, waits as long as the
// registry asks for (Retry-After), and spreads the waits of parallel uploads:
// immediate retries on 429 keep a registry's rate limit tripped.
type retry struct {
	next  http.RoundTripper
	first time.Duration // first wait; 0 means retryFirst
}

type onceKey struct{}

// once gives a context whose writes are sent once only. Reads are sent again as ever.
func once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

// RoundTrip implements [http.RoundTripper].
func (r *retry) RoundTrip(request *http.Request) (*http.Response, error) {
	began := time.Now()
	for attempt := 1; ; attempt++ {
		response, err := r.next.RoundTrip(request)
		if attempt == retryAttempts || !transient(response, err) || single(request) {
			return response, err
		}
		again, ok := rewind(request)
		wait := r.wait(attempt, response)
		budget := retryBudget
		if errors.Is(err, syscall.ECONNREFUSED) {
			budget = refusedBudget
		}
		if !ok {
			return response, err
		}
		if time.Since(began)+wait > budget {
			return overdue(request, response, err)
		}
		if response != nil {
			drain(response.Body)
		}
		select {
		case <-request.Context().Done():
			return nil, request.Context().Err()
		case <-time.After(wait):
		}
		request = again
	}
}

// single says whether a request is a write that its caller wants to be sent once.
func single(request *http.Request) bool {
	return request.Context().Value(onceKey{}) != nil && request.Method != http.MethodGet && request.Method != http.MethodHead
}

// overdue is what a request comes to whose next try is too far away.
func overdue(request *http.Request, response *http.Response, err error) (*http.Response, error) {
	if response == nil || response.StatusCode != http.StatusTooManyRequests {
		return response, err
	}
	drain(response.Body)
	return nil, &BusyError{Registry: request.URL.Host, Wait: retryAfter(response)}
}

// wait is the pause after the given attempt: doubled each time, half of it
// random, and on top of what the registry asked for, so that all who were told
// the same do not come back together.
func (r *retry) wait(attempt int, response *http.Response) time.Duration {
	full := min(cmp.Or(r.first, retryFirst)<<(attempt-1), retryLongest)
	pause := full/2 + rand.N(full/2+1)
	if response != nil {
		pause += retryAfter(response)
	}
	return pause
}

// retryAfter is how long the registry asks to wait, in seconds or as a date (RFC 9110, section 10.2.3); 0 if it does not.
func retryAfter(response *http.Response) time.Duration {
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// transient says whether the same request may succeed a moment later.
func transient(response *http.Response, err error) bool {
	if err == nil {
		switch response.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
			499, // nginx: the client went away, as proxies say it
			522: // Cloudflare: no connection to the origin
			return true
		}
		return false
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsTemporary && !dns.IsNotFound
	}
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EPIPE) ||
		(errors.As(err, &network) && network.Timeout())
}

// inUpload says whether a request is a step of a blob's upload (all PATCH and PUT requests but those of manifests).
// Such a step must not be sent again by itself: the registry may have kept part of what it got, so the upload is to be
// started anew.
func inUpload(method, path string) bool {
	return method == http.MethodPatch || (method == http.MethodPut && !strings.Contains(path, "/manifests/"))
}

// rewind gives the request with a fresh body; false when it cannot be sent again.
func rewind(request *http.Request) (*http.Request, bool) {
	if inUpload(request.Method, request.URL.Path) {
		return nil, false
	}
	if request.Body == nil || request.Body == http.NoBody {
		return request, true
	}
	if request.GetBody == nil {
		return nil, false
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, false
	}
	again := request.Clone(request.Context())
	again.Body = body
	return again, true
}

// drain empties a small answer so that its connection can be used again.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10) // best effort: only the connection's reuse depends on it
	_ = body.Close()
}
