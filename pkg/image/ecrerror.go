package image

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// LoginError says that Amazon gave no login for one of its registries.
type LoginError struct {
	Registry string // host
	// Action is what the credentials may not do, as IAM names it; "" when that is not the trouble.
	Action string
	Err    error
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("logging in to registry %q: %v", e.Registry, e.Err)
}

func (e *LoginError) Unwrap() error { return e.Err }

// regionError says that a login is for another region than the registry's.
type regionError struct{ got, want string }

func (e *regionError) Error() string {
	return fmt.Sprintf("AWS answered with a login for region %q, but the registry is in %q; is AWS_ENDPOINT_URL that of another region?", e.got, e.want)
}

// loginError says what is missing for a login.
func loginError(host ecrHost, err error) error {
	action := "ecr:GetAuthorizationToken"
	if host.public {
		action = "ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken"
	}
	switch code := apiCode(err); {
	case denied(code):
		// Resources cannot be named for this action (https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html).
		return &LoginError{Registry: host.name, Action: action, Err: fmt.Errorf("%s (the role needs %s on resource \"*\")", apiText(err), action)}
	case code == "UnrecognizedClientException" || code == "InvalidClientTokenId" || strings.HasPrefix(code, "ExpiredToken"):
		return &LoginError{Registry: host.name, Err: fmt.Errorf("%s (AWS does not take these credentials in region %s: they are wrong or over)", apiText(err), host.region)}
	case code == "InvalidSignatureException" && strings.Contains(err.Error(), "region"):
		return &LoginError{Registry: host.name, Err: fmt.Errorf("%s (the registry's region is %s, and what answers serves another)", apiText(err), host.region)}
	case code == "" && strings.Contains(err.Error(), "get identity: get credentials:"):
		// The SDK has no type for this. What it lists is every place it looked, down to addresses.
		return &LoginError{Registry: host.name, Err: errors.New("there are no AWS credentials here: neither in the environment, nor in a profile, nor from the machine's role, and docker is not logged in to it either")}
	}
	return &LoginError{Registry: host.name, Err: err}
}

// apiCode is the name of the exception that AWS answered with; "" if it did not answer.
func apiCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// apiText is AWS's answer without the SDK's request ids around it.
func apiText(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

func denied(code string) bool { return code == "AccessDeniedException" || code == "AccessDenied" }

// login finds a login's error in what the client library wrapped around it; nil if there is none.
func login(err error) error {
	var failed *LoginError
	if errors.As(err, &failed) {
		return failed
	}
	return nil
}
