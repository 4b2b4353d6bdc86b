package eks

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// found is a cluster as EKS describes a good one, with a change.
func found(change func(*types.Cluster)) *types.Cluster {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("authority")})
	c := &types.Cluster{
		Status: types.ClusterStatusActive, Endpoint: aws.String("https://A1.gr7.eu-west-1.eks.amazonaws.com"),
		CertificateAuthority: &types.Certificate{Data: aws.String(base64.StdEncoding.EncodeToString(ca))},
		ResourcesVpcConfig: &types.VpcConfigResponse{
			VpcId: aws.String("vpc-1"), ClusterSecurityGroupId: aws.String("sg-1"), EndpointPublicAccess: true, PublicAccessCidrs: []string{"0.0.0.0/0"},
		},
	}
	if change != nil {
		change(c)
	}
	return c
}

func TestWhatEKSSaysOfACluster(t *testing.T) {
	t.Run("one that serves is taken, also while it is updated", func(t *testing.T) {
		for _, status := range []types.ClusterStatus{types.ClusterStatusActive, types.ClusterStatusUpdating} {
			c := &Cluster{Name: "prod"}
			if err := c.take(found(func(f *types.Cluster) { f.Status = status })); err != nil {
				t.Errorf("%s: %v", status, err)
			}
			if !strings.HasPrefix(c.Endpoint, "https://A1.") || len(c.CA) == 0 || c.Reach != "" {
				t.Errorf("got %q, %q, %q", c.Endpoint, c.CA, c.Reach)
			}
		}
	})
	for name, test := range map[string]struct {
		change func(*types.Cluster)
		want   string
	}{
		"one that is being made is refused": {func(f *types.Cluster) { f.Status = types.ClusterStatusCreating }, "CREATING, not ACTIVE"},
		"one that is going away is refused": {func(f *types.Cluster) { f.Status = types.ClusterStatusDeleting }, "DELETING, not ACTIVE"},
		"one that failed is refused, with what EKS knows of it": {func(f *types.Cluster) {
			f.Status = types.ClusterStatusFailed
			f.Health = &types.ClusterHealth{Issues: []types.ClusterIssue{{Code: types.ClusterIssueCodeEc2SubnetNotFound, Message: aws.String("subnet-1 is gone")}}}
		}, "FAILED, not ACTIVE (Ec2SubnetNotFound: subnet-1 is gone)"},
		"one without an authority is refused":    {func(f *types.Cluster) { f.CertificateAuthority = nil }, "certificate authority"},
		"an authority that is no PEM is refused": {func(f *types.Cluster) { f.CertificateAuthority.Data = aws.String("bm8=") }, "certificate authority"},
		"an endpoint without TLS is refused":     {func(f *types.Cluster) { f.Endpoint = aws.String("http://10.0.0.1") }, "https"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&Cluster{Name: "prod"}).take(found(test.change))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	for name, test := range map[string]struct {
		change func(*types.VpcConfigResponse)
		want   []string
	}{
		"a private endpoint is reached from its VPC": {func(v *types.VpcConfigResponse) { v.EndpointPublicAccess = false }, []string{"private", "vpc-1", "sg-1"}},
		"a limited one from some addresses":          {func(v *types.VpcConfigResponse) { v.PublicAccessCidrs = []string{"192.0.2.0/24"} }, []string{"192.0.2.0/24 only"}},
		"one that is both from either": {func(v *types.VpcConfigResponse) {
			v.PublicAccessCidrs, v.EndpointPrivateAccess = []string{"192.0.2.0/24"}, true
		}, []string{"192.0.2.0/24", "vpc-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Cluster{Name: "prod"}
			if err := c.take(found(func(f *types.Cluster) { test.change(f.ResourcesVpcConfig) })); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(c.Reach, want) {
					t.Errorf("%q does not say %q", c.Reach, want)
				}
			}
		})
	}
}

func TestErrorsOfEKS(t *testing.T) {
	c := &Cluster{Name: "prod", Region: "eu-west-1"}
	for code, want := range map[string]string{
		"ResourceNotFoundException": "wrong account, region or name", "AccessDeniedException": "needs eks:DescribeCluster",
		"ExpiredTokenException": "get them anew", "UnrecognizedClientException": "get them anew",
	} {
		if err := c.explain(&smithy.GenericAPIError{Code: code, Message: "said"}); !strings.Contains(err.Error(), code+": said") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", code, err, want)
		}
	}
	if err := c.explain(errors.New("dial tcp: i/o timeout")); !strings.Contains(err.Error(), "com.amazonaws.eu-west-1.eks") {
		t.Errorf("got %v", err)
	}
}

