package github

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// secondaryWait is how long to wait for a secondary limit that does not say so itself:
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
const secondaryWait = time.Minute

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
		return limit(response, time.Now())
	case response.StatusCode >= 500:
		return backoff, repeatable(request)
	}
	return 0, false
}

// limit reads how long GitHub asks to wait, and whether it does.
func limit(response *http.Response, now time.Time) (time.Duration, bool) {
	h := response.Header
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if h.Get("X-RateLimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return max(0, time.Unix(reset, 0).Sub(now)) + time.Second, true
		}
	}
	if response.StatusCode == http.StatusTooManyRequests || secondary(response) {
		return secondaryWait, true
	}
	return 0, false
}

// secondary says whether a 403 is a secondary limit, which only its text tells when it comes without headers. The body can
// be read again afterwards.
func secondary(response *http.Response) bool {
	start, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), response.Body), response.Body}
	return err == nil && bytes.Contains(bytes.ToLower(start), []byte("secondary rate limit"))
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
