package aws

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// shop is a repository in a running registry, and what a program needs to use it.
type shop struct {
	*world
	ecr  *ECR
	full string
	http *http.Transport
}

func newShop(t *testing.T, o Options) *shop {
	t.Helper()
	w := newWorld(t, o)
	full, err := w.server.CreateRepository("eu-central-1", "team/checkout")
	check(t, err)
	registry, err := w.server.StartECR(t.Context())
	check(t, err)
	t.Cleanup(func() { check(t, registry.Close()) })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(registry.CA)
	proxy, err := url.Parse(registry.Proxy)
	check(t, err)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &shop{world: w, ecr: registry, full: full, http: transport}
}

func (s *shop) client(region string, k Key) *ecr.Client {
	return ecr.NewFromConfig(s.config(region, k))
}

// login is the login that AWS gives a key, as a registry's client takes it.
func (s *shop) login(region string, k Key) authn.Authenticator {
	s.t.Helper()
	out, err := s.client(region, k).GetAuthorizationToken(s.t.Context(), &ecr.GetAuthorizationTokenInput{})
	check(s.t, err)
	if got := sdk.ToString(out.AuthorizationData[0].ProxyEndpoint); got != "https://000000000000.dkr.ecr."+region+".amazonaws.com" {
		s.t.Errorf("the login is for %s", got)
	}
	return authn.FromConfig(authn.AuthConfig{Auth: sdk.ToString(out.AuthorizationData[0].AuthorizationToken)})
}

// put pushes a new image as a tag; the same as the one before when again is set.
func (s *shop) put(auth authn.Authenticator, tag string, image remote.Taggable) error {
	s.t.Helper()
	ref, err := name.NewTag(s.full + ":" + tag)
	check(s.t, err)
	return remote.Push(ref, image, remote.WithAuth(auth), remote.WithTransport(s.http), remote.WithRetryBackoff(remote.Backoff{Steps: 1}), remote.WithRetryStatusCodes())
}

func (s *shop) image() remote.Taggable {
	s.t.Helper()
	image, err := random.Image(1<<10, 2)
	check(s.t, err)
	return image
}

func wantRefusal(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was not refused")
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%v\ndoes not say %q", err, text)
		}
	}
}

func TestECRTags(t *testing.T) {
	s := newShop(t, Options{})
	auth := s.login("eu-central-1", root)
	const text = "TAG_INVALID: The image tag '%' already exists in the 'team/checkout' repository and cannot be overwritten because the tag is immutable."
	for _, c := range []struct {
		setting string
		filters []string
		tag     string
		moves   bool
	}{
		{Mutable, nil, "a", true},
		{Immutable, nil, "b", false},
		{ImmutableWithExclusion, []string{"test", "v*-rc*"}, "test", true},
		{ImmutableWithExclusion, []string{"test", "v*-rc*"}, "v1-rc2", true},
		{ImmutableWithExclusion, []string{"test", "v*-rc*"}, "tested", false},
		{MutableWithExclusion, []string{"v*"}, "v1", false},
		{MutableWithExclusion, []string{"v*"}, "w1", true},
	} {
		t.Run(c.setting+" with "+strings.Join(c.filters, ",")+" and tag "+c.tag, func(t *testing.T) {
			check(t, s.server.PutImageTagMutability("eu-central-1", "team/checkout", c.setting, c.filters...))
			first := s.image()
			check(t, s.put(auth, c.tag, first))
			err := s.put(auth, c.tag, s.image())
			if c.moves {
				check(t, err)
				return
			}
			wantRefusal(t, err, strings.ReplaceAll(text, "%", c.tag))
		})
	}
	t.Run("the same digest is refused too", func(t *testing.T) {
		check(t, s.server.PutImageTagMutability("eu-central-1", "team/checkout", Immutable))
		image := s.image()
		check(t, s.put(auth, "same", image))
		digest, err := name.NewTag(s.full + ":same")
		check(t, err)
		// The client's Push looks before it writes; ECR's answer is to the write.
		wantRefusal(t, remote.Put(digest, image, remote.WithAuth(auth), remote.WithTransport(s.http)), "TAG_INVALID")
	})
	t.Run("settings that AWS does not have are refused", func(t *testing.T) {
		for setting, filters := range map[string][]string{Immutable: {"a"}, ImmutableWithExclusion: nil, MutableWithExclusion: {"a", "b", "c", "d", "e", "f"}, "FROZEN": nil} {
			if err := s.server.PutImageTagMutability("eu-central-1", "team/checkout", setting, filters...); err == nil {
				t.Errorf("%s with %v was taken", setting, filters)
			}
		}
	})
}

