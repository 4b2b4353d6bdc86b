package image

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"

	"github.com/org/promote/pkg/amazon"
)

// ecrLoginTime bounds getting a login. A machine that is not in AWS and has no credentials waits a few seconds for the
// instance's metadata before it knows.
const ecrLoginTime = 20 * time.Second

// ecrToken is a login: the password of the user AWS. It is valid for 12 hours, or for as long as the credentials are.
type ecrToken struct {
	user, password string
	expires        time.Time
}

// ecrClient gives a client for the API of a registry's region, and the region that the machine is set up for. Which region
// counts is in the registry's name, so that a wrong AWS_REGION does no harm.
func ecrClient(ctx context.Context, host ecrHost) (client *ecr.Client, configured string, err error) {
	cfg, err := ecrConfig(ctx, host)
	if err != nil {
		return nil, "", err
	}
	configured, cfg.Region = cfg.Region, host.region
	return ecr.NewFromConfig(cfg, func(o *ecr.Options) {
		if o.BaseEndpoint != nil { // it was said where the API is; the SDK refuses both
			return
		}
		if host.fips {
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}
		if host.dual {
			o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
		}
	}), configured, nil
}

func ecrConfig(ctx context.Context, host ecrHost) (aws.Config, error) {
	// The region as default too, because getting credentials may need one.
	cfg, err := amazon.Config(ctx, config.WithDefaultRegion(host.region))
	if err != nil {
		return aws.Config{}, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	return cfg, nil
}

// fetchECRToken logs in. Its errors are *[LoginError].
func fetchECRToken(ctx context.Context, host ecrHost) (ecrToken, error) {
	ctx, cancel := context.WithTimeout(ctx, ecrLoginTime)
	defer cancel()
	token, err := askECRToken(ctx, host)
	if err != nil {
		return ecrToken{}, loginError(host, err)
	}
	return token, nil
}

func askECRToken(ctx context.Context, host ecrHost) (ecrToken, error) {
	if host.public {
		return askPublicToken(ctx, host)
	}
	client, _, err := ecrClient(ctx, host)
	if err != nil {
		return ecrToken{}, err
	}
	out, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return ecrToken{}, err
	}
	if len(out.AuthorizationData) != 1 {
		return ecrToken{}, fmt.Errorf("the answer has %d logins, want 1", len(out.AuthorizationData))
	}
	data := out.AuthorizationData[0]
	// A login is good for the registries of other accounts too, if their policies allow it, but for one region alone.
	if where, ok := parseECR(strings.TrimPrefix(aws.ToString(data.ProxyEndpoint), "https://")); ok && where.region != host.region {
		return ecrToken{}, &regionError{got: where.region, want: host.region}
	}
	return readECRToken(data.AuthorizationToken, data.ExpiresAt)
}

func askPublicToken(ctx context.Context, host ecrHost) (ecrToken, error) {
	cfg, err := ecrConfig(ctx, host)
	if err != nil {
		return ecrToken{}, err
	}
	cfg.Region = publicECRRegion
	out, err := ecrpublic.NewFromConfig(cfg).GetAuthorizationToken(ctx, &ecrpublic.GetAuthorizationTokenInput{})
	if err != nil {
		return ecrToken{}, err
	}
	if out.AuthorizationData == nil {
		return ecrToken{}, errors.New("the answer has no login")
	}
	return readECRToken(out.AuthorizationData.AuthorizationToken, out.AuthorizationData.ExpiresAt)
}

// readECRToken takes base64 of "AWS:password" apart.
func readECRToken(encoded *string, expires *time.Time) (ecrToken, error) {
	text, err := base64.StdEncoding.DecodeString(aws.ToString(encoded))
	if err != nil {
		return ecrToken{}, errors.New("the login in the answer is not base64") // without the error, which would quote it
	}
	user, password, found := strings.Cut(string(text), ":")
	if !found || user == "" || password == "" || expires == nil {
		return ecrToken{}, errors.New("the login in the answer is not user:password with an end")
	}
	return ecrToken{user: user, password: password, expires: *expires}, nil
}
