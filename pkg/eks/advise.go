package eks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// askTime bounds the question who we are: it only makes an error better.
const askTime = 5 * time.Second

// group is the Kubernetes group that docs/eks.md binds to the Role.
const group = "promote"

const renewCredentials = "the job's AWS credentials are not valid, or not any more: get them anew in a step before this one, and for longer, such as `role-duration-seconds` of aws-actions/configure-aws-credentials"

// dead says that an error of AWS's means the credentials themselves.
func dead(code string) bool {
	return slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"}, code)
}

// Advise says what lets the caller in after the API server has answered 401, or what gives it rights after a 403.
func (c *Cluster) Advise(ctx context.Context, status int) string {
	principal, err := c.principal(ctx)
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && dead(api.ErrorCode()):
		return fmt.Sprintf("%s: %s: %s", api.ErrorCode(), api.ErrorMessage(), renewCredentials)
	case err != nil:
		// It is only not known who we are.
		principal = "<ARN of the job's role, as `aws sts get-caller-identity` prints it>"
	}
	with := fmt.Sprintf("--region %s --cluster-name %s --principal-arn '%s' --kubernetes-groups %s", c.Region, c.Name, principal, group)
	if status == http.StatusForbidden {
		return fmt.Sprintf("EKS cluster %q lets %s in and gives it no such right: add group %s to its access entry (`aws eks update-access-entry %s`, which replaces the groups it has), and bind it to the Role (docs/eks.md)", c.Name, principal, group, with)
	}
	enable := ""
	if c.mapped {
		enable = fmt.Sprintf("`aws eks update-cluster-config --region %s --name %s --access-config authenticationMode=API_AND_CONFIG_MAP`, then ", c.Region, c.Name)
	}
	return fmt.Sprintf("EKS cluster %q does not let %s in; if it has no access entry: %s`aws eks create-access-entry %s` (docs/eks.md)", c.Name, principal, enable, with)
}

// principal is the ARN that an access entry for the caller names.
func (c *Cluster) principal(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	select {
	case c.busy <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	cfg := c.aws
	<-c.busy
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return principalOf(aws.ToString(out.Arn)), nil
}

// principalOf makes the role of an assumed role: arn:aws:sts::1:assumed-role/runner/session is arn:aws:iam::1:role/runner. The
// path that a role may have is not in there.
func principalOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] != "sts" {
		return arn
	}
	role := strings.Split(parts[5], "/")
	if role[0] != "assumed-role" || len(role) < 2 {
		return arn
	}
	return strings.Join([]string{parts[0], parts[1], "iam", "", parts[4], "role/" + role[1]}, ":")
}