func TestECRLogin(t *testing.T) {
	var late atomic.Bool
	clock := func() time.Time {
		if late.Load() {
			return time.Now().Add(12*time.Hour + time.Second)
		}
		return time.Now()
	}
	s := newShop(t, Options{Clock: clock})
	auth := s.login("eu-central-1", root)
	t.Run("no login is a challenge, a wrong one too", func(t *testing.T) {
		for _, header := range []string{"", "Basic QVdTOndyb25n"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+strings.Split(s.full, "/")[0]+"/v2/", nil)
			check(t, err)
			request.Header.Set("Authorization", header)
			response, err := s.http.RoundTrip(request)
			check(t, err)
			body, err := io.ReadAll(response.Body)
			check(t, err)
			check(t, response.Body.Close())
			if response.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(response.Header.Get("Www-Authenticate"), "Basic realm=") || string(body) != "Not Authorized\n" {
				t.Errorf("got %d %q %q", response.StatusCode, response.Header.Get("Www-Authenticate"), body)
			}
		}
	})
	t.Run("a login of another region is none", func(t *testing.T) {
		wantRefusal(t, s.put(s.login("us-east-1", root), "a", s.image()), "401")
	})
	t.Run("a key without the action is refused with the action", func(t *testing.T) {
		pull := Key{AccessKey: "AKIAPULL", SecretKey: "x", Allow: []string{"team/"}, Deny: []string{"ecr:PutImage", "ecr:DescribeRepositories"}}
		check(t, s.server.AddKey(pull))
		wantRefusal(t, s.put(s.login("eu-central-1", pull), "a", s.image()), "DENIED", "not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:eu-central-1:000000000000:repository/team/checkout")
		_, err := s.client("eu-central-1", pull).DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"team/checkout"}})
		wantError(t, err, "AccessDeniedException", "ecr:DescribeRepositories")
	})
	t.Run("a repository that does not exist is not made", func(t *testing.T) {
		there := s.full
		s.full = strings.Replace(there, "checkout", "none", 1)
		wantRefusal(t, s.put(auth, "a", s.image()), "NAME_UNKNOWN", "The repository with name 'team/none' does not exist in the registry with id '000000000000'")
		s.full = there
		_, err := s.client("eu-central-1", root).DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"team/none"}})
		wantError(t, err, "RepositoryNotFoundException", "team/none")
		_, err = s.client("eu-central-1", root).GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: sdk.String("team/checkout")})
		wantError(t, err, "LifecyclePolicyNotFoundException", "team/checkout")
	})
	t.Run("a rate limit is an answer of its own", func(t *testing.T) {
		s.server.ThrottleImages(1)
		wantRefusal(t, s.put(auth, "a", s.image()), "TOOMANYREQUESTS")
		check(t, s.put(auth, "a", s.image()))
	})
	t.Run("a login is over after twelve hours", func(t *testing.T) {
		late.Store(true)
		wantRefusal(t, s.put(auth, "b", s.image()), "403")
	})
}

func TestECRLeadsNowhereElse(t *testing.T) {
	s := newShop(t, Options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://registry.example/v2/", nil)
	check(t, err)
	if response, err := s.http.RoundTrip(request); err == nil {
		t.Errorf("got %s", response.Status)
	}
}
