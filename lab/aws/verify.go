package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4, from the verifying side:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	// skew is how far the signer's clock may be off.
	skew = 5 * time.Minute
)

// authorization is the parsed header of that name.
type authorization struct {
	accessKey, date, region, service string
	signed                           []string // names of the signed headers
	signature                        string
}

var (
	authorizationForm = regexp.MustCompile(`^` + algorithm + ` Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request,\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$`)
	regionForm        = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
)

// verify finds the key pair that signed the request, or refuses as AWS does.
func (s *Server) verify(r *http.Request, body []byte, service string) (Key, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return Key{}, refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	m := authorizationForm.FindStringSubmatch(header)
	if m == nil {
		return Key{}, refuse("IncompleteSignatureException", "Authorization header requires %s with 'Credential', 'SignedHeaders' and 'Signature' parameters.", algorithm)
	}
	a := authorization{accessKey: m[1], date: m[2], region: m[3], service: m[4], signed: strings.Split(m[5], ";"), signature: m[6]}
	if err := s.checkScope(a, service); err != nil {
		return Key{}, err
	}
	k, known := s.keys[a.accessKey]
	if !known || k.SessionToken != r.Header.Get("X-Amz-Security-Token") {
		return Key{}, refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if err := s.checkTime(r, a); err != nil {
		return Key{}, err
	}
	if k.expired(s.clock()) {
		return Key{}, refuse("ExpiredTokenException", "The security token included in the request is expired")
	}
	must := []string{"host", "x-amz-date"}
	if r.Header.Get("X-Amz-Target") != "" {
		must = append(must, "x-amz-target")
	}
	for _, must := range must {
		if !slices.Contains(a.signed, must) {
			return Key{}, refuse("InvalidSignatureException", "'%s' must be a 'SignedHeader' in the AWS Authorization.", must)
		}
	}
	if !hmac.Equal([]byte(a.signature), []byte(sign(r, body, a, k.SecretKey))) {
		return Key{}, refuse("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	return k, nil
}

// signedService is the service in the scope of a request, "" when it has none.
func signedService(r *http.Request) string {
	if m := authorizationForm.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		return m[4]
	}
	return ""
}

// signedRegion is the region in the scope of a request that was verified.
func signedRegion(r *http.Request) string {
	m := authorizationForm.FindStringSubmatch(r.Header.Get("Authorization"))
	return m[3]
}

func (s *Server) checkScope(a authorization, service string) error {
	if a.service != service {
		return refuse("InvalidSignatureException", "Credential should be scoped to correct service: '%s'.", service)
	}
	// Route 53 has one endpoint in the world. Clients that are sent to another endpoint sign for the region they are set to.
	global := service == "route53" && a.region == "us-east-1"
	if !regionForm.MatchString(a.region) || s.region != "" && a.region != s.region && !global {
		return refuse("InvalidSignatureException", "Credential should be scoped to a valid region.")
	}
	return nil
}

func (s *Server) checkTime(r *http.Request, a authorization) error {
	signed, err := time.Parse(timeFormat, r.Header.Get("X-Amz-Date"))
	if err != nil || signed.Format("20060102") != a.date {
		return refuse("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	}
	if off := s.clock().Sub(signed); off > skew || off < -skew {
		return refuse("InvalidSignatureException", "Signature expired: %s is not within %s of now.", r.Header.Get("X-Amz-Date"), skew)
	}
	return nil
}

// sign computes the signature that the request should have.
func sign(r *http.Request, body []byte, a authorization, secretKey string) string {
	scope := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	text := strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), scope, hash([]byte(canonical(r, body, a.signed)))}, "\n")
	k := mac([]byte("AWS4"+secretKey), a.date)
	for _, part := range []string{a.region, a.service, "aws4_request"} {
		k = mac(k, part)
	}
	return hex.EncodeToString(mac(k, text))
}

// canonical is the request in the one form that both sides hash.
func canonical(r *http.Request, body []byte, signed []string) string {
	var headers strings.Builder
	for _, name := range signed {
		headers.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	path := (&url.URL{Path: r.URL.Path}).EscapedPath()
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	return strings.Join([]string{r.Method, path, query, headers.String(), strings.Join(signed, ";"), hash(body)}, "\n")
}

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, value := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(value), " "))
	}
	return strings.Join(values, ",")
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
