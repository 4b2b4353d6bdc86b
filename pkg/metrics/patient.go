package metrics

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// QueryTime bounds one query with all its tries.
	QueryTime = 10 * time.Second
	// answerLimit bounds an answer's body: one number needs a few hundred bytes, a query gone wrong may match every series.
	answerLimit = 4 << 20
)

// answer is what the transport saw, for errors that client libraries word in their own way.
type answer struct {
	status int
	// wait is the pause that the monitor asked for and that was too long to wait.
	wait time.Duration
}

type answerKey struct{}

// asking bounds a query's time and gives it an answer to fill.
func asking(ctx context.Context) (context.Context, context.CancelFunc, *answer) {
	seen := &answer{}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, answerKey{}, seen), QueryTime)
	return ctx, cancel, seen
}

// patient is a transport that waits when the monitor says how long, and bounds answers.
type patient struct{ inner http.RoundTripper }

func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	req, err := rewindable(req)
	if err != nil {
		return nil, err
	}
	seen, _ := req.Context().Value(answerKey{}).(*answer)
	if seen == nil {
		seen = &answer{}
	}
	*seen = answer{} // of a redirect's end, not of its beginning
	for {
		resp, err := p.inner.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		resp.Body = &bounded{ReadCloser: resp.Body, left: answerLimit}
		wait := pauseOf(resp)
		next, ok := p.again(req, resp, wait)
		if !ok {
			seen.status, seen.wait = resp.StatusCode, wait
			return resp, nil
		}
		req = next
	}
}

// pauseOf is the pause that a 429 or 503 asks for: Retry-After in seconds or as a date, and Datadog's X-RateLimit-Reset.
func pauseOf(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	for _, name := range []string{"Retry-After", "X-RateLimit-Reset"} {
		text := resp.Header.Get(name)
		if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
			return time.Duration(seconds) * time.Second
		}
		if at, err := http.ParseTime(text); err == nil {
			return max(0, time.Until(at))
		}
	}
	return 0
}

// again waits, if that is within the query's time, and gives the request to send then.
func (p *patient) again(req *http.Request, resp *http.Response, wait time.Duration) (*http.Request, bool) {
	deadline, inTime := req.Context().Deadline()
	if wait <= 0 || !inTime || time.Now().Add(wait).After(deadline) {
		return nil, false
	}
	next := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, false
		}
		next.Body = body
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-req.Context().Done():
		return nil, false
	case <-timer.C:
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return next, true
}

// rewindable is a request that can be sent again. Not every client library gives its body twice; questions are small.
func rewindable(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return req, nil
	}
	data, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	req = req.Clone(req.Context())
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	req.Body, err = req.GetBody()
	return req, err
}

// bounded is a body that fails when it goes on for too long: half an answer must not read like a whole one.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer is longer than %d MiB", answerLimit>>20)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
