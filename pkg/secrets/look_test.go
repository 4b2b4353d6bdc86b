package secrets

import (
	"strings"
	"testing"
)

func TestLookSaysOfEachRefWhetherItCanBeReadAndShowsNoValue(t *testing.T) {
	s := newStore(t)
	s.secret("checkout/db", `{"password": "hunter2-hunter2"}`, "v1")
	s.param("/checkout/limit", "very-long-parameter", 3)
	s.failing = map[string]string{"checkout/locked": "AccessDeniedException", "checkout/sealed": "DecryptionFailure", "checkout/gone": "ResourceNotFoundException"}
	refs := []Ref{
		secretRef("checkout/db", "password"), secretRef("checkout/db", "user"), secretRef("checkout/gone", "a"), secretRef("checkout/gone", "b"), secretRef("checkout/locked"),
		secretRef("checkout/sealed"), paramRef("/checkout/limit"), paramRef("/checkout/none"), secretRef("a b"), secretRef("checkout/gone"),
	}
	store, err := NewAWS(t.Context(), "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{ // "" is what can be read
		"secret checkout/db#password": "", "param /checkout/limit": "",
		"secret checkout/db#user": "put key `user` into the JSON",
		"secret checkout/gone":    "make secret `checkout/gone`",
		"secret checkout/locked":  "`secretsmanager:GetSecretValue` on `checkout/locked`",
		"secret checkout/sealed":  "`kms:Decrypt` on the KMS key that secret `checkout/sealed`",
		"param /checkout/none":    "make parameter `/checkout/none`",
		"secret a b":              "mend its name",
	}
	got := store.Look(t.Context(), refs)
	if len(got) != len(want) {
		t.Errorf("%d were looked for, want %d: %v", len(got), len(want), got)
	}
	for _, l := range got {
		fix, known := want[l.Ref.String()]
		switch {
		case !known:
			t.Errorf("nobody asked for %s", l.Ref)
		case fix == "" && (l.Err != nil || l.Version == ""):
			t.Errorf("%s: %v", l.Ref, l.Err)
		case fix != "" && (l.Err == nil || !strings.Contains(l.Fix, fix)):
			t.Errorf("%s: %v; %s; want %q", l.Ref, l.Err, l.Fix, fix)
		}
		if text := l.Fix + errText(l.Err); strings.Contains(text, "hunter2") || strings.Contains(text, "very-long") {
			t.Errorf("a value is in %q", text)
		}
	}
}

func TestLookAsksOneByOneWhatIsRefusedAsAWhole(t *testing.T) {
	s := newStore(t)
	s.param("/checkout/limit", "7", 1)
	s.denied = "/checkout/locked"
	store, err := NewAWS(t.Context(), "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	got := store.Look(t.Context(), []Ref{paramRef("/checkout/limit"), paramRef("/checkout/locked")})
	if len(got) != 2 || got[0].Err != nil || got[1].Err == nil || !strings.Contains(got[1].Fix, "`ssm:GetParameters` on `/checkout/locked`") {
		t.Errorf("got %+v", got)
	}
	s.deny = "GetParameters"
	for _, l := range store.Look(t.Context(), []Ref{paramRef("/checkout/limit"), paramRef("/checkout/locked")}) {
		if l.Err == nil || !strings.Contains(l.Err.Error(), l.Ref.ID) {
			t.Errorf("%s: %v", l.Ref, l.Err)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
