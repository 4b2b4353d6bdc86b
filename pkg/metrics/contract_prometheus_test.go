package metrics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	awsKey    = "AKIACONTRACT0000"
	awsSecret = "aws-5ecret-3"
	awsRegion = "eu-west-1"
)

// prometheusDouble is a Prometheus behind a proxy that wants a token or a password.
func prometheusDouble(cfg PrometheusConfig) double {
	return double{
		secrets: []string{cfg.Token}, address: "prometheus.test:80", query: `sum(up{release="r1"})`, throttled: "Retry-After", kind: "application/json", redirected: "it redirects to http://elsewhere.test",
		open: func(t *testing.T, inner http.RoundTripper) Querier {
			cfg.URL, cfg.HTTP = "http://prometheus.test", inner
			return must(NewPrometheus(cfg))
		},
		admits: func(r *http.Request, _ string) error {
			user, password, basic := r.BasicAuth()
			switch {
			case r.URL.Path != "/api/v1/query":
				return errors.New("not the path of queries: " + r.URL.Path)
			case cfg.User != "" && (!basic || user != cfg.User || password != cfg.Token):
				return errors.New("the password is wrong")
			case cfg.User == "" && r.Header.Get("Authorization") != "Bearer "+cfg.Token:
				return errors.New("the token is wrong")
			}
			return nil
		},
		answer: prometheusAnswer,
		lacks:  map[situation]string{isFilling: "PromQL has no buckets"},
	}
}

// signedPrometheusDouble is Amazon's, which wants a signature.
func signedPrometheusDouble() double {
	d := prometheusDouble(PrometheusConfig{})
	d.secrets = []string{awsSecret}
	d.open = func(t *testing.T, inner http.RoundTripper) Querier {
		signature := must(NewSigV4(t.Context(), awsRegion, static))
		return must(NewPrometheus(PrometheusConfig{URL: "http://prometheus.test/", HTTP: inner, SigV4: signature}))
	}
	d.admits = func(r *http.Request, body string) error { return signed(r, body, promService) }
	return d
}

// static are credentials that need no server.
func static(o *config.LoadOptions) error {
	o.Credentials = credentials.NewStaticCredentialsProvider(awsKey, awsSecret, "")
	return nil
}

// signed signs the request anew and compares.
func signed(r *http.Request, body, service string) error {
	when, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return fmt.Errorf("reading the signature's date: %w", err)
	}
	again := r.Clone(context.Background())
	again.URL = &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	got := r.Header.Get("Authorization")
	_, names, _ := strings.Cut(got, "SignedHeaders=")
	names, _, _ = strings.Cut(names, ",")
	again.Header = http.Header{}
	for _, name := range strings.Split(names, ";") {
		if values := r.Header.Values(name); len(values) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	sum := sha256.Sum256([]byte(body))
	err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: awsKey, SecretAccessKey: awsSecret}, again,
		hex.EncodeToString(sum[:]), service, awsRegion, when)
	if want := again.Header.Get("Authorization"); err != nil || got != want {
		return fmt.Errorf("the signature is %s, want %s (%w)", got, want, err)
	}
	return nil
}

func prometheusAnswer(s situation, _ *http.Request, body string) (int, string) {
	form, _ := url.ParseQuery(body)
	seconds, _ := strconv.ParseFloat(form.Get("time"), 64)
	at := time.UnixMilli(int64(seconds * 1000))
	switch s {
	case hasZero:
		return 200, vector(at, "0")
	case hasNothing:
		return 200, vector(at)
	case hasNaN:
		return 200, vector(at, "NaN")
	case hasSeveral:
		return 200, vector(at, "1", "2")
	case isStale:
		return 200, vector(at.Add(-10*time.Minute), "12.5")
	case isPartial:
		return 200, strings.Replace(vector(at, "12.5"), `{"status"`, `{"warnings":["store-2 did not answer"],"status"`, 1)
	case isBadQuery:
		return 400, `{"status":"error","errorType":"bad_data","error":"1:5: parse error: unclosed left parenthesis"}`
	case isMalformed:
		return 200, vector(at, "12.5")[:40]
	}
	return 200, vector(at, "12.5")
}

// must gives a value that cannot fail to be there.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
