package metrics

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// answerLimit bounds an answer's body: one number needs a few hundred bytes, a query gone wrong may match every series.
const answerLimit = 4 << 20

// answer is what the transport saw, for errors that the client library words in its own way.
type answer struct{ status int }

type answerKey struct{}

// patient is a transport that waits when the monitor says how long, and bounds answers.
type patient struct{ inner http.RoundTripper }

func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		resp, err := p.inner.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		if seen, ok := req.Context().Value(answerKey{}).(*answer); ok {
			seen.status = resp.StatusCode
		}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, answerLimit), resp.Body}
		again, ok := p.again(req, resp)
		if !ok {
			return resp, nil
		}
		req = again
	}
}

// again waits as long as a 429 or 503 asks for, if that is within the query's time, and gives the request to send then.
func (p *patient) again(req *http.Request, resp *http.Response) (*http.Request, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return nil, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	deadline, bounded := req.Context().Deadline()
	wait := time.Duration(seconds) * time.Second
	if err != nil || seconds < 1 || !bounded || time.Now().Add(wait).After(deadline) || req.Body != nil && req.GetBody == nil {
		return nil, false
	}
	next := req.Clone(req.Context())
	if req.Body != nil {
		if next.Body, err = req.GetBody(); err != nil {
			return nil, false
		}
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
