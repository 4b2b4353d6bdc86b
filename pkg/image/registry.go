package image

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// connection is shared by all calls, so that a push, its tags and their reading
// back use the same few TCP connections.
var connection http.RoundTripper = &retry{next: &renew{logins: ecrLogins, next: &http.Transport{
	Proxy: http.ProxyFromEnvironment,
	// A host that drops packets must not eat the whole job's time.
	DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	ForceAttemptHTTP2:   true,
	MaxIdleConnsPerHost: 16,
	IdleConnTimeout:     90 * time.Second,
	TLSHandshakeTimeout: 10 * time.Second,
	// Long, because a registry on object storage answers the last request of a
	// large blob only after it has copied the blob.
	ResponseHeaderTimeout: 3 * time.Minute,
}}}

// keychain logs in to Amazon's registries by itself, and finds other credentials
// where docker does; nothing is ever written there, because runners are shared.
var keychain authn.Keychain = ecrLogins

// uploads is the client library's own retry, which starts a blob's upload anew. It serves only the requests that [retry]
// cannot repeat by itself.
var uploads = remote.Backoff{Duration: 300 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 6}

// uploadBroken says whether err ended a blob's upload in a way that a new upload may not.
func uploadBroken(err error) bool {
	var answer *transport.Error
	if errors.As(err, &answer) {
		return answer.Request != nil && inUpload(answer.Request.Method, answer.Request.URL.Path) &&
			// A registry that was restarted has forgotten its uploads.
			(answer.Temporary() || answer.StatusCode == http.StatusNotFound)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		at, parsing := url.Parse(failed.URL)
		return parsing == nil && inUpload(strings.ToUpper(failed.Op), at.Path) && transient(nil, failed.Err)
	}
	return false
}

func options(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithTransport(connection),
		remote.WithAuthFromKeychain(keychain),
		remote.WithUserAgent("promote"),
		remote.WithRetryBackoff(uploads),
		remote.WithRetryPredicate(uploadBroken),
		// Statuses are retried by our transport, which knows Retry-After and
		// stops when the context does.
		remote.WithRetryStatusCodes(),
	}
}
