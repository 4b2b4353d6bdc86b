package amazon

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWho(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "very-secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
	} {
		t.Setenv(name, value)
	}
	status, body := http.StatusOK, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::1234:assumed-role/runner/x</Arn><UserId>u</UserId><Account>1234</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if form, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(form), "Action=GetCallerIdentity") {
			t.Errorf("asked %q, %v", form, err)
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer s.Close()
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	if got, err := Who(t.Context(), "eu-west-1"); err != nil || got != (Caller{ARN: "arn:aws:sts::1234:assumed-role/runner/x", Account: "1234", Region: "eu-west-1"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := Who(t.Context(), ""); !errors.Is(err, ErrNoRegion) {
		t.Errorf("got %v, want %v", err, ErrNoRegion)
	}
	status, body = http.StatusForbidden, `<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>`
	if got, err := Who(t.Context(), "eu-west-1"); !errors.Is(err, ErrCredentials) || !strings.Contains(err.Error(), "ExpiredToken: The security token") || strings.Contains(err.Error(), "very-secret") || got.Region != "eu-west-1" {
		t.Errorf("got %+v, %v", got, err)
	}
	body = `<ErrorResponse><Error><Type>Sender</Type><Code>RegionDisabledException</Code><Message>STS is not activated</Message></Error></ErrorResponse>`
	if _, err := Who(t.Context(), "eu-west-1"); err == nil || errors.Is(err, ErrCredentials) {
		t.Errorf("got %v, which says nothing of the credentials", err)
	}
	s.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if _, err := Who(t.Context(), "eu-west-1"); !errors.Is(err, ErrCredentials) {
		t.Errorf("got %v, want %v", err, ErrCredentials)
	}
}
