package secrets

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThePolicyInTheDocsAllowsWhatIsCalledAndNoMore(t *testing.T) {
	page, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```json\n")
	block, _, _ = strings.Cut(block, "```")
	var policy struct{ Statement []struct{ Action string } }
	if err := json.Unmarshal([]byte(block), &policy); err != nil {
		t.Fatalf("reading the policy: %v", err)
	}
	var allowed []string
	for _, statement := range policy.Statement {
		allowed = append(allowed, statement.Action)
	}
	// What the double saw, under the names that IAM has for it; decryption happens inside the stores.
	s := newStore(t)
	s.secret("a", "1", "v1")
	s.secret("a", "2", "v2")
	s.param("/p", "x", 1)
	if _, err := s.resolveAt(map[Ref]string{secretRef("a"): "v1", paramRef("/p"): "1@1700000000500"}); err != nil {
		t.Fatal(err)
	}
	called := []string{"kms:Decrypt"}
	for _, call := range s.calls {
		service := "secretsmanager:"
		if strings.Contains(call.action, "Parameter") {
			service = "ssm:"
		}
		called = append(called, service+call.action)
	}
	slices.Sort(allowed)
	slices.Sort(called)
	if diff := cmp.Diff(slices.Compact(called), allowed); diff != "" {
		t.Errorf("the policy differs (-called +allowed):\n%s", diff)
	}
}
