package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
)

// AWS resolves refs in Secrets Manager and Parameter Store of one account and region.
type AWS struct {
	secrets    *secretsmanager.Client
	parameters *ssm.Client
}

// NewAWS returns a resolver with the SDK's usual configuration: credentials from its chain, endpoints from AWS_ENDPOINT_URL
// and its kin, three attempts a call. An empty region leaves the choice to that configuration.
func NewAWS(ctx context.Context, region string, opts ...func(*config.LoadOptions) error) (*AWS, error) {
	if region != "" {
		opts = append([]func(*config.LoadOptions) error{config.WithRegion(region)}, opts...)
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("loading the AWS configuration: no region is set")
	}
	return &AWS{secrets: secretsmanager.NewFromConfig(cfg), parameters: ssm.NewFromConfig(cfg)}, nil
}

// found is what a store answered for one id, before a JSON key is picked from it.
type found struct {
	data    []byte
	version string
}

// Resolve looks up every ref. Each id is read once; every ref that cannot be answered is named in the error.
func (a *AWS) Resolve(ctx context.Context, refs []Ref) (map[Ref]Value, error) {
	var problems []error
	for _, ref := range refs {
		if err := ref.Check(); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	answers := map[Kind]map[string]found{}
	for kind, read := range map[Kind]func(context.Context, []string) (map[string]found, []error){
		Secret: a.readSecrets, Param: a.readParameters,
	} {
		answered, failed := read(ctx, ids(refs, kind))
		answers[kind], problems = answered, append(problems, failed...)
	}
	values := make(map[Ref]Value, len(refs))
	for _, ref := range slices.SortedFunc(slices.Values(refs), Ref.Compare) {
		answer, ok := answers[ref.Kind][ref.ID]
		if _, done := values[ref]; done || !ok {
			continue // A missing id is already named, once, among the problems.
		}
		data := answer.data
		if ref.Key != "" {
			var err error
			if data, err = pick(answer.data, ref.Key); err != nil {
				problems = append(problems, fmt.Errorf("looking up %s %q: %w", ref.Kind, ref.ID, err))
				continue
			}
		}
		values[ref] = Value{Data: data, Version: answer.version}
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(x, y error) int { return cmpText(x, y) })
		return nil, errors.Join(problems...)
	}
	return values, nil
}

// callError describes a call that failed as a whole. A denial names the permission, since it is the usual cause.
func callError(err error, kind Kind, ids []string, permission string) error {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "AccessDeniedException" || api.ErrorCode() == "AccessDenied") {
		return fmt.Errorf("looking up %s: %s: %s (the role needs %s)", quoteAll(kind, ids), api.ErrorCode(), api.ErrorMessage(),
			permission)
	}
	return fmt.Errorf("looking up %s: %w", quoteAll(kind, ids), err)
}
