package aws

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestSignatures(t *testing.T) {
	w := newWorld(t, Options{Region: "eu-central-1"})
	_, err := w.server.PutSecret("a", "top secret value")
	check(t, err)
	check(t, w.server.AddKey(Key{AccessKey: "ASIATEMP", SecretKey: "temp-key", SessionToken: "token", Allow: []string{""}}))
	in := &secretsmanager.GetSecretValueInput{SecretId: sdk.String("a")}
	with := func(k Key, region string, change through) error {
		c := secretsmanager.NewFromConfig(w.config(region, k), noRetries, func(o *secretsmanager.Options) {
			if change != nil {
				o.HTTPClient = change
			}
		})
		_, err := get(t, c, in)
		return err
	}

	t.Run("the SDK's signature is accepted", func(t *testing.T) {
		check(t, with(root, "eu-central-1", nil))
	})
	t.Run("temporary credentials need their session token", func(t *testing.T) {
		check(t, with(Key{AccessKey: "ASIATEMP", SecretKey: "temp-key", SessionToken: "token"}, "eu-central-1", nil))
		wantError(t, with(Key{AccessKey: "ASIATEMP", SecretKey: "temp-key"}, "eu-central-1", nil), "UnrecognizedClientException", "")
	})
	t.Run("an unknown key and a wrong secret are refused", func(t *testing.T) {
		wantError(t, with(Key{AccessKey: "AKIANOBODY", SecretKey: "x"}, "eu-central-1", nil), "UnrecognizedClientException", "security token")
		wantError(t, with(Key{AccessKey: "AKIALAB", SecretKey: "wrong"}, "eu-central-1", nil), "InvalidSignatureException", "does not match")
	})
	t.Run("a request for another region is refused", func(t *testing.T) {
		wantError(t, with(root, "us-east-1", nil), "InvalidSignatureException", "valid region")
	})
	t.Run("a request that was changed after signing is refused", func(t *testing.T) {
		wantError(t, with(root, "eu-central-1", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(`{"SecretId":"b"}`))
		}), "InvalidSignatureException", "does not match")
		wantError(t, with(root, "eu-central-1", func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "secretsmanager.DescribeSecret")
		}), "InvalidSignatureException", "does not match")
	})
	t.Run("a request that is not signed, or only looks so, is refused", func(t *testing.T) {
		wantError(t, with(root, "eu-central-1", func(r *http.Request) { r.Header.Del("Authorization") }), "MissingAuthenticationTokenException", "")
		wantError(t, with(root, "eu-central-1", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }), "IncompleteSignatureException", "")
	})
	t.Run("a signature for another service is refused", func(t *testing.T) {
		wantError(t, with(root, "eu-central-1", func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSSM.GetParameter") }), "InvalidSignatureException", "correct service: 'ssm'")
	})
	t.Run("a clock that is off by six minutes is refused, by four is not", func(t *testing.T) {
		for off, want := range map[time.Duration]string{4 * time.Minute: "", 6 * time.Minute: "Signature expired", -6 * time.Minute: "Signature expired"} {
			late := newWorld(t, Options{Clock: later(off)})
			_, err := late.server.PutSecret("a", "x")
			check(t, err)
			_, err = get(t, late.secrets(root), in)
			if want == "" {
				check(t, err)
			} else {
				wantError(t, err, "InvalidSignatureException", want)
			}
		}
	})
}

func TestThrottling(t *testing.T) {
	w := newWorld(t, Options{})
	_, err := w.server.PutParameter("/a", "1", String)
	check(t, err)
	c := w.parameters(root)
	in := &ssm.GetParameterInput{Name: sdk.String("/a")}
	t.Run("the SDK gets over one refusal by itself", func(t *testing.T) {
		w.server.Throttle(1)
		_, err := c.GetParameter(t.Context(), in)
		check(t, err)
		if n := len(w.server.Requests()); n != 2 {
			t.Errorf("%d requests were made, want 2", n)
		}
	})
	t.Run("and gives up when they do not end", func(t *testing.T) {
		w.server.Throttle(2)
		_, err := c.GetParameter(t.Context(), in, func(o *ssm.Options) { o.RetryMaxAttempts = 2 })
		wantError(t, err, "ThrottlingException", "Rate exceeded")
	})
}

func TestRequests(t *testing.T) {
	w := newWorld(t, Options{})
	_, err := w.server.PutSecret("prod/a", "top secret value")
	check(t, err)
	_, err = w.secrets(root).BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"prod/a", "prod/b"}})
	check(t, err)
	_, err = get(t, w.secrets(root), &secretsmanager.GetSecretValueInput{SecretId: sdk.String("none")})
	wantError(t, err, "ResourceNotFoundException", "")

	t.Run("the log says who asked for what, in memory and in lines", func(t *testing.T) {
		all := w.server.Requests()
		if len(all) != 2 || strings.Count(w.log.String(), "\n") != 2 {
			t.Fatalf("got %d requests and the log\n%s", len(all), w.log)
		}
		if r := all[0]; r.Operation != "BatchGetSecretValue" || r.AccessKey != "AKIALAB" || strings.Join(r.Names, " ") != "prod/a prod/b" || r.Status != 200 {
			t.Errorf("got %v", r)
		}
		if r := all[1]; r.Error != "ResourceNotFoundException" || r.Status != 400 {
			t.Errorf("got %v", r)
		}
	})
	t.Run("and never a value or a key", func(t *testing.T) {
		for _, hidden := range []string{"top secret value", root.SecretKey} {
			if strings.Contains(w.log.String(), hidden) {
				t.Errorf("%q is in the log", hidden)
			}
		}
	})
}
