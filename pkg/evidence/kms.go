package evidence

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/org/promote/pkg/amazon"
)

const kmsScheme = "awskms://"

// kmsName matches an alias, a key's id (a UUID, or mrk- and 32 digits for keys of several regions), and the ARN of either.
var kmsName = regexp.MustCompile(`^(?:arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(?:key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+|[0-9a-f-]{36}|mrk-[0-9a-f]{32})$`)

// kmsAlgorithms are how each kind of key is used. Ed25519 is missing because KMS signs no more than 4096 bytes with it.
var kmsAlgorithms = map[types.KeySpec]types.SigningAlgorithmSpec{
	types.KeySpecEccNistP256: types.SigningAlgorithmSpecEcdsaSha256,
	types.KeySpecRsa2048:     types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	types.KeySpecRsa3072:     types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	types.KeySpecRsa4096:     types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
}

// OpenKMS gives the AWS KMS key "awskms:///alias/x", "awskms:///arn:aws:kms:…" or "awskms:///<key id>". Credentials and
// endpoint (AWS_ENDPOINT_URL) come from the SDK's usual configuration; the region from the ARN, the argument, or that
// configuration, in this order. The role needs kms:GetPublicKey, and kms:Sign to write statements.
func OpenKMS(ctx context.Context, uri, region string, opts ...func(*config.LoadOptions) error) (*Key, error) {
	name, ok := strings.CutPrefix(uri, kmsScheme+"/")
	form := kmsName.FindStringSubmatch(name)
	if !ok || form == nil {
		return nil, fmt.Errorf("opening KMS key %q: it is not like awskms:///alias/evidence or awskms:///arn:aws:kms:…; an endpoint other than AWS's is set by AWS_ENDPOINT_URL", uri)
	}
	if form[1] != "" {
		region = form[1]
	}
	if region != "" {
		opts = append([]func(*config.LoadOptions) error{config.WithRegion(region)}, opts...)
	}
	cfg, err := amazon.Config(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("opening KMS key %q: loading the AWS configuration: %w", uri, err)
	}
	if cfg.Region == "" {
		return nil, fmt.Errorf("opening KMS key %q: no region is set", uri)
	}
	key, err := openKMS(ctx, kms.NewFromConfig(cfg), name)
	if err != nil {
		return nil, fmt.Errorf("opening KMS key %q in %s: %w", uri, cfg.Region, err)
	}
	return key, nil
}

func openKMS(ctx context.Context, client *kms.Client, name string) (*Key, error) {
	got, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &name})
	if err != nil {
		return nil, kmsError(err, "kms:GetPublicKey")
	}
	algorithm, known := kmsAlgorithms[got.KeySpec]
	if !known || got.KeyUsage != types.KeyUsageTypeSignVerify {
		return nil, fmt.Errorf("it is a %s key for %s; valid are ECC_NIST_P256 and RSA_2048 to RSA_4096 for SIGN_VERIFY", got.KeySpec, got.KeyUsage)
	}
	public, err := x509.ParsePKIXPublicKey(got.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("reading its public half: %w", err)
	}
	key, err := newKey(public)
	if err != nil {
		return nil, err
	}
	key.sign = func(ctx context.Context, message []byte) ([]byte, error) {
		digest := sha256.Sum256(message)
		// By its ARN: an alias that moves meanwhile would sign with another key than the one whose id is written.
		out, err := client.Sign(ctx, &kms.SignInput{KeyId: got.KeyId, Message: digest[:], MessageType: types.MessageTypeDigest, SigningAlgorithm: algorithm})
		if err != nil {
			return nil, fmt.Errorf("signing with KMS key %q: %w", name, kmsError(err, "kms:Sign"))
		}
		return out.Signature, nil
	}
	return key, nil
}

// kmsError names the permission in a denial, since it is the usual cause.
func kmsError(err error, permission string) error {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException" {
		return fmt.Errorf("%s: %s (the role needs %s)", api.ErrorCode(), api.ErrorMessage(), permission)
	}
	return err
}
