package manifest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/org/promote/pkg/secrets"
)

const fuzzed = `
apiVersion: v1
kind: Secret
metadata:
  name: app
  annotations: {a: {{ secret "x" }}}
stringData:
  plain: {{ secret "x" }}
  quoted: "a {{ secret "x" }} b"
  single: '{{ secret "x" }}'
  block: |
    {{ secret "x" }}
      {{ secret "x" }}
data:
  encoded: {{ secret "x" | b64enc }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: { text: {{ secret "x" | squote }}, encoded: {{ printf "%s:%s" (secret "x") (secret "x") | b64enc }} }
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {a: {{ secret "x" }}}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {a: "{{ secret "x" }}{{ secret "x" }}"}}
    spec:
      volumes: [{name: v, configMap: {name: settings}}]
      containers:
      - name: web
        image: {{ .Image }}
        args: [{{ secret "x" }}, "--x={{ secret "x" }}"]
        env:
        - {name: A, value: {{ secret "x" }}}
        - {name: B, value: {{ secret "x" | quote }}}
        - {name: C, valueFrom: {secretKeyRef: {name: app, key: plain}}}
        envFrom: [{secretRef: {name: app}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {a: {{ secret "x" }}}}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: example.org/v1
kind: Thing
metadata: {name: thing}
list: [{{ secret "x" }}, "{{ secret "x" }}", [{deep: {{ secret "x" }}}]]
`

// sent are the objects of a release as they go to the API server, parsed back from those bytes. What a Secret holds is decoded.
func sent(t testing.TB, rendered *Rendered, value []byte) ([]any, error) {
	filled, err := rendered.Fill(map[secrets.Ref]secrets.Value{{Kind: secrets.Secret, ID: "x"}: {Data: value}})
	if err != nil {
		return nil, err
	}
	out, err := Version(filled, request)
	if err != nil {
		t.Fatalf("versioning with %q: %v", value, err)
	}
	var all []any
	for _, o := range out.all() {
		data, err := o.MarshalJSON()
		if err != nil {
			t.Fatalf("encoding with %q: %v", value, err)
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var parsed map[string]any
		if err := decoder.Decode(&parsed); err != nil {
			t.Fatalf("reading what is sent with %q: %v", value, err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			t.Fatalf("with %q more than one object is sent", value)
		}
		if data, ok := parsed["data"].(map[string]any); ok && parsed["kind"] == "Secret" {
			for key, encoded := range data {
				decoded, err := base64.StdEncoding.DecodeString(encoded.(string))
				if err != nil {
					t.Fatalf("reading %s with %q: %v", key, value, err)
				}
				data[key] = string(decoded)
			}
		}
		all = append(all, parsed)
	}
	return all, nil
}

// FuzzAValueCannotChangeStructure fills arbitrary bytes in, versions the objects, and compares the bytes that the API server gets
// with those of a harmless value: the same but for the strings that hold the value, and there it stands byte for byte.
func FuzzAValueCannotChangeStructure(f *testing.F) {
	for _, value := range nasty {
		f.Add([]byte(value))
	}
	for _, value := range []string{"\x00", "\xff\xfe", "app", "web", "settings", "thing", "app--Secret", "web-" + request.Release, "-", "\u2028<&>", "\ufffd",
		tokenPrefix, "promote.dev/serve", "null", "~", "{}", "\u0085\u2029"} {
		f.Add([]byte(value))
	}
	rendered, err := Render(files("app.yaml", fuzzed), input)
	if err != nil {
		f.Fatal(err)
	}
	const harmless = "harmlessvalue"
	reference, err := sent(f, rendered, []byte(harmless))
	if err != nil {
		f.Fatal(err)
	}
	base64Of := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text + ":" + text)) }
	if holds := strings.Count(fmt.Sprint(reference), harmless); holds < 15 {
		f.Fatalf("the value is in %d places only", holds)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		got, err := sent(t, rendered, value)
		if !utf8.Valid(value) || strings.ContainsRune(string(value), 0) {
			if err == nil {
				t.Fatalf("%q was filled in as text", value)
			}
			if len(value) > 8 && strings.Contains(err.Error(), string(value)) {
				t.Fatalf("the error holds the value: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatalf("filling in %q: %v", value, err)
		}
		replacer := strings.NewReplacer(harmless, string(value), base64Of(harmless), base64Of(string(value)))
		if want := substitute(reference, replacer); !reflect.DeepEqual(want, any(got)) {
			t.Fatalf("with %q this is sent: %v, want %v", value, got, want)
		}
	})
}

// substitute replaces in strings alone: neither keys nor anything else.
func substitute(value any, replacer *strings.Replacer) any {
	switch v := value.(type) {
	case string:
		return replacer.Replace(v)
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = substitute(v[i], replacer)
		}
		return items
	case map[string]any:
		fields := make(map[string]any, len(v))
		for key := range v {
			fields[key] = substitute(v[key], replacer)
		}
		return fields
	}
	return value
}

// FuzzAnyTemplateEndsInObjectsOrAnError renders arbitrary template text, as a pull request may hold it.
func FuzzAnyTemplateEndsInObjectsOrAnError(f *testing.F) {
	f.Add(fuzzed)
	f.Add("{{ include \"app.yaml\" . }}")
	f.Add(misspelt)
	f.Add("{{ with $x := or .Values.nothing (list (secret \"x\")) }}{{ else with 1 }}{{ end }}{{ if and 1 (eq 1 2) }}{{ else if not nil }}{{ end }}")
	f.Add("{{ define \"d\" }}a: {{ . }}\n{{ end }}{{- range $i, $v := list 1 2 -}} {{ template \"d\" $v }} {{ break }} {{- end }}\n--- \napiVersion: v1\nkind: Pod\nmetadata: {name: &x a}\nspec: {<<: {a: *x}, containers: [{name: {{ param \"p\" | int }}}]}")
	f.Add("{{ printf \"%s%s\" (secret \"x\") (param \"y\" | int) | b64enc | indent 3 }}")
	f.Add("---\n...\n--- x\n- a")
	f.Add("apiVersion: v1\nkind: List\nitems: [1, {kind: List, apiVersion: v1, items: []}]")
	f.Add("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [1, {image: []}]}}}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, bomb := range []string{"until", "repeat", "seq", "indent", "derivePassword", "genMany"} {
			if strings.Contains(text, bomb) {
				return // Slow by what it asks for; not what this looks for.
			}
		}
		rendered, err := Render(files("app.yaml", text), input)
		if err != nil {
			return
		}
		values := ones(rendered)
		objects, err := rendered.Fill(values)
		if err != nil {
			return
		}
		for _, o := range objects {
			visit(o.Object, nil, func(_ []string, text string) {
				if rendered.ledger.holds(text) {
					t.Fatalf("a token is left in %q", text)
				}
			})
		}
		req := VersionRequest{Service: "a", Environment: "a", Namespace: "a", Release: ReleaseID("0123456", rendered.Hash(values))}
		_, _ = Version(objects, req)
		_ = rendered.Unknown()
		shown, err := rendered.Preview(req)
		if err != nil {
			if strings.Contains(err.Error(), rendered.ledger.marker) {
				t.Fatalf("the error shows a token: %v", err)
			}
			return
		}
		if text, err := shown.YAML(); err != nil || strings.Contains(text, rendered.ledger.marker) {
			t.Fatalf("the preview is %s, %v", text, err)
		}
	})
}
