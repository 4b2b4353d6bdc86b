package eks

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/smithy-go"
)

// serving are the states in which the API server answers. UPDATING is one: EKS replaces one instance of it after the other,
// and a rollback must not wait for that.
var serving = []types.ClusterStatus{types.ClusterStatusActive, types.ClusterStatusUpdating}

// describe asks EKS for what a connection takes.
func (c *Cluster) describe(ctx context.Context) error {
	out, err := eks.NewFromConfig(c.aws).DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(c.Name)})
	if err != nil {
		return fmt.Errorf("looking up EKS cluster %q in %s: %w", c.Name, c.Region, c.explain(err))
	}
	if err := c.take(out.Cluster); err != nil {
		return fmt.Errorf("looking up EKS cluster %q in %s: %w", c.Name, c.Region, err)
	}
	return nil
}

// take checks and keeps what EKS says of the cluster.
func (c *Cluster) take(found *types.Cluster) error {
	if found == nil {
		return errors.New("the answer holds no cluster")
	}
	if !slices.Contains(serving, found.Status) {
		return fmt.Errorf("it is %s, not ACTIVE%s", found.Status, issues(found.Health))
	}
	c.Endpoint = aws.ToString(found.Endpoint)
	if !strings.HasPrefix(c.Endpoint, "https://") {
		return fmt.Errorf("its endpoint is %q, want https://…", c.Endpoint)
	}
	if found.CertificateAuthority != nil {
		// What cannot be decoded has no PEM in it either.
		c.CA, _ = base64.StdEncoding.DecodeString(aws.ToString(found.CertificateAuthority.Data))
	}
	if block, _ := pem.Decode(c.CA); block == nil {
		return errors.New("the answer holds no certificate authority in PEM; without it the API server could be anybody")
	}
	c.mapped = found.AccessConfig != nil && found.AccessConfig.AuthenticationMode == types.AuthenticationModeConfigMap
	c.Reach = reach(c.Name, found.ResourcesVpcConfig)
	return nil
}

// issues are what EKS itself says is wrong with the cluster.
func issues(health *types.ClusterHealth) string {
	var all []string
	if health != nil {
		for _, i := range health.Issues {
			all = append(all, fmt.Sprintf("%s: %s", i.Code, aws.ToString(i.Message)))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}

// reach says from where the endpoint can be reached; "" is from everywhere.
func reach(name string, vpc *types.VpcConfigResponse) string {
	if vpc == nil {
		return ""
	}
	inside := fmt.Sprintf("a runner inside %s, whose traffic to port 443 the cluster's security group %s lets in",
		orUnknown(aws.ToString(vpc.VpcId), "its VPC"), orUnknown(aws.ToString(vpc.ClusterSecurityGroupId), ""))
	limited := len(vpc.PublicAccessCidrs) > 0 && !slices.Contains(vpc.PublicAccessCidrs, "0.0.0.0/0")
	switch {
	case !vpc.EndpointPublicAccess:
		return fmt.Sprintf("the endpoint of EKS cluster %q is private: run the job on %s", name, inside)
	case limited && vpc.EndpointPrivateAccess:
		return fmt.Sprintf("the endpoint of EKS cluster %q is open to %s only, and privately: run the job on a runner behind these addresses, or on %s",
			name, strings.Join(vpc.PublicAccessCidrs, ", "), inside)
	case limited:
		return fmt.Sprintf("the endpoint of EKS cluster %q is open to %s only: run the job on a runner that leaves through these addresses",
			name, strings.Join(vpc.PublicAccessCidrs, ", "))
	}
	return ""
}

func orUnknown(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// explain adds to AWS's error what to do about it.
func (c *Cluster) explain(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("%w (a runner without a way out needs the interface endpoint com.amazonaws.%s.eks in its VPC)", err, c.Region)
	}
	said := fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	switch api.ErrorCode() {
	case "ResourceNotFoundException":
		return fmt.Errorf("%w (wrong account, region or name?)", said)
	case "AccessDeniedException", "AccessDenied":
		return fmt.Errorf("%w (the role needs eks:DescribeCluster on this cluster)", said)
	}
	if dead(api.ErrorCode()) {
		return fmt.Errorf("%w (%s)", said, renewCredentials)
	}
	return said
}
