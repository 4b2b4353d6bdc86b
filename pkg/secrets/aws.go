package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/org/promote/pkg/amazon"
)

// AWS resolves refs in Secrets Manager and Parameter Store of one account and region.
type AWS struct {
	secrets *secretsmanager.Client
	// getParameters is the one operation of SSM's client, which itself must not be reachable by reflection: a program with templates in it
	// keeps every method of what is, here a hundred and fifty operations.
	getParameters func(context.Context, *ssm.GetParametersInput, ...func(*ssm.Options)) (*ssm.GetParametersOutput, error)
}

// NewAWS returns a resolver with the SDK's usual configuration: credentials from its chain, endpoints from AWS_ENDPOINT_URL
// and its kin, three attempts a call. An empty region leaves the choice to that configuration.
func NewAWS(ctx context.Context, region string, opts ...func(*config.LoadOptions) error) (*AWS, error) {
	if region != "" {
		opts = append([]func(*config.LoadOptions) error{config.WithRegion(region)}, opts...)
	}
	cfg, err := amazon.Config(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("loading the AWS configuration: no region is set")
	}
	return &AWS{secrets: secretsmanager.NewFromConfig(cfg), getParameters: ssm.NewFromConfig(cfg).GetParameters}, nil
}

// found is what a store answered for one id, before a JSON key is picked from it.
type found struct {
	data    []byte
	version string
	// binary says that the store holds bytes and not text.
	binary bool
}

// value is what found is for ref.
func (f found) value(ref Ref) (Value, error) {
	if ref.Key == "" {
		return Value{Data: f.data, Version: f.version, Binary: f.binary}, nil
	}
	if f.binary {
		return Value{}, fmt.Errorf("looking up %s %q: it holds binary data (SecretBinary), which has no keys, but key %q is asked for; "+
			"keep JSON as text (SecretString)", ref.Kind, ref.ID, ref.Key)
	}
	data, err := pick(f.data, ref.Key)
	if err != nil {
		return Value{}, fmt.Errorf("looking up %s %q: %w", ref.Kind, ref.ID, err)
	}
	return Value{Data: data, Version: f.version}, nil
}

// Resolve looks up every ref. Each id is read once, 20 secrets or 10 parameters a call and several calls at once; every ref
// that cannot be answered is named in the error.
func (a *AWS) Resolve(ctx context.Context, refs []Ref) (map[Ref]Value, error) {
	if err := checkAll(refs); err != nil {
		return nil, err
	}
	var fromSecrets, fromParameters map[string]found
	var noSecret, noParameter []error
	var both sync.WaitGroup
	both.Go(func() { fromSecrets, noSecret = a.readSecrets(ctx, ids(refs, Secret)) })
	both.Go(func() { fromParameters, noParameter = a.readParameters(ctx, ids(refs, Param)) })
	both.Wait()
	return gather(refs, func(ref Ref) (found, bool) {
		if ref.Kind == Secret {
			answer, ok := fromSecrets[ref.ID]
			return answer, ok
		}
		answer, ok := fromParameters[ref.ID]
		return answer, ok
	}, slices.Concat(noSecret, noParameter))
}

// checkAll names every ref that cannot name anything.
func checkAll(refs []Ref) error {
	var problems []error
	for _, ref := range refs {
		problems = append(problems, ref.Check())
	}
	return errors.Join(problems...)
}

// gather makes the values of refs from what the stores answered, or one error of all problems.
func gather(refs []Ref, answered func(Ref) (found, bool), problems []error) (map[Ref]Value, error) {
	values := make(map[Ref]Value, len(refs))
	for _, ref := range slices.Compact(slices.SortedFunc(slices.Values(refs), Ref.Compare)) {
		answer, ok := answered(ref)
		if !ok {
			continue // A missing id is already named, once, among the problems.
		}
		value, err := answer.value(ref)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		values[ref] = value
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, cmpText)
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