func TestPrincipal(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:sts::1:assumed-role/runner/i-0123":   "arn:aws:iam::1:role/runner",
		"arn:aws-cn:sts::1:assumed-role/runner/job-1": "arn:aws-cn:iam::1:role/runner",
		"arn:aws:iam::1:user/team/ada":                "arn:aws:iam::1:user/team/ada",
		"arn:aws:sts::1:federated-user/ada":           "arn:aws:sts::1:federated-user/ada",
		"nonsense":                                    "nonsense",
	} {
		if got := principalOf(arn); got != want {
			t.Errorf("%s is %s, want %s", arn, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"prod": true, "Prod_1-a": true, "": false, "-prod": false, "a/b": false, "arn:aws:eks:eu-west-1:1:cluster/prod": false, strings.Repeat("a", 101): false,
	} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// bench is a cluster with credentials and a time that the test sets.
type bench struct {
	*Cluster
	now    time.Time
	keys   []aws.Credentials // the current one is the first
	broken error
	loads  int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), keys: []aws.Credentials{{AccessKeyID: "AKIAONE", SecretAccessKey: "one"}}}
	b.Cluster = &Cluster{Name: "prod", Region: "eu-west-1", busy: make(chan struct{}, 1), clock: func() time.Time { return b.now }}
	b.load = func(context.Context) (aws.Config, error) {
		b.loads++
		return aws.Config{Region: "eu-west-1", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return b.keys[0], b.broken
		})}, nil
	}
	var err error
	if b.aws, err = b.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) token(t *testing.T, refused string) string {
	t.Helper()
	token, err := b.Token(t.Context(), refused)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// presigned is the URL in a token.
func presigned(t *testing.T, token string) *url.URL {
	t.Helper()
	coded, ok := strings.CutPrefix(token, "k8s-aws-v1.")
	data, err := base64.RawURLEncoding.DecodeString(coded)
	at, errURL := url.Parse(string(data))
	if !ok || err != nil || errURL != nil {
		t.Fatalf("the token is no URL in base64 behind its prefix: %v %v", err, errURL)
	}
	return at
}

func TestToken(t *testing.T) {
	t.Run("it is the signed question who is asking, for this cluster, at the public STS whatever endpoint is configured", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
		t.Setenv("AWS_ENDPOINT_URL_STS", "https://vpce-1.sts.eu-west-1.vpce.amazonaws.com")
		b := newBench(t)
		at := presigned(t, b.token(t, ""))
		q := at.Query()
		q.Del("X-Amz-Signature")
		want := url.Values{
			"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}, "X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Date": {"20260102T030405Z"},
			"X-Amz-Credential": {"AKIAONE/20260102/eu-west-1/sts/aws4_request"}, "X-Amz-Expires": {"60"}, "X-Amz-SignedHeaders": {"host;x-k8s-aws-id"},
		}
		if diff := cmp.Diff(want, q); diff != "" {
			t.Error(diff)
		}
		if at.Scheme+"://"+at.Host+at.Path != "https://sts.eu-west-1.amazonaws.com/" {
			t.Errorf("it goes to %s", at.Host)
		}
	})
	t.Run("it is kept, and made anew minutes before it ends", func(t *testing.T) {
		b := newBench(t)
		first := b.token(t, "")
		b.now = b.now.Add(renewAge - time.Second)
		if b.token(t, "") != first {
			t.Error("a young token was thrown away")
		}
		b.now = b.now.Add(time.Second)
		if b.token(t, "") == first {
			t.Error("an old token was kept")
		}
	})
	t.Run("it does not outlive the credentials", func(t *testing.T) {
		b := newBench(t)
		b.keys[0].CanExpire, b.keys[0].Expires = true, b.now.Add(3*time.Minute)
		first := b.token(t, "")
		b.now = b.now.Add(3 * time.Minute)
		b.keys[0] = aws.Credentials{AccessKeyID: "AKIATWO", SecretAccessKey: "two"}
		if second := b.token(t, ""); second == first || !strings.Contains(presigned(t, second).RawQuery, "AKIATWO") {
			t.Error("the token of credentials that have ended was kept")
		}
	})
	t.Run("credentials that cannot be had for a while do not end one that is good yet", func(t *testing.T) {
		b := newBench(t)
		first := b.token(t, "")
		b.broken = errors.New("no answer from 169.254.169.254")
		b.now = b.now.Add(tokenLife - time.Second)
		if b.token(t, "") != first {
			t.Error("got another token without credentials")
		}
		b.now = b.now.Add(time.Second)
		if _, err := b.Token(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "169.254.169.254") || !strings.Contains(err.Error(), `"prod"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("one that is refused is made anew from the configuration as it is by now", func(t *testing.T) {
		b := newBench(t)
		first := b.token(t, "")
		b.now = b.now.Add(time.Minute)
		loads := b.loads
		second := b.token(t, first)
		if second == first || b.loads != loads+1 {
			t.Errorf("the same token: %t, %d loads", second == first, b.loads-loads)
		}
		if b.token(t, first) != second || b.loads != loads+1 {
			t.Error("a late refusal of the first token cost the second")
		}
	})
	t.Run("one that is refused at once is not made anew: nothing can have changed", func(t *testing.T) {
		b := newBench(t)
		first := b.token(t, "")
		if b.token(t, first) != first {
			t.Error("got another token")
		}
	})
	t.Run("it is not in what the cluster prints", func(t *testing.T) {
		b := newBench(t)
		token := b.token(t, "")
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(format, b.Cluster); strings.Contains(text, token[:40]) {
				t.Errorf("%q prints the token", format)
			}
		}
	})
	t.Run("callers at the same time get the same one", func(t *testing.T) {
		b := newBench(t)
		tokens := make([]string, 50)
		var all sync.WaitGroup
		for i := range tokens {
			all.Go(func() { tokens[i], _ = b.Token(context.Background(), "") })
		}
		all.Wait()
		if tokens[0] == "" || len(slices.Compact(tokens)) != 1 {
			t.Error("they got different ones, or none")
		}
	})
	t.Run("a caller whose time is over is not kept waiting", func(t *testing.T) {
		b := newBench(t)
		b.busy <- struct{}{}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Token(ctx, ""); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
