package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// maxAnswer is how much of an answer is read; a longer one counts as broken.
const maxAnswer = 1 << 20

// sender sends requests the way a strict client does: each exactly once.
//
// net/http's Transport repeats a request by itself when a reused connection turns out to be closed
// (Transport's documentation: "HTTP requests are considered idempotent…", persistConn.shouldRetryRequest in its source),
// provided that the body can be sent again: because there is none, or there is GetBody. Every request here has a body
// that cannot be sent again; for GET it is empty, which the transport finds out before it sends, so that the bytes
// on the wire are those of any GET.
type sender struct {
	url     string
	timeout time.Duration
	fresh   *http.Client
	kept    []*keeper
	next    atomic.Int64 // which keeper's turn it is
}

// keeper is a client that keeps its connection for a number of requests. Many of them, each with a
// connection of its own, meet a service the way real clients do: one connection pool would send all its requests
// over its warmest connection, and so to one pod.
type keeper struct {
	client *http.Client
	every  int64
	sent   atomic.Int64
}

func newSender(config Config) *sender {
	s := &sender{
		url:     strings.TrimSuffix(config.URL, "/"),
		timeout: config.Timeout,
		fresh:   client(through(&http.Transport{DisableKeepAlives: true, DisableCompression: true}, config.Resolver, freshResolvers)),
	}
	for i := range config.Clients {
		k := &keeper{client: client(through(&http.Transport{DisableCompression: true}, config.Resolver, 1)), every: int64(config.PerConnection)}
		k.sent.Store(int64(i * config.PerConnection / config.Clients)) // so that they don't all reconnect at once
		s.kept = append(s.kept, k)
	}
	return s
}

// client follows no redirects: each would be another request. Transports without Proxy ignore HTTP_PROXY.
func client(transport *http.Transport) *http.Client {
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *sender) close() {
	for _, k := range s.kept {
		k.client.CloseIdleConnections()
	}
}

// send sends the request once and tells how it went.
func (s *sender) send(ctx context.Context, request Request, keep bool) Record {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	record := Record{Time: time.Now(), Request: request.Name, KeepAlive: keep}

	wire, err := http.NewRequestWithContext(ctx, request.Method, s.url+request.Path, once{strings.NewReader(request.Body)})
	if err != nil {
		record.Error = err.Error()
		return record
	}
	wire.ContentLength = int64(len(request.Body))
	if request.Body != "" {
		wire.Header.Set("Content-Type", "application/json")
	}
	client := s.fresh
	if keep {
		k := s.kept[int(s.next.Add(1))%len(s.kept)]
		client = k.client
		wire.Close = k.sent.Add(1)%k.every == 0
	}
	answer, err := record.fill(client.Do(wire))
	record.LatencyMS = float64(time.Since(record.Time).Microseconds()) / 1000
	if err != nil {
		record.Error = cause(err, s.timeout)
	} else if request.Answered != nil && !record.Failed() {
		request.Answered(answer)
	}
	return record
}

// fill reads the response into the record and returns its body.
func (r *Record) fill(response *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	r.Status, r.Version = response.StatusCode, response.Header.Get("X-Version")
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("reading the answer: it has more than %d bytes", maxAnswer)
	}
	return body, nil
}

// cause says what happened without the addresses and ports that make every error another one.
func cause(err error, timeout time.Duration) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", timeout)
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		reason := op.Err
		if call := (*os.SyscallError)(nil); errors.As(reason, &call) {
			reason = call.Err // its own text begins with the name of the call, which op.Op says already
		}
		return op.Op + ": " + reason.Error()
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}

// once hides from net/http that the body could be read again.
type once struct{ io.Reader }
