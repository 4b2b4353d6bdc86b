package amazon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// Caller is who requests to AWS come from.
type Caller struct {
	// ARN names the identity: arn:aws:sts::<account>:assumed-role/<role>/<session> for a role.
	ARN, Account string
	// Region is where requests go.
	Region string
}

// Who asks STS who requests come from, which every identity may ask. An empty region leaves it to the SDK's configuration. The error is an
// [ErrCredentials] when there are none, or none that AWS takes.
func Who(ctx context.Context, region string) (Caller, error) {
	cfg, err := configIn(ctx, region)
	if err != nil {
		return Caller{}, err
	}
	who := Caller{Region: cfg.Region}
	const doing = "asking AWS who this job is"
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return who, fmt.Errorf("%s: %w: %w", doing, ErrCredentials, err)
	}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	var said smithy.APIError
	switch {
	case errors.As(err, &said) && slices.Contains(dead, said.ErrorCode()):
		return who, fmt.Errorf("%s: %w: %s: %s", doing, ErrCredentials, said.ErrorCode(), said.ErrorMessage())
	case errors.As(err, &said):
		return who, fmt.Errorf("%s: %s: %s", doing, said.ErrorCode(), said.ErrorMessage())
	case err != nil:
		return who, fmt.Errorf("%s: %w", doing, err)
	}
	who.ARN, who.Account = aws.ToString(out.Arn), aws.ToString(out.Account)
	return who, nil
}

// Region is where requests go: the given one, or the SDK's configuration's. It asks nobody.
func Region(ctx context.Context, region string) (string, error) {
	cfg, err := configIn(ctx, region)
	return cfg.Region, err
}

var (
	// ErrNoRegion says that nothing names a region.
	ErrNoRegion = errors.New("no region is set")
	// ErrCredentials says that there are no credentials, or that AWS does not take them.
	ErrCredentials = errors.New("no valid credentials")
)

// dead are STS' words for credentials that are not valid, or not any more.
var dead = []string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"}

func configIn(ctx context.Context, region string) (aws.Config, error) {
	var opts []func(*config.LoadOptions) error
	if region != "" {
		opts = append(opts, config.WithRegion(region))
	}
	cfg, err := Config(ctx, opts...)
	if err == nil && cfg.Region == "" {
		err = ErrNoRegion
	}
	if err != nil {
		return cfg, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	return cfg, nil
}
