package aws

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/org/promote/pkg/eks"
)

// anAuthority is PEM enough for a cluster that is never connected to.
var anAuthority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("authority")})

var runner = Key{AccessKey: "ASIARUNNER", SecretKey: "runner-key", SessionToken: "session", Role: "runner", Allow: []string{"prod"}}

// eksWorld is a double with cluster prod, which lets the runner's role in.
func eksWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, Options{})
	check(t, w.server.AddKey(runner))
	w.server.PutEKSCluster(EKSCluster{Name: "prod", Endpoint: "https://127.0.0.1:1", CA: anAuthority})
	check(t, w.server.PutAccessEntry("prod", "arn:aws:iam::000000000000:role/runner", "promote"))
	w.config("eu-west-1", root) // for the environment it sets
	return w
}

func open(t *testing.T, k Key, name string, clock func() time.Time) (*eks.Cluster, error) {
	t.Helper()
	return eks.Open(t.Context(), eks.Config{Name: name, Clock: clock},
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(k.AccessKey, k.SecretKey, k.SessionToken)))
}

func token(t *testing.T, c *eks.Cluster, refused string) string {
	t.Helper()
	text, err := c.Token(t.Context(), refused)
	check(t, err)
	return text
}

// reject fails unless the token is refused for that reason.
func reject(t *testing.T, w *world, token, cluster string, now time.Time, want string) {
	t.Helper()
	_, err := w.server.Authenticate(token, cluster, now)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want a refusal with %q", err, want)
	}
	if err != nil && len(token) > 100 && strings.Contains(err.Error(), token[20:60]) {
		t.Error("the refusal holds the token")
	}
}

// TestTheSuiteFindsAnEKSCluster looks clusters up as promote does, with real signatures.
func TestTheSuiteFindsAnEKSCluster(t *testing.T) {
	w := eksWorld(t)
	t.Run("its address and authority come from its name", func(t *testing.T) {
		c, err := open(t, runner, "prod", nil)
		check(t, err)
		if c.Endpoint != "https://127.0.0.1:1" || string(c.CA) != string(anAuthority) || c.Region != "eu-west-1" {
			t.Errorf("got %q in %s with %q", c.Endpoint, c.Region, c.CA)
		}
	})
	for name, test := range map[string]struct {
		key     Key
		cluster string
		want    []string
	}{
		"a cluster that does not exist":    {root, "nowhere", []string{"ResourceNotFoundException", "nowhere", "eu-west-1"}},
		"a role that may not describe it":  {Key{AccessKey: "AKIANONE", SecretKey: "x", Deny: []string{"eks:DescribeCluster"}, Allow: []string{""}}, "prod", []string{"AccessDenied", "eks:DescribeCluster"}},
		"a session that is over":           {Key{AccessKey: "ASIAOLD", SecretKey: "x", Role: "runner", Allow: []string{""}, Expires: time.Now().Add(-time.Minute)}, "prod", []string{"ExpiredToken", "get them anew"}},
		"a key that is not known any more": {Key{AccessKey: "AKIAGONE", SecretKey: "x"}, "prod", []string{"UnrecognizedClient", "get them anew"}},
	} {
		t.Run("it says what is wrong: "+name, func(t *testing.T) {
			if test.key.AccessKey != "AKIAGONE" && test.key.AccessKey != root.AccessKey {
				check(t, w.server.AddKey(test.key))
			}
			_, err := open(t, test.key, test.cluster, nil)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
		})
	}
	t.Run("it says what is wrong: a cluster that is being made", func(t *testing.T) {
		w.server.PutEKSCluster(EKSCluster{Name: "prod-new", Status: "CREATING"})
		if _, err := open(t, runner, "prod-new", nil); err == nil || !strings.Contains(err.Error(), "CREATING, not ACTIVE") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("throttling is waited out", func(t *testing.T) {
		w.server.Throttle(1)
		_, err := open(t, runner, "prod", nil)
		check(t, err)
	})
	t.Run("no region is an error of its own", func(t *testing.T) {
		t.Setenv("AWS_REGION", "")
		t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		if _, err := open(t, runner, "prod", nil); err == nil || !strings.Contains(err.Error(), "no region") {
			t.Errorf("got %v", err)
		}
	})
}

func TestTokensOfTheSuite(t *testing.T) {
	w := eksWorld(t)
	now := time.Now()
	c, err := open(t, runner, "prod", func() time.Time { return now })
	check(t, err)
	first := token(t, c, "")

	t.Run("EKS takes one, and knows who it is", func(t *testing.T) {
		caller, err := w.server.Authenticate(first, "prod", now)
		check(t, err)
		if caller.Principal != "arn:aws:iam::000000000000:role/runner" || strings.Join(caller.Groups, " ") != "promote" || caller.AccessKey != runner.AccessKey {
			t.Errorf("got %+v", caller)
		}
	})
	t.Run("at any minute of two hours the one that is given is good", func(t *testing.T) {
		start, given := now, map[string]bool{}
		for minute := range 120 {
			now = start.Add(time.Duration(minute) * time.Minute)
			text := token(t, c, "")
			given[text] = true
			if _, err := w.server.Authenticate(text, "prod", now.Add(4*time.Minute)); err != nil {
				t.Fatalf("minute %d: %v", minute, err)
			}
		}
		if len(given) != 12 {
			t.Errorf("%d tokens in 120 minutes, want 12", len(given))
		}
		reject(t, w, first, "prod", now, "expired")
		now = start
	})
	t.Run("each region has its own STS, also where AWS has another name", func(t *testing.T) {
		for region, host := range map[string]string{
			"us-east-1": "sts.us-east-1.amazonaws.com", "eu-west-1": "sts.eu-west-1.amazonaws.com", "cn-north-1": "sts.cn-north-1.amazonaws.com.cn",
			"us-gov-west-1": "sts.us-gov-west-1.amazonaws.com",
		} {
			t.Setenv("AWS_REGION", region)
			c, err := open(t, runner, "prod", nil)
			check(t, err)
			text := token(t, c, "")
			if at := urlOf(t, text); at.Host != host {
				t.Errorf("%s goes to %s, want %s", region, at.Host, host)
			}
			if _, err := w.server.Authenticate(text, "prod", time.Now()); err != nil {
				t.Errorf("%s: %v", region, err)
			}
		}
	})
}

func urlOf(t *testing.T, token string) *url.URL {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "k8s-aws-v1."))
	check(t, err)
	at, err := url.Parse(string(data))
	check(t, err)
	return at
}

