package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// authorize adds a credential to a request that is about to be sent.
type authorize func(*http.Request) error

// oneHost is a transport to one server and no other: what it adds is a credential, and an answer from elsewhere, after a
// redirect, is not the monitor's.
type oneHost struct {
	scheme, host string
	authorize    authorize
	inner        http.RoundTripper
}

// reach is the transport that adapters send through: to the one server of u, with its credential, waiting when told to.
func reach(u *url.URL, inner http.RoundTripper, with authorize) http.RoundTripper {
	if inner == nil {
		inner = http.DefaultTransport
	}
	return &patient{inner: &oneHost{scheme: u.Scheme, host: u.Host, authorize: with, inner: inner}}
}

func (o *oneHost) RoundTrip(req *http.Request) (*http.Response, error) {
	err := o.admit(req.URL)
	if err == nil && o.authorize != nil {
		req = req.Clone(req.Context())
		err = o.authorize(req)
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	return o.inner.RoundTrip(req)
}

func (o *oneHost) admit(u *url.URL) error {
	if u.Scheme != o.scheme || u.Host != o.host {
		return fmt.Errorf("it redirects to %s://%s, and is not followed there", u.Scheme, u.Host)
	}
	return nil
}

// parseRoot reads a monitor's address. It may hold a password, which errors about it must not repeat: user and password are
// taken out of the URL.
func parseRoot(name, text string) (*url.URL, *url.Userinfo, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		err = errors.New("it must begin with http:// or https:// and name a host")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the URL of %s: %w", name, withoutURL(err))
	}
	user := u.User
	u.User = nil
	return u, user, nil
}

// withoutURL drops the text of a URL from an error about it.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// refused sorts what the monitor's answer was when it was none: denied, or an error that names the status. Nil says that there
// was an answer, or none at all.
func (a *answer) refused(name string) error {
	switch {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return &UnusableError{Fault: Denied, Detail: fmt.Sprintf("HTTP %d; it needs credentials, or those given may not ask", a.status)}
	case a.wait > 0:
		return fmt.Errorf("asking %s: HTTP %d: it asks for a pause of %s", name, a.status, a.wait)
	case a.status >= 300:
		return fmt.Errorf("asking %s: HTTP %d", name, a.status)
	}
	return nil
}

// failed words an error of a request that got no usable answer.
func failed(ctx context.Context, name string, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("asking %s: no answer within %s", name, QueryTime)
	}
	return fmt.Errorf("asking %s: %w", name, withoutURL(err))
}
