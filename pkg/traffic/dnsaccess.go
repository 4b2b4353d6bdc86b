package traffic

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/smithy-go"
)

// What the role of the job must be allowed to do; docs/route53-policy.json is the policy.
const (
	getZone           = "route53:GetHostedZone"
	listRecords       = "route53:ListResourceRecordSets"
	changeRecords     = "route53:ChangeResourceRecordSets"
	getChange         = "route53:GetChange"
	describeBalancers = "elasticloadbalancing:DescribeLoadBalancers"
	describeGroups    = "elasticloadbalancing:DescribeTargetGroups"
	describeHealth    = "elasticloadbalancing:DescribeTargetHealth"
)

// explain says what was being done when AWS answered with an error, and names the right that is missing.
func explain(doing, action string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		err = said{api}
	}
	if denied(err) {
		return fmt.Errorf("%s: the job's role may not %s; docs/route53.md has the policy that it needs: %w", doing, action, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// said is AWS's error without what the SDK puts around it.
type said struct{ smithy.APIError }

func (s said) Error() string { return s.ErrorCode() + ": " + s.ErrorMessage() }
func (s said) Unwrap() error { return s.APIError }

func denied(err error) bool {
	return is(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
}

// is says whether AWS answered with one of the codes.
func is(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}
