package metrics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/org/promote/pkg/amazon"
)

// promService is the name of Amazon Managed Service for Prometheus in signatures:
// https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-APIReference.html
const promService = "aps"

// SigV4 signs requests to Amazon Managed Service for Prometheus with the job's AWS credentials, which are renewed as they run
// out.
type SigV4 struct {
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
}

// NewSigV4 loads the AWS configuration. region is the workspace's; empty is that of the configuration.
func NewSigV4(ctx context.Context, region string, opts ...func(*config.LoadOptions) error) (*SigV4, error) {
	if region != "" {
		opts = append([]func(*config.LoadOptions) error{config.WithRegion(region)}, opts...)
	}
	cfg, err := amazon.Config(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("signing for Amazon Managed Service for Prometheus: no region is set")
	}
	return &SigV4{region: cfg.Region, credentials: cfg.Credentials, signer: v4.NewSigner()}, nil
}

// sign adds the signature; it covers the body, which can be read twice by now: see rewindable.
func (s *SigV4) sign(req *http.Request) error {
	sum := sha256.New()
	if req.Body != nil && req.Body != http.NoBody {
		body, err := req.GetBody()
		if err != nil {
			return fmt.Errorf("signing a request: %w", err)
		}
		if _, err := io.Copy(sum, body); err != nil {
			return fmt.Errorf("signing a request: %w", err)
		}
	}
	credentials, err := s.credentials.Retrieve(req.Context())
	if err != nil {
		return fmt.Errorf("getting AWS credentials: %w", err)
	}
	// A header without a value is a note to net/http and is not sent; a signature over it would not hold.
	for name, values := range req.Header {
		if len(values) == 0 {
			delete(req.Header, name)
			defer func() { req.Header[name] = nil }()
		}
	}
	return s.signer.SignHTTP(req.Context(), credentials, req, hex.EncodeToString(sum.Sum(nil)), promService, s.region, time.Now())
}
