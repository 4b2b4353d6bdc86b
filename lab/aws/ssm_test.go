package aws

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

func TestParameters(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.server.AddKey(Key{AccessKey: "AKIAPROD", SecretKey: "prod-key", Allow: []string{"/prod/"}}))
	for _, p := range []struct{ name, value, kind string }{
		{"/prod/limit", "10", String}, {"/prod/limit", "20", String}, {"/prod/key", "s3cret", SecureString}, {"/stage/limit", "5", String},
	} {
		_, err := w.server.PutParameter(p.name, p.value, p.kind)
		check(t, err)
	}
	c := w.parameters(Key{AccessKey: "AKIAPROD", SecretKey: "prod-key"})
	get := func(name string, decrypt bool) (string, error) {
		out, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: &decrypt})
		if err != nil {
			return "", err
		}
		return sdk.ToString(out.Parameter.Value), nil
	}

	check(t, w.server.LabelParameter("/prod/limit", 1, "stable"))
	t.Run("the newest version is what one gets, an older one by its number or label", func(t *testing.T) {
		for name, want := range map[string]string{
			"/prod/limit": "20", "/prod/limit:1": "10", "/prod/limit:stable": "10", "arn:aws:ssm:us-east-1:000000000000:parameter/prod/limit": "20",
		} {
			if got, err := get(name, false); err != nil || got != want {
				t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
			}
		}
	})
	t.Run("a secure string is only had by asking for decryption", func(t *testing.T) {
		sealed, err := get("/prod/key", false)
		check(t, err)
		open, err := get("/prod/key", true)
		check(t, err)
		if sealed == "s3cret" || open != "s3cret" {
			t.Errorf("sealed %q, open %q", sealed, open)
		}
	})
	t.Run("what is not there has exceptions of its own", func(t *testing.T) {
		_, err := get("/prod/none", false)
		wantError(t, err, "ParameterNotFound", "")
		_, err = get("/prod/limit:7", false)
		wantError(t, err, "ParameterVersionNotFound", "")
	})
	t.Run("a list names what is invalid", func(t *testing.T) {
		out, err := c.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"/prod/limit", "/prod/none", "/prod/limit:7", "/prod/key"}, WithDecryption: sdk.Bool(true)})
		check(t, err)
		got := map[string]string{}
		for _, p := range out.Parameters {
			got[sdk.ToString(p.Name)] = fmt.Sprintf("%s %s %d", p.Type, sdk.ToString(p.Value), p.Version)
		}
		if diff := cmp.Diff(map[string]string{"/prod/limit": "String 20 2", "/prod/key": "SecureString s3cret 1"}, got); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"/prod/none", "/prod/limit:7"}, out.InvalidParameters); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("one that the policy does not allow fails the whole list", func(t *testing.T) {
		_, err := c.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"/prod/limit", "/stage/limit"}})
		wantError(t, err, "AccessDeniedException", "parameter/stage/limit")
	})
	t.Run("ten are taken, eleven are not", func(t *testing.T) {
		var names []string
		for i := range 11 {
			names = append(names, fmt.Sprintf("/prod/%d", i))
		}
		_, err := c.GetParameters(t.Context(), &ssm.GetParametersInput{Names: names[:10]})
		check(t, err)
		_, err = c.GetParameters(t.Context(), &ssm.GetParametersInput{Names: names})
		wantError(t, err, "ValidationException", "less than or equal to 10")
	})
	t.Run("what Parameter Store cannot hold is not put", func(t *testing.T) {
		for _, bad := range [][3]string{{"", "x", String}, {"a:b", "x", String}, {"a", "", String}, {"a", "x", "Number"}} {
			if _, err := w.server.PutParameter(bad[0], bad[1], bad[2]); err == nil {
				t.Errorf("%q was put", bad)
			}
		}
	})
}