// TestEKSRefuses changes one thing after the other of a token that is good.
func TestEKSRefuses(t *testing.T) {
	w := eksWorld(t)
	now := time.Now()
	c, err := open(t, runner, "prod", func() time.Time { return now })
	check(t, err)
	good := token(t, c, "")
	for name, test := range map[string]struct {
		change func(*url.URL, url.Values)
		want   string
	}{
		"another action":                {func(_ *url.URL, q url.Values) { q.Set("Action", "GetSessionToken") }, "action"},
		"another host":                  {func(u *url.URL, _ url.Values) { u.Host = "sts.eu-west-1.example.com" }, "STS endpoint"},
		"a VPC's endpoint":              {func(u *url.URL, _ url.Values) { u.Host = "vpce-1.sts.eu-west-1.vpce.amazonaws.com" }, "STS endpoint"},
		"plain HTTP":                    {func(u *url.URL, _ url.Values) { u.Scheme = "http" }, "https"},
		"another path":                  {func(u *url.URL, _ url.Values) { u.Path = "/x" }, "STS endpoint"},
		"another region's host":         {func(u *url.URL, _ url.Values) { u.Host = "sts.us-east-1.amazonaws.com" }, "region"},
		"a parameter more":              {func(_ *url.URL, q url.Values) { q.Set("RoleArn", "x") }, "RoleArn"},
		"a parameter twice":             {func(_ *url.URL, q url.Values) { q.Set("action", "GetCallerIdentity") }, "twice"},
		"a life that is too long":       {func(_ *url.URL, q url.Values) { q.Set("X-Amz-Expires", "901") }, "X-Amz-Expires"},
		"no cluster signed":             {func(_ *url.URL, q url.Values) { q.Set("X-Amz-SignedHeaders", "host") }, "x-k8s-aws-id"},
		"another signature":             {func(_ *url.URL, q url.Values) { q.Set("X-Amz-Signature", strings.Repeat("0", 64)) }, "SignatureDoesNotMatch"},
		"a time moved on":               {func(_ *url.URL, q url.Values) { q.Set("X-Amz-Date", now.Add(time.Second).UTC().Format(timeFormat)) }, "SignatureDoesNotMatch"},
		"a session that is not its own": {func(_ *url.URL, q url.Values) { q.Set("X-Amz-Security-Token", "other") }, "InvalidClientTokenId"},
	} {
		t.Run(name, func(t *testing.T) {
			at := urlOf(t, good)
			q := at.Query()
			test.change(at, q)
			at.RawQuery = q.Encode()
			reject(t, w, "k8s-aws-v1."+base64.RawURLEncoding.EncodeToString([]byte(at.String())), "prod", now, test.want)
		})
	}
	t.Run("another prefix, padding, and length", func(t *testing.T) {
		reject(t, w, strings.Replace(good, "v1", "v2", 1), "prod", now, "prefix")
		reject(t, w, good+"=", "prod", now, "base64")
		reject(t, w, good+strings.Repeat("A", longestToken), "prod", now, "too long")
	})
	t.Run("a token of another cluster", func(t *testing.T) {
		w.server.PutEKSCluster(EKSCluster{Name: "prod2", Endpoint: "https://127.0.0.1:1", CA: anAuthority})
		check(t, w.server.PutAccessEntry("prod2", "arn:aws:iam::000000000000:role/runner"))
		reject(t, w, good, "prod2", now, "SignatureDoesNotMatch")
	})
	t.Run("a token after 15 minutes, and one of the future", func(t *testing.T) {
		_, err := w.server.Authenticate(good, "prod", now.Add(tokenLife-time.Second))
		check(t, err)
		reject(t, w, good, "prod", now.Add(tokenLife+time.Second), "expired")
		reject(t, w, good, "prod", now.Add(-6*time.Minute), "not valid yet")
	})
	t.Run("a token whose session ends before it", func(t *testing.T) {
		ending := runner
		ending.AccessKey, ending.Expires = "ASIAENDING", now.Add(5*time.Minute)
		check(t, w.server.AddKey(ending))
		c, err := open(t, ending, "prod", func() time.Time { return now })
		check(t, err)
		text := token(t, c, "")
		_, err = w.server.Authenticate(text, "prod", now)
		check(t, err)
		reject(t, w, text, "prod", now.Add(5*time.Minute), "ExpiredToken")
	})
	t.Run("a role without an access entry", func(t *testing.T) {
		reject(t, w, tokenOf(t, root), "prod", time.Now(), "no access entry for arn:aws:iam::000000000000:user/AKIALAB")
	})
}

