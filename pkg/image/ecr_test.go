package image

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

func TestECRHosts(t *testing.T) {
	type named struct {
		Region             string
		FIPS, Dual, Public bool
	}
	for host, want := range map[string]*named{
		"123456789012.dkr.ecr.eu-central-1.amazonaws.com":             {Region: "eu-central-1"},
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn":            {Region: "cn-north-1"},
		"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com":       {Region: "us-gov-west-1", FIPS: true},
		"123456789012.dkr-ecr.us-east-1.on.aws":                       {Region: "us-east-1", Dual: true},
		"123456789012.dkr-ecr-fips.us-east-1.on.aws":                  {Region: "us-east-1", Dual: true, FIPS: true},
		"123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn": {Region: "cn-north-1", Dual: true},
		"public.ecr.aws": {Region: "us-east-1", Public: true},
		"123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example": nil,
		"evil-123456789012.dkr.ecr.eu-central-1.amazonaws.com":         nil,
		"12345.dkr.ecr.eu-central-1.amazonaws.com":                     nil,
		"123456789012xdkr.ecr.eu-central-1.amazonaws.com":              nil,
		"registry.example": nil, "127.0.0.1:5000": nil,
	} {
		t.Run(host, func(t *testing.T) {
			got, ok := parseECR(host)
			if ok != (want != nil) {
				t.Fatalf("parseECR() = %+v, %v", got, ok)
			}
			if want != nil {
				if diff := cmp.Diff(*want, named{got.region, got.fips, got.dual, got.public}); diff != "" {
					t.Errorf("parseECR() (-want +got):\n%s", diff)
				}
			}
		})
	}
	t.Run("are found in a Dockerfile, each once", func(t *testing.T) {
		const a, b = "123456789012.dkr.ecr.eu-central-1.amazonaws.com", "210987654321.dkr.ecr.us-east-1.amazonaws.com"
		dockerfile := "ARG BASE=" + a + "/base/go:1\nFROM --platform=$BUILDPLATFORM ${BASE} AS build\nFROM public.ecr.aws/x/y\nCOPY --from=" + a + "/tools /t /t\nFROM docker.io/x\n"
		if diff := cmp.Diff([]string{a, publicECR, b}, ECRHosts(dockerfile, b+"/z")); diff != "" {
			t.Errorf("ECRHosts() (-want +got):\n%s", diff)
		}
	})
}

const testHost = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"

func TestECRLogin(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	fetched := 0
	l := &ecrLogin{now: func() time.Time { return now }, fetch: func(context.Context, ecrHost) (ecrToken, error) {
		fetched++
		return ecrToken{user: "AWS", password: strings.Repeat("p", fetched), expires: now.Add(12 * time.Hour)}, nil
	}}
	token := func() string {
		got, err := l.token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got.password
	}
	t.Run("is asked for once and again shortly before its end", func(t *testing.T) {
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "p"}, {11 * time.Hour, "p"}, {58 * time.Minute, "p"}, {time.Minute, "pp"}} {
			now = now.Add(step.after)
			if got := token(); got != step.want {
				t.Errorf("after %v the login is %q, want %q", step.after, got, step.want)
			}
		}
	})
	t.Run("that another request replaced meanwhile is not dropped", func(t *testing.T) {
		l.drop("p")
		if got := token(); got != "pp" {
			t.Errorf("the login is %q, want the newer one", got)
		}
		l.drop("pp")
		if got := token(); got != "ppp" {
			t.Errorf("the login is %q, want a new one", got)
		}
	})
	t.Run("fails without being remembered", func(t *testing.T) {
		broken := &ecrLogin{now: time.Now, fetch: func(context.Context, ecrHost) (ecrToken, error) { return ecrToken{}, errors.New("down") }}
		for range 2 {
			if _, err := broken.token(t.Context()); err == nil {
				t.Error("no error")
			}
		}
	})
}

// api answers GetAuthorizationToken; signatures are the lab's affair.
func api(t *testing.T, answer string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(key, value)
	}
}

