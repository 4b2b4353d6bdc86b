package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// Endpoint is a cluster that is known by its address, and entered with tokens that expire.
type Endpoint struct {
	// URL is the API server's, https only.
	URL string
	// CA is the authority of its certificate, in PEM; nil is the system's.
	CA []byte
	// Reach is added to the error when the API server has never answered: from where it can be reached. May be empty.
	Reach string
	// Identity makes the tokens.
	Identity Identity
}

// Identity is who the requests come from.
type Identity interface {
	// Token gives a bearer token that is valid for minutes yet. refused is one that the API server has not taken, or "": it is
	// given again only when there is no other.
	Token(ctx context.Context, refused string) (string, error)
	// Advise says in words what lets this identity in, after status 401, or gives it rights, after 403.
	Advise(ctx context.Context, status int) string
}

// IdentityError says that there is no token to send a request with.
type IdentityError struct {
	Cause error
}

func (e *IdentityError) Error() string {
	return "getting a token for the API server: " + e.Cause.Error()
}
func (e *IdentityError) Unwrap() error { return e.Cause }

// config prepares a connection to the endpoint.
func (e *Endpoint) config() (*rest.Config, error) {
	at, err := url.Parse(e.URL)
	if err != nil || at.Scheme != "https" || at.Host == "" {
		return nil, fmt.Errorf("the API server's address is %q, want https://…: a token goes nowhere else", e.URL)
	}
	return &rest.Config{Host: e.URL, TLSClientConfig: rest.TLSClientConfig{CAData: e.CA}}, nil
}

// identify gives the requests of a connection their tokens. Streams are dialled again by their callers.
func (e *Endpoint) identify(config *rest.Config, streams bool) {
	at, _ := url.Parse(e.URL) // which config has parsed already
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &bearer{next: next, host: at.Host, identity: e.Identity, once: streams}
	})
}

// advised adds to the errors of connections what to do about them.
func (e *Endpoint) advised(configs ...*rest.Config) {
	reached := &atomic.Bool{}
	for _, config := range configs {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return &advised{next: next, identity: e.Identity, reach: e.Reach, reached: reached}
		})
	}
}

// bearer sends each request with the identity's token of that moment. A request that is answered with 401 has not been looked
// at any further, whatever it is; it is sent once more if there is another token by then.
type bearer struct {
	next     http.RoundTripper
	host     string
	identity Identity
	// once leaves the second sending to the caller, who gets the other token then.
	once bool
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.EqualFold(req.URL.Host, b.host) {
		// A redirection must not carry the token away.
		return b.next.RoundTrip(req)
	}
	token, err := b.identity.Token(req.Context(), "")
	if err != nil {
		return nil, &IdentityError{Cause: err}
	}
	resp, err := b.send(req, req.Body, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	other, err := b.identity.Token(req.Context(), token)
	if err != nil {
		_ = resp.Body.Close()
		return nil, &IdentityError{Cause: err}
	}
	body, again := again(req)
	if b.once || !again || other == token {
		return resp, nil
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	_ = resp.Body.Close()
	return b.send(req, body, other)
}

func (b *bearer) send(req *http.Request, body io.ReadCloser, token string) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Body = body
	out.Header.Set("Authorization", "Bearer "+token)
	return b.next.RoundTrip(out)
}

// again gives the request's body anew, when that can be.
func again(req *http.Request) (io.ReadCloser, bool) {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return req.Body, true
	case req.GetBody == nil:
		return nil, false
	}
	body, err := req.GetBody()
	return body, err == nil
}
