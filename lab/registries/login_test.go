package registries

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/promote/lab/aws"
	"github.com/org/promote/pkg/image"
)

func TestLoginToAmazon(t *testing.T) {
	t.Run("one login serves everything and nothing is written", func(t *testing.T) {
		before := asked("GetAuthorizationToken")
		full := repository(t, "eu-central-2")
		dir, digest := newLayout(t)
		check(t, image.Preflight(t.Context(), full))
		_, err := image.Push(t.Context(), dir, full, []string{commit, "test"})
		check(t, err)
		check(t, image.Exists(t.Context(), image.Reference(full, digest)))
		if n := asked("GetAuthorizationToken") - before; n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
		entries, err := os.ReadDir(os.Getenv("HOME"))
		check(t, err)
		for _, entry := range entries {
			if entry.Name() != "ca.pem" {
				t.Errorf("%s was written to the home folder", entry.Name())
			}
		}
	})
	t.Run("AWS_ENDPOINT_URL_ECR says where the API is", func(t *testing.T) {
		full := repository(t, "eu-west-1")
		t.Setenv("AWS_ENDPOINT_URL_ECR", amazon.URL())
		check(t, image.Preflight(t.Context(), full))
	})
	t.Run("a wrong AWS_REGION does no harm, since the registry's name has the region", func(t *testing.T) {
		full := repository(t, "eu-west-2")
		t.Setenv("AWS_REGION", "us-east-1")
		check(t, image.Preflight(t.Context(), full))
	})
	t.Run("who may not log in is told the action", func(t *testing.T) {
		full := repository(t, "eu-west-3")
		as(t, aws.Key{AccessKey: "AKIANOLOGIN", SecretKey: "x", Allow: []string{""}, Deny: []string{"ecr:GetAuthorizationToken"}})
		_, err := image.Resolve(t.Context(), full, "test")
		wantLogin(t, err, "ecr:GetAuthorizationToken", `the role needs ecr:GetAuthorizationToken on resource "*"`)
	})
	t.Run("credentials that AWS does not take are told apart", func(t *testing.T) {
		full := repository(t, "eu-north-1")
		as(t, aws.Key{})
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
		_, err := image.Resolve(t.Context(), full, "test")
		wantLogin(t, err, "", "they are wrong or over")
	})
	t.Run("an API of another region is named", func(t *testing.T) {
		full := repository(t, "eu-south-1")
		other, err := aws.Start(t.Context(), aws.Options{AccessKey: "AKIALAB", SecretKey: "lab-secret-key", Region: "us-west-2"})
		check(t, err)
		t.Setenv("AWS_ENDPOINT_URL", other.URL())
		_, err = image.Resolve(t.Context(), full, "test")
		wantLogin(t, err, "", "the registry's region is eu-south-1")
	})
	t.Run("no credentials at all is one sentence", func(t *testing.T) {
		full := repository(t, "eu-south-2")
		as(t, aws.Key{})
		_, err := image.Resolve(t.Context(), full, "test")
		wantLogin(t, err, "", "there are no AWS credentials here")
	})
	t.Run("a registry that may not be used names the action and not the login", func(t *testing.T) {
		full := repository(t, "ap-south-1")
		as(t, aws.Key{AccessKey: "AKIAPULL", SecretKey: "x", Allow: []string{""}, Deny: []string{"ecr:InitiateLayerUpload"}})
		var refused *image.DeniedError
		if err := image.Preflight(t.Context(), full); !errors.As(err, &refused) || !strings.Contains(err.Error(), "ecr:InitiateLayerUpload") {
			t.Errorf("Preflight() = %v, want a DeniedError with the action", err)
		}
	})
}

func wantLogin(t *testing.T, err error, action, text string) {
	t.Helper()
	var failed *image.LoginError
	if !errors.As(err, &failed) || failed.Action != action || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v (%T), want a LoginError with %q", err, err, text)
	}
	if len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is not one short line: %v", err)
	}
}

func TestLoginThatEndsInMidPush(t *testing.T) {
	for _, as401 := range []bool{false, true} {
		// A push of three layers takes about 20 requests; the login ends before each of them in turn.
		for n := 1; n <= 20; n += 3 {
			t.Run(fmt.Sprintf("the push goes on after request %d, 401 %v", n, as401), func(t *testing.T) {
				amazon.RefuseOverAs401(as401)
				full := repository(t, "us-east-2")
				dir, digest := newLayout(t)
				before := asked("GetAuthorizationToken")
				amazon.ExpireTokens(n)
				_, err := image.Push(t.Context(), dir, full, []string{commit, "test"})
				check(t, err)
				for _, tag := range []string{commit, "test"} {
					if got, err := image.Resolve(t.Context(), full, tag); err != nil || got != digest {
						t.Errorf("tag %s holds %s, %v", tag, got, err)
					}
				}
				if n := asked("GetAuthorizationToken") - before; n < 1 || n > 2 {
					t.Errorf("%d logins, want 1, or 2 if it was the first", n)
				}
			})
		}
	}
}

func TestDockersLogin(t *testing.T) {
	full := repository(t, "sa-east-1")
	host, _, _ := strings.Cut(full, "/")
	// What `docker login` would have left, made with AWS's own answer.
	env, remove, err := image.DockerLogin(t.Context(), []string{"HOME=" + t.TempDir()}, host)
	check(t, err)
	t.Cleanup(func() { check(t, remove()) })
	folder := strings.TrimPrefix(env[len(env)-1], "DOCKER_CONFIG=")
	elsewhere := strings.Replace(host, "sa-east-1", "ca-west-1", 1)
	data, err := os.ReadFile(filepath.Join(folder, "config.json"))
	check(t, err)
	other := t.TempDir()
	check(t, os.WriteFile(filepath.Join(other, "config.json"), []byte(strings.ReplaceAll(string(data), host, elsewhere)), 0o600))

	t.Run("it serves where there are no AWS credentials", func(t *testing.T) {
		as(t, aws.Key{})
		t.Setenv("DOCKER_CONFIG", other)
		_, err := image.Resolve(t.Context(), elsewhere+"/team/none", "test")
		// The login is one of another region, so the registry refuses it: it was asked, and not AWS.
		var refused *image.DeniedError
		if !errors.As(err, &refused) {
			t.Errorf("Resolve() = %v, want a DeniedError", err)
		}
	})
}
