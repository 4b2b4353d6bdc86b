package manifest

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/Masterminds/sprig/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/secrets"
)

var nasty = map[string]string{
	"empty":              "",
	"a newline and keys": "x\ninjected: true\n---\nkind: Pod\n",
	"quotes":             `a"b'c\d` + "`",
	"template syntax":    `{{ secret "other" }} {{ .Values }}`,
	"YAML syntax":        "- &a [*a, {b: !!binary c}] # d | > %",
	"unicode":            "pässwörd ☃ \u2028 \U0001F512 \ufeff",
	"blanks around":      " \t padded \n\n",
	"reads as a number":  "007",
	"reads as a boolean": "yes",
	"windows lines":      "a\r\nb\r\n",
	"64 KiB":             strings.Repeat("0123456789abcde\n", 4096),
	"base64 itself":      base64.StdEncoding.EncodeToString([]byte("again")),
	"format verbs":       "%s%d%!v(MISSING)",
}

func TestValuesKeepEveryByte(t *testing.T) {
	for name, value := range nasty {
		t.Run(name, func(t *testing.T) {
			objects := fill(t, files("app.yaml", `
apiVersion: v1
kind: Secret
metadata:
  name: app
stringData:
  plain: {{ secret "x" }}
  double: "{{ secret "x" }}"
  single: '{{ secret "x" }}'
  quoted: {{ secret "x" | quote }}
  squoted: {{ secret "x" | squote }}
  longer: "postgres://u:{{ secret "x" }}@host/{{ secret "x" }}{{ secret "x" }}"
  block: |
    password = {{ secret "x" }}
    end
  folded: >-
    one {{ secret "x" }}
    two
data:
  encoded: {{ secret "x" | b64enc }}
  together: {{ printf "user:%s" (secret "x") | b64enc | quote }}
`), map[string]string{"secret x": value})
			if len(objects) != 1 {
				t.Fatalf("%d objects, want 1", len(objects))
			}
			encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
			want := map[string]any{
				"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "app"},
				"stringData": map[string]any{
					"plain": value, "double": value, "single": value, "quoted": value, "squoted": value,
					"longer": "postgres://u:" + value + "@host/" + value + value,
					"block":  "password = " + value + "\nend\n", "folded": "one " + value + " two",
				},
				"data": map[string]any{"encoded": encode(value), "together": encode("user:" + value)},
			}
			if diff := cmp.Diff(want, objects[0].Object); diff != "" {
				t.Errorf("the object differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTextThatLooksLikeAPlaceholderIsNotReplaced(t *testing.T) {
	first := render(t, configMapWith(`{{ secret "x" }}`))
	token := first.objects[0].Object["data"].(map[string]any)["value"].(string)
	for name, text := range map[string]string{
		"a token of another render": token,
		"a token with no render":    tokenPrefix + strings.Repeat("0", 32) + "000000" + tokenEnd,
		"what people see":           "(secret x)",
	} {
		t.Run(name, func(t *testing.T) {
			objects := fill(t, configMapWith(text+`-{{ secret "x" }}`), map[string]string{"secret x": "v"})
			if got, want := at(t, objects[0], "data", "value"), text+"-v"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestFunctionsThatCarryASecret(t *testing.T) {
	for expression, want := range map[string]any{
		`{{ default (secret "x") .Values.nothing }}`:                "a b",
		`{{ coalesce nil (secret "x") }}`:                           "a b",
		`{{ or .Values.nothing (secret "x") }}`:                     "a b",
		`{{ secret "x" | or .Values.nothing }}`:                     "a b",
		`{{ and .Values.replicas (secret "x") }}`:                   "a b",
		`{{ if list (secret "x") }}{{ secret "x" }}{{ end }}`:       "a b",
		`{{ with dict "k" (secret "x") }}{{ .k }}{{ end }}`:         "a b",
		`{{ ternary (secret "x") "no" true }}`:                      "a b",
		`{{ (list 1 (secret "x")) | last }}`:                        "a b",
		`{{ get (dict "k" (secret "x")) "k" }}`:                     "a b",
		`{{ index (dict "k" (secret "x")) "k" }}`:                   "a b",
		`{{ (dict "k" (secret "x")).k }}`:                           "a b",
		`{{ $p := secret "x" }}{{ $p }}`:                            "a b",
		`{{ required "needed" (secret "x") }}`:                      "a b",
		`{{ secret "x" | toString }}`:                               "a b",
		`{{ print (secret "x") "/" }}`:                              "a b/",
		`{{ printf "%s-%v" (secret "x") (secret "x") }}`:            "a b-a b",
		`{{ printf "%q" (secret "x") }}`:                            "a b",
		`{{ list (secret "x") "c" | join "," }}`:                    "a b,c",
		`{{ cat (secret "x") "c" }}`:                                "a b c",
		`{{ printf " %s. " (secret "x") | trim }}`:                  "a b.",
		`{{ printf "u=%s" (secret "x") | quote }}`:                  "u=a b",
		`{{ secret "x" | urlquery }}`:                               "a+b",
		`{{ printf "p=%s&" (secret "x" | urlquery) | quote }}`:      "p=a+b&",
		`{{ secret "x" | b64enc | b64enc }}`:                        "WVNCaQ==",
		`{{ param "n" | int }}`:                                     int64(42),
		`{{ param "n" | int64 }}`:                                   int64(42),
		`{{ param "n" | atoi }}`:                                    int64(42),
		`{{ param "n" | float64 }}`:                                 float64(42),
		`{{ param "n" | int | quote }}`:                             "42",
		`{{ printf "%s" (param "n" | int) }}`:                       "42",
		`{{ param "n" | int }}:80`:                                  "42:80",
		`{{ param "n" | int | b64enc }}`:                            "NDI=",
		`{{ param "n" }}`:                                           " 42\n",
		`{{ .Values.replicas | int }}`:                              int64(3),
		`{{ "5" | atoi }}{{ 1.5 | float64 }}{{ "a b" | urlquery }}`: "51.5a+b",
	} {
		t.Run(expression, func(t *testing.T) {
			objects := fill(t, configMapWith(expression), map[string]string{"secret x": "a b", "param n": " 42\n"})
			if diff := cmp.Diff(want, at(t, objects[0], "data", "value")); diff != "" {
				t.Errorf("the value differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFunctionsRefuseASecretTheyCannotCarry(t *testing.T) {
	for _, expression := range []string{
		`{{ secret "x" | upper }}`, `{{ secret "x" | trunc 3 }}`, `{{ secret "x" | sha256sum }}`, `{{ secret "x" | b32enc }}`,
		`{{ secret "x" | trim }}`, `{{ printf "%s " (secret "x") | trim }}`, `{{ secret "x" | trimPrefix "a" }}`,
		`{{ secret "x" | replace "a" "b" }}`, `{{ secret "x" | toJson }}`, `{{ dict "a" (secret "x") | toJson }}`,
		`{{ dict "a" (secret "x") | toYaml }}`, `{{ list (list (secret "x")) | toJson }}`, `{{ secret "x" | html }}`, `{{ secret "x" | js }}`,
		`{{ secret "x" | urlquery "a" }}`, `{{ if eq (secret "x") "a" }}{{ end }}`, `{{ if eq (secret "x") (secret "x") }}{{ end }}`,
		`{{ if contains "a" (secret "x") }}{{ end }}`, `{{ len (secret "x") }}`, `{{ range secret "x" }}{{ end }}`,
		`{{ secret "x" | empty }}`, `{{ secret "x" | typeOf }}`, `{{ secret "x" | kindOf }}`, `{{ slice (secret "x") 1 2 }}`,
		`{{ printf "%x" (secret "x") }}`, `{{ printf "%.3s" (secret "x") }}`, `{{ printf "%40s" (secret "x") }}`,
		`{{ printf "%d" (secret "x") }}`, `{{ printf "" (secret "x") | print }}{{ printf "a" (secret "x") | upper }}`,
		`{{ printf "%s" (secret "x") | upper }}`, `{{ secret "x" | quote | lower }}`, `{{ add 1 (param "x") }}`, `{{ (secret "x").String }}`,
		`{{ (secret "x").text }}`, `{{ dict (secret "x") "v" | keys | join "" }}`, `{{ deepEqual (secret "x") "a" }}`,
		`{{ has (secret "x") (list 1) }}`, `{{ list (secret "x") | toStrings }}`, `{{ printf "a %s" (param "x") | int }}`,
		`{{ list (param "x") | int }}`, `{{ printf "a" (secret "x") }}`,
		`{{ printf "%s%s" (secret "x") }}`, `{{ printf "a%sa-" (secret "x") | trimAll "-apromtelcehdbfz0123456789" }}`, `{{ secret (secret "x") }}`, `{{ include "none" . | quote }}`, `{{ secret "x" | indent "a" }}`,
	} {
		t.Run(expression, func(t *testing.T) {
			_, err := Render(configMapWith(expression), input)
			wantError(t, err, "app.yaml:6:")
		})
	}
	t.Run("with a reason and the functions that can", func(t *testing.T) {
		_, err := Render(configMapWith(`{{ dict "a" (secret "x") | toJson }}`), input)
		wantError(t, err, "app.yaml:6:", "toJson cannot be applied to a secret or param", "b64enc")
		_, err = Render(configMapWith(`{{ secret "x" | upper }}`), input)
		wantError(t, err, "app.yaml:6:", "upper cannot be applied to a secret or param", "b64enc")
	})
}

func TestFunctionsThatRenderDifferentlyEachTimeAreRefused(t *testing.T) {
	known := sprig.TxtFuncMap()
	for name := range refused {
		t.Run(name, func(t *testing.T) {
			if known[name] == nil {
				t.Fatalf("sprig has no function %s", name)
			}
			_, err := Render(configMapWith("{{ "+name+" }}"), input)
			wantError(t, err, "app.yaml:6:", "the function "+name+" is refused", "the same commit must render to the same objects")
		})
	}
	t.Run("all that sprig itself calls not hermetic", func(t *testing.T) {
		hermetic := sprig.HermeticTxtFuncMap()
		for name := range known {
			if hermetic[name] == nil && refused[name] == "" {
				t.Errorf("%s is not refused", name)
			}
		}
	})
}

func TestRefsAreWhatTheObjectsNeed(t *testing.T) {
	rendered := render(t, files("app.yaml", `
# a comment: {{ secret "in-a-comment" }}
apiVersion: v1
kind: ConfigMap
metadata: {name: app}
data:
  a: {{ secret "b" "key" }}
  b: {{ printf "%s:%s" (secret "b") (param "/p") | b64enc }}
  c: {{ secret "b" "key" }}
  d: {{ default "x" .Values.nothing }}{{ $unused := secret "unused" }}
`))
	want := []secrets.Ref{{Kind: secrets.Param, ID: "/p"}, {Kind: secrets.Secret, ID: "b"}, {Kind: secrets.Secret, ID: "b", Key: "key"}}
	if diff := cmp.Diff(want, rendered.Refs()); diff != "" {
		t.Errorf("the refs differ (-want +got):\n%s", diff)
	}
}

func TestLookupsThatCannotNameAnythingAreRefused(t *testing.T) {
	for expression, want := range map[string]string{
		`{{ secret "" }}`:               `"" cannot be the name of a secret`,
		`{{ secret "a\nb" }}`:           "cannot be the name of a secret",
		`{{ secret "a" "" }}`:           "the JSON key of secret \"a\" is empty",
		`{{ secret "a" "b" "c" }}`:      "at most one JSON key",
		`{{ param "a b" }}`:             "cannot be the name of a param",
		`{{ secret }}`:                  "wrong number of args",
		`{{ secret .Values.replicas }}`: "secret wants text, and got a whole number",
	} {
		t.Run(expression, func(t *testing.T) {
			_, err := Render(configMapWith(expression), input)
			wantError(t, err, "app.yaml:6", want)
		})
	}
}
