package image

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// answers is a transport that gives prepared answers in turn; the last one stays.
type answers struct {
	all  []func() (*http.Response, error)
	seen []string // bodies of the requests
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
	}
	next := a.all[min(len(a.seen), len(a.all)-1)]
	a.seen = append(a.seen, body)
	return next()
}

func status(code int, headers ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(""))}, nil
	}
}

func failing(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

func TestRetry(t *testing.T) {
	send := func(t *testing.T, a *answers, method, path string) (int, error) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://registry.example"+path, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&retry{next: a, first: time.Millisecond}).RoundTrip(request)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, nil
	}
	t.Run("sends the whole request again until it is taken", func(t *testing.T) {
		a := &answers{all: []func() (*http.Response, error){status(429), failing(syscall.ECONNRESET), status(502), status(201)}}
		code, err := send(t, a, http.MethodPut, "/v2/x/manifests/test")
		if code != 201 || err != nil || strings.Join(a.seen, " ") != "body body body body" {
			t.Errorf("got %d, %v after requests %q", code, err, a.seen)
		}
	})
	t.Run("gives up after a number of tries with the last answer", func(t *testing.T) {
		a := &answers{all: []func() (*http.Response, error){status(503)}}
		code, err := send(t, a, http.MethodGet, "/v2/")
		if code != 503 || err != nil || len(a.seen) != retryAttempts {
			t.Errorf("got %d, %v after %d requests", code, err, len(a.seen))
		}
	})
	for name, c := range map[string]struct {
		method, path string
		answer       func() (*http.Response, error)
	}{
		"a refusal is final":                        {http.MethodGet, "/v2/", status(403)},
		"a name that does not exist is final":       {http.MethodGet, "/v2/", failing(&net.DNSError{IsNotFound: true, IsTemporary: true})},
		"a piece of a blob is not sent twice":       {http.MethodPatch, "/v2/x/blobs/uploads/1", status(503)},
		"an upload's end is not sent twice":         {http.MethodPut, "/v2/x/blobs/uploads/1", failing(syscall.ECONNRESET)},
		"a wait longer than the patience is no use": {http.MethodGet, "/v2/", status(429, "Retry-After", "3600")},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answers{all: []func() (*http.Response, error){c.answer}}
			if _, _ = send(t, a, c.method, c.path); len(a.seen) != 1 {
				t.Errorf("%d requests were sent, want 1", len(a.seen))
			}
		})
	}
	t.Run("waits a little longer than the registry asks, in seconds or until a date", func(t *testing.T) {
		for _, after := range []string{"7", time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat)} {
			seen := map[time.Duration]bool{}
			for range 20 {
				wait := (&retry{}).wait(1, &http.Response{Header: http.Header{"Retry-After": {after}}})
				if wait < 6*time.Second || wait > 7*time.Second+retryFirst {
					t.Errorf("Retry-After %s: the wait is %v", after, wait)
				}
				seen[wait] = true
			}
			if len(seen) < 2 {
				t.Errorf("Retry-After %s: every wait is the same", after)
			}
		}
	})
	t.Run("says how long the registry is busy when that is too long", func(t *testing.T) {
		_, err := send(t, &answers{all: []func() (*http.Response, error){status(429, "Retry-After", "3600")}}, http.MethodGet, "/v2/")
		var busy *BusyError
		if !errors.As(err, &busy) || *busy != (BusyError{Registry: "registry.example", Wait: time.Hour}) {
			t.Errorf("RoundTrip() = %v, want a BusyError", err)
		}
	})
	t.Run("stops with the context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://registry.example/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		a := &answers{all: []func() (*http.Response, error){func() (*http.Response, error) {
			cancel()
			return status(503)()
		}}}
		if _, err := (&retry{next: a, first: time.Hour}).RoundTrip(request); !errors.Is(err, context.Canceled) {
			t.Errorf("RoundTrip() = %v, want context.Canceled", err)
		}
	})
}
