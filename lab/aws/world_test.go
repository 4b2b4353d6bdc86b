package aws

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
)

// world is a running double and the real SDK pointed at it.
type world struct {
	t      *testing.T
	server *Server
	log    *bytes.Buffer
}

func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	log := &bytes.Buffer{}
	o.AccessKey, o.SecretKey, o.Log = "AKIALAB", "lab-secret-key", log
	server, err := Start(t.Context(), o)
	check(t, err)
	t.Cleanup(func() { check(t, server.Close()) })
	return &world{t: t, server: server, log: log}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// config is what a program gets that has AWS_ENDPOINT_URL, AWS_REGION and a key pair in its environment.
func (w *world) config(region string, k Key) sdk.Config {
	w.t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": w.server.URL(), "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_REGION": region,
	} {
		w.t.Setenv(name, value)
	}
	c, err := config.LoadDefaultConfig(w.t.Context(),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(k.AccessKey, k.SecretKey, k.SessionToken)))
	check(w.t, err)
	return c
}

var root = Key{AccessKey: "AKIALAB", SecretKey: "lab-secret-key"}

func (w *world) secrets(k Key) *secretsmanager.Client {
	return secretsmanager.NewFromConfig(w.config("eu-central-1", k))
}

func (w *world) parameters(k Key) *ssm.Client {
	return ssm.NewFromConfig(w.config("eu-central-1", k))
}

// wantError fails unless err is that exception with a message that holds the text.
func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v (%T), want %s", err, err, code)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Errorf("got %s: %s; want %s and %q", api.ErrorCode(), api.ErrorMessage(), code, text)
	}
}

// noRetries keeps the SDK from trying again what is refused on purpose.
func noRetries(o *secretsmanager.Options) { o.RetryMaxAttempts = 1 }

// through is an HTTP client that changes requests after they were signed.
type through func(*http.Request)

func (f through) Do(r *http.Request) (*http.Response, error) {
	changed := r.Clone(context.WithoutCancel(r.Context()))
	f(changed)
	return http.DefaultClient.Do(changed)
}

func get(t *testing.T, c *secretsmanager.Client, in *secretsmanager.GetSecretValueInput) (string, error) {
	t.Helper()
	out, err := c.GetSecretValue(t.Context(), in, noRetries)
	if err != nil {
		return "", err
	}
	return sdk.ToString(out.SecretString), nil
}

func later(d time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(d) }
}
