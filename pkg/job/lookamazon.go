package job

import (
	"context"
	"errors"
	"strings"

	"github.com/org/promote/pkg/amazon"
	"github.com/org/promote/pkg/preflight"
)

// lookAtAmazon says who the job is. A run needs a region in any case; who it is matters where something asks AWS.
func (p *Preflight) lookAtAmazon(ctx context.Context) []preflight.Finding {
	asks := p.asksAmazon()
	region, err := amazon.Region(ctx, p.in.AWSRegion)
	switch {
	case errors.Is(err, amazon.ErrNoRegion):
		return []preflight.Finding{{
			Subject: "region", State: preflight.Wrong, Told: "nothing names one", Fix: "set the input `aws-region`, or `AWS_REGION` on the runner",
		}}
	case err != nil:
		return []preflight.Finding{{Subject: "configuration", State: preflight.Wrong, Told: err.Error(), Fix: "mend the runner's AWS configuration"}}
	case len(asks) == 0:
		return []preflight.Finding{{Subject: "region", State: preflight.Good, Told: region + "; nothing of this run asks AWS"}}
	}
	who, err := amazon.Who(ctx, p.in.AWSRegion)
	found := preflight.Finding{Subject: "identity", State: preflight.Good, Told: who.ARN + " in " + region + ", for " + strings.Join(asks, ", ")}
	switch {
	case errors.Is(err, amazon.ErrCredentials):
		found.State, found.Told = preflight.Wrong, err.Error()+"; needed for "+strings.Join(asks, ", ")
		found.Fix = "get credentials in a step before this one: `aws-actions/configure-aws-credentials` with `role-to-assume`, and `id-token: write` in the job's `permissions:`"
	case err != nil: // a VPC need not have a way to STS; what needs AWS says for itself whether it is answered
		found.State, found.Told = preflight.Unknown, err.Error()
	}
	return []preflight.Finding{found}
}

// asksAmazon names what of the run asks AWS.
func (p *Preflight) asksAmazon() []string {
	var asks []string
	if len(p.sketch.Refs) > 0 {
		asks = append(asks, "the values that the manifests look up")
	}
	if p.in.Cluster != "" {
		asks = append(asks, "the EKS cluster")
	}
	if isECR(p.in.Image) {
		asks = append(asks, "the registry")
	}
	if strings.HasPrefix(p.in.EvidenceKey, "awskms:") {
		asks = append(asks, "the evidence key")
	}
	return append(asks, p.about.Amazon...)
}