func tokenOf(t *testing.T, k Key) string {
	t.Helper()
	c, err := open(t, k, "prod", nil)
	check(t, err)
	return token(t, c, "")
}

// TestARotatedKeyIsFoundAfterARefusal lets the runner's key be rotated in its file while the old one goes.
func TestARotatedKeyIsFoundAfterARefusal(t *testing.T) {
	w := eksWorld(t)
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(k Key) {
		check(t, os.WriteFile(file, []byte("[default]\naws_access_key_id = "+k.AccessKey+"\naws_secret_access_key = "+k.SecretKey+"\naws_session_token = "+k.SessionToken+"\n"), 0o600))
	}
	write(runner)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	now := time.Now()
	c, err := eks.Open(t.Context(), eks.Config{Name: "prod", Clock: func() time.Time { return now }})
	check(t, err)
	first := token(t, c, "")
	_, err = w.server.Authenticate(first, "prod", now)
	check(t, err)

	gone, next := runner, runner
	gone.Expires = now
	next.AccessKey, next.SessionToken = "ASIANEXT", "next session"
	check(t, w.server.AddKey(gone))
	check(t, w.server.AddKey(next))
	write(next)
	now = now.Add(time.Minute)
	reject(t, w, first, "prod", now, "ExpiredToken")
	caller, err := w.server.Authenticate(token(t, c, first), "prod", now)
	check(t, err)
	if caller.AccessKey != "ASIANEXT" {
		t.Errorf("the new token is signed by %s", caller.AccessKey)
	}
}

func TestAdvice(t *testing.T) {
	w := eksWorld(t)
	c, err := open(t, runner, "prod", nil)
	check(t, err)
	t.Run("who has no access entry gets the command that makes it, with the role's ARN", func(t *testing.T) {
		want := "`aws eks create-access-entry --region eu-west-1 --cluster-name prod --principal-arn 'arn:aws:iam::000000000000:role/runner' --kubernetes-groups promote`"
		if got := c.Advise(t.Context(), http.StatusUnauthorized); !strings.Contains(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
	t.Run("who has one without rights gets the one that changes it", func(t *testing.T) {
		if got := c.Advise(t.Context(), http.StatusForbidden); !strings.Contains(got, "update-access-entry") || !strings.Contains(got, "role/runner") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a cluster that knows no access entries must be told to first", func(t *testing.T) {
		w.server.PutEKSCluster(EKSCluster{Name: "prod-old", Endpoint: "https://127.0.0.1:1", CA: anAuthority, AuthenticationMode: "CONFIG_MAP"})
		if err := w.server.PutAccessEntry("prod-old", "x"); err == nil {
			t.Error("the double took an access entry")
		}
		old, err := open(t, runner, "prod-old", nil)
		check(t, err)
		if got := old.Advise(t.Context(), http.StatusUnauthorized); !strings.Contains(got, "authenticationMode=API_AND_CONFIG_MAP") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a session that is over is told from a missing entry", func(t *testing.T) {
		gone := runner
		gone.Expires = time.Now()
		check(t, w.server.AddKey(gone))
		if got := c.Advise(t.Context(), http.StatusUnauthorized); !strings.Contains(got, "ExpiredToken") || !strings.Contains(got, "role-duration-seconds") || strings.Contains(got, "access-entry") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("without STS it still says what to do", func(t *testing.T) {
		check(t, w.server.Close())
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if got := c.Advise(ctx, http.StatusUnauthorized); !strings.Contains(got, "create-access-entry") || !strings.Contains(got, "get-caller-identity") {
			t.Errorf("got %s", got)
		}
	})
}

func TestCallerIdentity(t *testing.T) {
	w := eksWorld(t)
	out, err := sts.NewFromConfig(w.config("eu-west-1", runner)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	check(t, err)
	if got := sdk.ToString(out.Arn); got != "arn:aws:sts::000000000000:assumed-role/runner/session" {
		t.Errorf("got %s", got)
	}
	_, err = sts.NewFromConfig(w.config("eu-west-1", Key{AccessKey: "AKIANOBODY", SecretKey: "x"})).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	wantError(t, err, "InvalidClientTokenId", "security token")
}
