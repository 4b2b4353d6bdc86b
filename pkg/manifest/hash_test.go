package manifest

import (
	"testing"

	"github.com/org/promote/pkg/secrets"
)

// anyMap begins an object whose fields may be of any type.
const anyMap = "apiVersion: example.org/v1\nkind: ConfigMap\nmetadata:\n  name: "

func hashOf(t *testing.T, all []File, version, value string) string {
	t.Helper()
	rendered := render(t, all)
	found := map[secrets.Ref]secrets.Value{}
	for _, ref := range rendered.Refs() {
		found[ref] = secrets.Value{Data: secrets.Bytes(value), Version: version}
	}
	return rendered.Hash(found)
}

func TestHashIsOfTheContent(t *testing.T) {
	base := files("a.yaml", anyMap+"a\ndata: {k: \"{{ secret \"x\" }}\", n: \"1\"}\n---\n"+anyMap+"b\n")
	want := hashOf(t, base, "v1", "one")
	for name, same := range map[string]string{
		"the same again":       hashOf(t, base, "v1", "one"),
		"another value":        hashOf(t, base, "v1", "two"),
		"another order":        hashOf(t, files("z.yaml", anyMap+"b\n", "y.yaml", anyMap+"a\ndata: {n: \"1\", k: \"{{ secret \"x\" }}\"}\n"), "v1", "one"),
		"comments and layout":  hashOf(t, files("a.yaml", "# hi\n"+anyMap+"a\ndata:\n  k: {{ secret \"x\" | quote }} # {{ secret \"y\" }}\n  n: '1'\n---\n"+anyMap+"b\n"), "v1", "one"),
		"the same from a list": hashOf(t, files("a.yaml", "{apiVersion: v1, kind: List, items: [{apiVersion: example.org/v1, kind: ConfigMap, metadata: {name: b}}, {apiVersion: example.org/v1, kind: ConfigMap, metadata: {name: a}, data: {k: \"{{ secret \"x\" }}\", n: \"1\"}}]}"), "v1", "one"),
	} {
		if same != want {
			t.Errorf("%s changes the hash", name)
		}
	}
	seen := map[string]string{want: "the base"}
	for name, text := range map[string]string{
		"another secret":              `{k: "{{ secret "y" }}", n: "1"}`,
		"another key of the secret":   `{k: "{{ secret "x" "k" }}", n: "1"}`,
		"a parameter of that name":    `{k: "{{ param "x" }}", n: "1"}`,
		"the secret encoded":          `{k: "{{ secret "x" | b64enc }}", n: "1"}`,
		"the secret encoded twice":    `{k: "{{ secret "x" | b64enc | b64enc }}", n: "1"}`,
		"the secret escaped":          `{k: "{{ secret "x" | urlquery }}", n: "1"}`,
		"the secret as a number":      `{k: {{ secret "x" | int }}, n: "1"}`,
		"the secret as number's text": `{k: {{ secret "x" | int | quote }}, n: "1"}`,
		"text around the secret":      `{k: "{{ secret "x" }} ", n: "1"}`,
		"the secret twice":            `{k: "{{ secret "x" }}{{ secret "x" }}", n: "1"}`,
		"text that looks like it":     `{k: "(secret x)", n: "1"}`,
		"a number for a text":         `{k: "{{ secret "x" }}", n: 1}`,
		"a fraction for a number":     `{k: "{{ secret "x" }}", n: 1.5}`,
		"a list for a text":           `{k: "{{ secret "x" }}", n: ["1"]}`,
		"null for a text":             `{k: "{{ secret "x" }}", n: null}`,
		"the secret under other name": `{n: "{{ secret "x" }}", k: "1"}`,
	} {
		got := hashOf(t, files("a.yaml", anyMap+"a\ndata: "+text+"\n---\n"+anyMap+"b\n"), "v1", "one")
		if before, ok := seen[got]; ok {
			t.Errorf("%s has the hash of %s", name, before)
		}
		seen[got] = name
	}
	if hashOf(t, base, "v2", "one") == want {
		t.Error("another version of the secret keeps the hash")
	}
}

func TestReleaseID(t *testing.T) {
	if got := ReleaseID("89abcdef0123", "0123456789"); got != "89abcde-012345" {
		t.Errorf("got %q", got)
	}
	if got := ReleaseID("ABC", "12"); got != "abc-12" {
		t.Errorf("got %q", got)
	}
}