func TestAnswersToALogin(t *testing.T) {
	login := base64.StdEncoding.EncodeToString([]byte("AWS:s3cret-password"))
	for name, c := range map[string]struct{ host, answer, want string }{
		"of another region":      {testHost, `{"authorizationData":[{"authorizationToken":"` + login + `","expiresAt":9e9,"proxyEndpoint":"https://123456789012.dkr.ecr.us-east-1.amazonaws.com"}]}`, `login for region "us-east-1", but the registry is in "eu-central-1"`},
		"of the same region":     {testHost, `{"authorizationData":[{"authorizationToken":"` + login + `","expiresAt":9e9,"proxyEndpoint":"https://` + testHost + `"}]}`, ""},
		"of another account":     {testHost, `{"authorizationData":[{"authorizationToken":"` + login + `","expiresAt":9e9,"proxyEndpoint":"https://210987654321.dkr.ecr.eu-central-1.amazonaws.com"}]}`, ""},
		"of the public registry": {publicECR, `{"authorizationData":{"authorizationToken":"` + login + `","expiresAt":9e9}}`, ""},
		"without a login":        {testHost, `{"authorizationData":[]}`, "the answer has 0 logins"},
		"that is not base64":     {testHost, `{"authorizationData":[{"authorizationToken":"s3cret-password!","expiresAt":9e9}]}`, "not base64"},
		"that has no colon":      {testHost, `{"authorizationData":[{"authorizationToken":"czNjcmV0LXBhc3N3b3Jk","expiresAt":9e9}]}`, "not user:password"},
	} {
		t.Run(name, func(t *testing.T) {
			api(t, c.answer)
			host, _ := parseECR(c.host)
			got, err := fetchECRToken(t.Context(), host)
			if c.want == "" {
				if err != nil || got.user != "AWS" || got.password != "s3cret-password" {
					t.Errorf("got %s, %v", got.user, err)
				}
				return
			}
			var failed *LoginError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v, want a LoginError with %q", err, c.want)
			}
		})
	}
}

// docker is a keychain that has a login to everything, and counts who asks.
type docker struct{ asked int }

func (d *docker) Resolve(authn.Resource) (authn.Authenticator, error) {
	d.asked++
	return authn.FromConfig(authn.AuthConfig{Username: "docker", Password: "login"}), nil
}

func TestECRKeychain(t *testing.T) {
	resolve := func(k *ecrKeychain, host string) (*authn.AuthConfig, error) {
		registry, err := name.NewRegistry(host)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := authn.Resolve(t.Context(), k, registry)
		if err != nil {
			return nil, err
		}
		return authn.Authorization(t.Context(), auth)
	}
	tried := 0
	now := time.Now()
	broken := &ecrLogin{host: ecrHost{name: testHost}, now: func() time.Time { return now }, fetch: func(context.Context, ecrHost) (ecrToken, error) {
		tried++
		return ecrToken{}, &LoginError{Registry: testHost, Err: errors.New("no credentials")}
	}}
	next := &docker{}
	k := &ecrKeychain{next: next, logins: map[string]*ecrLogin{testHost: broken}}
	t.Run("leaves other registries to docker's", func(t *testing.T) {
		if got, err := resolve(k, "registry.example"); err != nil || got.Username != "docker" || tried != 0 {
			t.Errorf("got %+v, %v; AWS was asked %d times", got, err, tried)
		}
	})
	t.Run("takes docker's login where AWS gives none, and does not ask AWS each time", func(t *testing.T) {
		for range 3 {
			if got, err := resolve(k, testHost); err != nil || got.Username != "docker" {
				t.Errorf("got %+v, %v", got, err)
			}
		}
		if tried != 1 {
			t.Errorf("AWS was asked %d times, want once", tried)
		}
		now = now.Add(ecrAgain + time.Second)
		if _, err := resolve(k, testHost); err != nil || tried != 2 {
			t.Errorf("%v; AWS was asked %d times, want once more", err, tried)
		}
	})
	t.Run("is an error where neither has one", func(t *testing.T) {
		none := authn.NewMultiKeychain()
		alone := &ecrKeychain{next: none, logins: map[string]*ecrLogin{testHost: {host: broken.host, now: time.Now, fetch: broken.fetch}}}
		var failed *LoginError
		if _, err := resolve(alone, testHost); !errors.As(err, &failed) {
			t.Errorf("got %v, want a LoginError", err)
		}
	})
	t.Run("lets everybody pull from the public registry", func(t *testing.T) {
		open := &ecrKeychain{next: authn.NewMultiKeychain(), logins: map[string]*ecrLogin{
			publicECR: {host: ecrHost{name: publicECR, public: true}, now: time.Now, fetch: broken.fetch},
		}}
		if got, err := resolve(open, publicECR); err != nil || *got != (authn.AuthConfig{}) {
			t.Errorf("got %+v, %v; want no login and no error", got, err)
		}
	})
}
