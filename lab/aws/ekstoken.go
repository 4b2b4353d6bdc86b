package aws

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What stands before an EKS API server, from the side that lets in; the rules are those of aws-iam-authenticator's verifier
// (https://github.com/kubernetes-sigs/aws-iam-authenticator) and then of STS, which it sends the request to.

const (
	// longestToken is in bytes.
	longestToken = 4096
	// tokenLife is from the signature on. STS does not look at X-Amz-Expires.
	tokenLife = 15 * time.Minute
	// longestExpires is what X-Amz-Expires may say all the same, in seconds.
	longestExpires = 900
)

var (
	stsHost         = regexp.MustCompile(`^sts(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$`)
	credentialForm  = regexp.MustCompile(`^([^/]+)/(\d{8})/([^/]+)/sts/aws4_request$`)
	tokenParameters = []string{
		"action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-security-token", "x-amz-signature", "x-amz-signedheaders",
	}
)

// Caller is who a token belongs to.
type Caller struct {
	// Principal is the user or role that has the access entry, AccessKey the key that signed.
	Principal, AccessKey string
	Groups               []string
	// Signed is when the token was made.
	Signed time.Time
}

// Authenticate takes a bearer token that EKS would take for the cluster at that time, or says why not: EKS would tell its
// own log only, and the client 401. No error holds the token.
func (s *Server) Authenticate(token, cluster string, now time.Time) (Caller, error) {
	at, query, err := readToken(token)
	if err != nil {
		return Caller{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, signed, err := s.verifyPresigned(at, query, cluster, now)
	if err != nil {
		return Caller{}, err
	}
	held := s.eks[cluster]
	if held == nil {
		return Caller{}, fmt.Errorf("there is no cluster %q", cluster)
	}
	groups, known := held.entries[k.principal()]
	if !known {
		return Caller{}, fmt.Errorf("cluster %q has no access entry for %s", cluster, k.principal())
	}
	return Caller{Principal: k.principal(), AccessKey: k.AccessKey, Groups: groups, Signed: signed}, nil
}

// readToken is what the authenticator looks at before it asks STS.
func readToken(token string) (*url.URL, url.Values, error) {
	coded, ok := strings.CutPrefix(token, "k8s-aws-v1.")
	if !ok || len(token) > longestToken {
		return nil, nil, errors.New("the token has no prefix k8s-aws-v1., or is too long")
	}
	text, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil {
		return nil, nil, errors.New("the token is not base64 for URLs without padding")
	}
	at, err := url.Parse(string(text))
	if err != nil || at.Scheme != "https" || !stsHost.MatchString(at.Host) || at.Path != "/" {
		return nil, nil, errors.New("the token is not the https URL of an STS endpoint of AWS's")
	}
	query, err := url.ParseQuery(at.RawQuery)
	if err != nil {
		return nil, nil, errors.New("the token's query cannot be read")
	}
	lower := url.Values{}
	for name, values := range query {
		if !slices.Contains(tokenParameters, strings.ToLower(name)) || len(values) != 1 || lower.Has(strings.ToLower(name)) {
			return nil, nil, fmt.Errorf("the token's query has %q, or has it twice", name)
		}
		lower[strings.ToLower(name)] = values
	}
	if lower.Get("action") != "GetCallerIdentity" {
		return nil, nil, fmt.Errorf("the token's action is %q", lower.Get("action"))
	}
	if !slices.Contains(strings.Split(lower.Get("x-amz-signedheaders"), ";"), "x-k8s-aws-id") {
		return nil, nil, errors.New("the token does not sign the header x-k8s-aws-id")
	}
	if n, err := strconv.Atoi(lower.Get("x-amz-expires")); err != nil || n < 0 || n > longestExpires {
		return nil, nil, fmt.Errorf("the token's X-Amz-Expires is %q", lower.Get("x-amz-expires"))
	}
	return at, lower, nil
}

// verifyPresigned is what STS does with the request that the authenticator sends: the header names the authenticator's own
// cluster, whatever the token was made for.
func (s *Server) verifyPresigned(at *url.URL, query url.Values, cluster string, now time.Time) (Key, time.Time, error) {
	m := credentialForm.FindStringSubmatch(query.Get("x-amz-credential"))
	if m == nil || query.Get("x-amz-algorithm") != algorithm || query.Get("version") != "2011-06-15" {
		return Key{}, time.Time{}, errors.New("the token's credential scope, algorithm or version is wrong")
	}
	a := authorization{accessKey: m[1], date: m[2], region: m[3], service: "sts", signed: strings.Split(query.Get("x-amz-signedheaders"), ";"), signature: query.Get("x-amz-signature")}
	if region := stsHost.FindStringSubmatch(at.Host)[1]; a.region != region || !slices.Contains(a.signed, "host") {
		return Key{}, time.Time{}, fmt.Errorf("the token is signed for region %q and goes to %q, or does not sign its host", a.region, region)
	}
	k, known := s.keys[a.accessKey]
	if !known || k.SessionToken != query.Get("x-amz-security-token") {
		return Key{}, time.Time{}, errors.New("InvalidClientTokenId: The security token included in the request is invalid")
	}
	signed, err := time.Parse(timeFormat, query.Get("x-amz-date"))
	switch {
	case err != nil || signed.Format("20060102") != a.date:
		return Key{}, time.Time{}, errors.New("the token's dates are wrong")
	case now.After(signed.Add(tokenLife)):
		return Key{}, time.Time{}, fmt.Errorf("the token has expired: it was signed at %s", signed)
	case signed.After(now.Add(skew)):
		return Key{}, time.Time{}, fmt.Errorf("the token is not valid yet: it was signed at %s", signed)
	case k.expired(now):
		return Key{}, time.Time{}, errors.New("ExpiredToken: The security token included in the request is expired")
	}
	open := at.Query()
	for name := range open {
		if strings.EqualFold(name, "x-amz-signature") {
			delete(open, name)
		}
	}
	r := &http.Request{
		Method: http.MethodGet, Host: at.Host, URL: &url.URL{Path: "/", RawQuery: open.Encode()},
		Header: http.Header{"X-K8s-Aws-Id": {cluster}, "X-Amz-Date": {query.Get("x-amz-date")}},
	}
	if !hmac.Equal([]byte(a.signature), []byte(sign(r, nil, a, k.SecretKey))) {
		return Key{}, time.Time{}, errors.New("SignatureDoesNotMatch: the token was made with another key, for another cluster, or was changed")
	}
	return k, signed, nil
}
