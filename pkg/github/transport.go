package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// tries is how often a request is sent at most.
	tries = 4
	// askPatience bounds all waits of a question, without whose answer the run can't go on. GitHub's secondary limits ask
	// for a minute or two; a primary limit can ask for most of an hour, and then the run should fail with the reason.
	askPatience = 3 * time.Minute
	// tellPatience bounds them when something is only told: a rollout must not stand still for a comment.
	tellPatience = 10 * time.Second
	// answerCap bounds an answer in bytes. A comparison of commits, the largest that is asked for, has at most a few MiB.
	answerCap = 32 << 20
)

// transport sends the token to GitHub's own host only and tries again what is worth it: rate limits, after the time GitHub
// asks for; failures of server or network, with a growing wait, if doing it twice does no harm.
type transport struct {
	inner       http.RoundTripper
	host, token string
	timeout     time.Duration // of one try
	patience    time.Duration // of all waits together
}

func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	left := t.patience
	for try := 1; ; try++ {
		response, err := t.once(request)
		wait, again := retry(request, response, err, try)
		deadline, bounded := request.Context().Deadline()
		if !again || try == tries || wait > left || bounded && time.Until(deadline) < wait {
			return response, err
		}
		left -= wait
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
	response.Body = &answerBody{ReadCloser: response.Body, cancel: cancel, left: answerCap}
	return response, nil
}

// answerBody fails when an answer does not end, and ends its request's time limit.
type answerBody struct {
	io.ReadCloser
	cancel context.CancelFunc
	left   int64
}

func (c *answerBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p[:min(int64(len(p)), c.left+1)])
	if c.left -= int64(n); c.left < 0 {
		return 0, fmt.Errorf("GitHub's answer has more than %d MiB", answerCap>>20)
	}
	return n, err
}

func (c *answerBody) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
