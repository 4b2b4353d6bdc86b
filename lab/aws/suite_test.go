package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/org/promote/pkg/secrets"
)

// TestTheSuiteAgainstTheDouble looks values up as promote does.
func TestTheSuiteAgainstTheDouble(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.server.AddKey(Key{AccessKey: "AKIAPROD", SecretKey: "prod-key", Allow: []string{"prod/", "/prod/"}}))
	var refs []secrets.Ref
	for i := range 45 {
		name := fmt.Sprintf("prod/%d", i)
		_, err := w.server.PutSecret(name, fmt.Sprintf(`{"password":"value %d"}`, i))
		check(t, err)
		refs = append(refs, secrets.Ref{Kind: secrets.Secret, ID: name, Key: "password"}, secrets.Ref{Kind: secrets.Secret, ID: name})
	}
	_, err := w.server.PutParameter("/prod/limit", "10", String)
	check(t, err)
	refs = append(refs, secrets.Ref{Kind: secrets.Param, ID: "/prod/limit"})
	w.config("eu-central-1", root) // for the environment it sets
	store, err := secrets.NewAWS(t.Context(), "eu-central-1", config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIAPROD", "prod-key", "")))
	check(t, err)

	t.Run("each secret is asked for once, twenty at a time", func(t *testing.T) {
		values, err := store.Resolve(t.Context(), refs)
		check(t, err)
		if got := string(values[refs[88]].Data); got != "value 44" || values[refs[88]].Version == "" {
			t.Errorf("got %q of version %q", got, values[refs[88]].Version)
		}
		if got := string(values[refs[90]].Data); got != "10" {
			t.Errorf("the parameter is %q", got)
		}
		asked := map[string]int{}
		for _, r := range w.server.Requests() {
			for _, name := range r.Names {
				asked[name]++
			}
			if len(r.Names) > 20 || r.Status != 200 {
				t.Errorf("got %v", r)
			}
		}
		if len(asked) != 46 {
			t.Errorf("%d names were asked for, want 46", len(asked))
		}
		for name, times := range asked {
			if times != 1 {
				t.Errorf("%s was asked for %d times", name, times)
			}
		}
	})
	t.Run("everything that is missing or forbidden is in one error, without any value", func(t *testing.T) {
		_, err := w.server.PutSecret("stage/a", "hidden value")
		check(t, err)
		_, err = store.Resolve(t.Context(), append(refs,
			secrets.Ref{Kind: secrets.Secret, ID: "prod/none"}, secrets.Ref{Kind: secrets.Secret, ID: "stage/a"}, secrets.Ref{Kind: secrets.Param, ID: "/prod/none"}))
		if err == nil {
			t.Fatal("nothing was missing")
		}
		for _, want := range []string{"prod/none", "stage/a", "/prod/none", "AccessDenied"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not name %q", err, want)
			}
		}
		if strings.Contains(err.Error(), "value 1") || strings.Contains(err.Error(), "hidden value") {
			t.Errorf("%q holds a value", err)
		}
	})
	t.Run("throttling is waited out", func(t *testing.T) {
		w.server.Throttle(1)
		_, err := store.Resolve(t.Context(), refs[:1])
		check(t, err)
	})
}
