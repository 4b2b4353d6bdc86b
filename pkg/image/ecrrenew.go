package image

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
)

// renew sends a request again with a new login when a registry of Amazon's says that the login is over. That happens in the
// middle of a push when credentials are revoked, or when a clock is off.
type renew struct {
	next   http.RoundTripper
	logins *ecrKeychain
}

// RoundTrip implements [http.RoundTripper].
func (r *renew) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	_, password, basic := request.BasicAuth()
	l := r.logins.login(request.URL.Host)
	// Where docker's login serves, AWS has given none a moment ago.
	if l == nil || l.instead() != nil || !basic || !r.over(request, response) {
		return response, nil
	}
	again, ok := renewed(request, l, password)
	if !ok {
		return response, nil // the registry's answer says more than a second failure to log in
	}
	drain(response.Body)
	return r.next.RoundTrip(again)
}

// renewed gives the request with a new login; false when there is none, or when its body cannot be read again. A registry that
// refuses a login has taken nothing of the body, so even a piece of a blob may be sent again.
func renewed(request *http.Request, l *ecrLogin, password string) (*http.Request, bool) {
	l.drop(password)
	token, err := l.token(request.Context())
	if err != nil || token.password == password {
		return nil, false
	}
	again := request.Clone(request.Context())
	if request.Body != nil && request.Body != http.NoBody {
		if request.GetBody == nil {
			return nil, false
		}
		if again.Body, err = request.GetBody(); err != nil {
			return nil, false
		}
	}
	again.SetBasicAuth(token.user, token.password)
	return again, true
}

// over says whether an answer means that the login is no longer valid. An answer to HEAD is a number alone, which may as well mean
// that the role lacks a right; so the registry is asked again in a way that it answers in words.
func (r *renew) over(request *http.Request, response *http.Response) bool {
	if request.Method != http.MethodHead || response.StatusCode != http.StatusForbidden {
		return saysOver(response)
	}
	base := url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host, Path: "/v2/"}
	question, err := http.NewRequestWithContext(request.Context(), http.MethodGet, base.String(), nil)
	if err != nil {
		return false
	}
	question.Header.Set("Authorization", request.Header.Get("Authorization"))
	answer, err := r.next.RoundTrip(question)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	return saysOver(answer)
}

// refusalSize is far more than any refusal of Amazon's has.
const refusalSize = 8 << 10

// saysOver reads an answer. Amazon answers 401 to a login it does not know, and 403 with a sentence to one that is over
// (aws/aws-cli#6580, awslabs/soci-snapshotter#1148). The answer can be read as before.
func saysOver(response *http.Response) bool {
	if response.StatusCode == http.StatusUnauthorized {
		return true
	}
	if response.StatusCode != http.StatusForbidden {
		return false
	}
	head, err := io.ReadAll(io.LimitReader(response.Body, refusalSize))
	rest := response.Body
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), rest}
	return err == nil && bytes.Contains(bytes.ToLower(head), []byte("authorization token has expired"))
}
