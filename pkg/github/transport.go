package github

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// tries is how often a request is sent at most.
	tries = 4
	// longestWait bounds one wait for a rate limit. GitHub's secondary limits ask for a minute; a primary limit can ask
	// for most of an hour, and then the run should fail with the reason instead.
	longestWait = 2 * time.Minute
)

// transport sends the token to GitHub's own host only and tries again what is worth it: rate limits, after the time GitHub
// asks for; failures of server or network, with a growing wait, if doing it twice does no harm.
type transport struct {
	inner       http.RoundTripper
	host, token string
	timeout     time.Duration // of one try
}

func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		response, err := t.once(request)
		wait, again := retry(request, response, err, try)
		if !again || try == tries {
			return response, err
		}
		if response != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
			_ = response.Body.Close()
		}
		timer := time.NewTimer(wait)
		select {
		case <-request.Context().Done():
			timer.Stop()
			return nil, context.Cause(request.Context())
		case <-timer.C:
		}
	}
}

// once sends the request one time, with a body of its own and a time limit that lasts until the answer is read.
func (t *transport) once(request *http.Request) (*http.Response, error) {
	ctx, cancel := request.Context(), context.CancelFunc(func() {})
	if t.timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, t.timeout, errors.New("GitHub did not answer in time"))
	}
	out := request.Clone(ctx)
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			cancel()
			return nil, err
		}
		out.Body = body
	}
	// A redirect may lead to another host, which has no business with the token.
	if out.URL.Host == t.host {
		out.Header.Set("Authorization", "Bearer "+t.token)
	} else {
		out.Header.Del("Authorization")
	}
	response, err := t.inner.RoundTrip(out)
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = &cancelOnClose{ReadCloser: response.Body, cancel: cancel}
	return response, nil
}

type cancelOnClose struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c *cancelOnClose) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}

// retry says whether to send a request again, and when.
func retry(request *http.Request, response *http.Response, err error, try int) (time.Duration, bool) {
	if request.Context().Err() != nil {
		return 0, false
	}
	backoff := time.Duration(try*try)*250*time.Millisecond + time.Duration(rand.Int64N(int64(250*time.Millisecond)))
	if err != nil {
		return backoff, repeatable(request)
	}
	switch {
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusForbidden:
		// A limit refuses before anything is done, so every request may be repeated. Other 403s are about permissions.
		wait, limited := limit(response.Header, time.Now())
		if response.StatusCode == http.StatusTooManyRequests && !limited {
			wait, limited = backoff, true
		}
		return wait, limited && wait <= longestWait
	case response.StatusCode >= 500:
		return backoff, repeatable(request)
	}
	return 0, false
}

// limit reads how long GitHub asks to wait, and whether it does:
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
func limit(h http.Header, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if h.Get("X-RateLimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return max(0, time.Unix(reset, 0).Sub(now)) + time.Second, true
		}
	}
	return 0, false
}

// repeatable says whether a request may arrive twice. Statuses are a log whose last entry counts, so an entry that is there
// twice does no harm; a second comment or deployment would.
func repeatable(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPut, http.MethodDelete:
		return true
	}
	return strings.Contains(request.URL.Path, "/statuses")
}
