package eks

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// What a token is, by https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster:
// the prefix and, in base64, the URL of a signed GetCallerIdentity request that names the cluster in a header.
const (
	tokenPrefix   = "k8s-aws-v1."
	clusterHeader = "X-K8s-Aws-Id"
	// declaredLife is X-Amz-Expires in seconds. STS does not look at it; authenticators take no more than this, or than 900.
	declaredLife = "60"
	// tokenLife is a minute less than the 15 for which STS takes the signature.
	tokenLife = 14 * time.Minute
	// renewAge leaves four minutes to get new credentials should that fail at first, and to a clock that is off.
	renewAge = 10 * time.Minute
	// youngAge is for how long a refused token is not worth another: credentials do not change from one second to the next.
	youngAge = 2 * time.Second
)

// token is one token with its times.
type token struct {
	text string
	// signed is when it was made; from renew on another is made, and from dead on it is not given any more.
	signed, renew, dead time.Time
}

// Token gives a bearer token that is valid for minutes. refused is one that the API server has not taken, or "": another is
// given instead, made from what the AWS configuration holds by now, unless the refused one is only seconds old.
func (c *Cluster) Token(ctx context.Context, refused string) (string, error) {
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	now, old := c.clock(), c.current
	again := old != nil && refused == old.text
	if again && now.Sub(old.signed) < youngAge || !again && old != nil && now.Before(old.renew) {
		return old.text, nil
	}
	made, err := c.renew(ctx, now, again)
	if err == nil {
		c.current = made
		return made.text, nil
	}
	if old != nil && !again && now.Before(old.dead) {
		// The credentials may be there again at the next request.
		return old.text, nil
	}
	return "", fmt.Errorf("making a token for EKS cluster %q: %w", c.Name, err)
}

// renew signs a token; anew reads the AWS configuration again first.
func (c *Cluster) renew(ctx context.Context, now time.Time, anew bool) (*token, error) {
	if anew {
		loaded, err := c.load(ctx)
		if err != nil {
			return nil, err
		}
		c.aws = loaded
	}
	credentials, err := c.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting AWS credentials: %w", err)
	}
	url, err := c.sign(ctx, now, credentials)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	t := &token{
		text:   tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(url)),
		signed: now, renew: now.Add(renewAge), dead: now.Add(tokenLife),
	}
	if credentials.CanExpire && credentials.Expires.Before(t.renew) {
		t.renew = credentials.Expires
	}
	return t, nil
}

// sign gives the URL. It names STS by its public address in the region, whatever endpoint this process is to use: EKS opens
// it, not we, and takes no other host.
func (c *Cluster) sign(ctx context.Context, now time.Time, credentials aws.Credentials) (string, error) {
	client := sts.NewFromConfig(c.aws, func(o *sts.Options) {
		o.Region = c.Region
		o.BaseEndpoint = nil
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateDisabled
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil })
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Build.Add(tokenHeaders(c.Name), middleware.After)
		})
	})
	presigner := sts.NewPresignClient(client, func(o *sts.PresignOptions) { o.Presigner = at{now, v4.NewSigner()} })
	signed, err := presigner.PresignGetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return signed.URL, nil
}

// tokenHeaders adds what makes the request a token for one cluster. The signer moves X-Amz-Expires into the URL.
func tokenHeaders(cluster string) middleware.BuildMiddleware {
	return middleware.BuildMiddlewareFunc("tokenHeaders", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			r.Header.Set(clusterHeader, cluster)
			r.Header.Set("X-Amz-Expires", declaredLife)
		}
		return next.HandleBuild(ctx, in)
	})
}

// at signs with a time of ours.
type at struct {
	now    time.Time
	signer *v4.Signer
}

func (a at) PresignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time,
	options ...func(*v4.SignerOptions),
) (string, http.Header, error) {
	return a.signer.PresignHTTP(ctx, credentials, r, payloadHash, service, region, a.now, options...)
}
