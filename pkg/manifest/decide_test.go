package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/sprig/v3"
)

func TestAPlaceholderDecidesNothing(t *testing.T) {
	// To text/template a placeholder is true and never empty, whatever its value is, so each of these would always take one way.
	for expression, named := range map[string]string{
		`{{ if secret "x" }}a{{ else }}b{{ end }}`:                            `app.yaml:6:`,
		`{{ if param "x" }}a{{ end }}`:                                        `{{ if param "x" }}`,
		`{{ if .Values.nothing }}a{{ else if secret "x" }}b{{ end }}`:         `{{ if secret "x" }}`,
		`{{ with secret "x" }}{{ . }}{{ end }}`:                               `{{ with secret "x" }}`,
		`{{ with .Values.nothing }}{{ else with secret "x" }}{{ . }}{{ end}}`: `{{ with secret "x" }}`,
		`{{ $v := secret "x" }}{{ if $v }}a{{ end }}`:                         `{{ if $v }}`,
		`{{ if $v := secret "x" }}{{ $v }}{{ end }}`:                          `{{ if $v := secret "x" }}`,
		`{{ $d := dict "k" (secret "x") }}{{ if $d.k }}a{{ end }}`:            `{{ if $d.k }}`,
		`{{ if secret "x" | quote }}a{{ end }}`:                               `{{ if secret "x" | quote }}`,
		`{{ if not (secret "x") }}a{{ end }}`:                                 "not",
		`{{ secret "x" | not }}`:                                              "not",
		`{{ if and (secret "x") .Values.replicas }}a{{ end }}`:                `and cannot depend`,
		`{{ if and .Values.replicas (secret "x") }}a{{ end }}`:                `{{ if and .Values.replicas (secret "x") }}`,
		`{{ or (secret "x") "y" }}`:                                           `or cannot depend`,
		`{{ "y" | or (secret "x") }}`:                                         `or cannot depend`,
		`{{ print (or (secret "x") "y") }}`:                                   `or cannot depend`,
		`{{ range or (secret "x") (list 1) }}{{ end }}`:                       `or cannot depend`,
		`{{ $v := secret "x" }}{{ or $v "y" }}`:                               `or cannot depend`,
		`{{ template "t" (and (secret "x") 1) }}`:                             `and cannot depend`,
		`{{ (or (secret "x") .Values).replicas }}`:                            `or cannot depend`,
		`{{ if eq (secret "x") "a" }}a{{ end }}`:                              "eq",
		`{{ if eq "a" (secret "x") }}a{{ end }}`:                              "eq",
		`{{ if ne (param "x") "a" }}a{{ end }}`:                               "ne",
		`{{ if lt (param "x" | int) 3 }}a{{ end }}`:                           "lt",
		`{{ if param "x" | eq "a" }}a{{ end }}`:                               "eq cannot depend",
		`{{ if gt 3 (param "x") }}a{{ end }}`:                                 "gt",
		`{{ secret "x" | default "y" }}`:                                      "default",
		`{{ default (secret "y") (secret "x") }}`:                             "default",
		`{{ coalesce (secret "x") "y" }}`:                                     "coalesce",
		`{{ coalesce .Values.nothing (secret "x") "y" }}`:                     "coalesce",
		`{{ if empty (secret "x") }}a{{ end }}`:                               "empty",
		`{{ secret "x" | ternary "a" "b" }}`:                                  "ternary",
		`{{ if any (secret "x") }}a{{ end }}`:                                 "any",
		`{{ if all (secret "x") }}a{{ end }}`:                                 "all",
	} {
		t.Run(expression, func(t *testing.T) {
			_, err := Render(append(configMapWith(expression), files("_t.tpl", `{{ define "t" }}{{ end }}`)...), input)
			wantError(t, err, "app.yaml:6:", named, "its value is filled in after rendering")
			if strings.Contains(err.Error(), decider) {
				t.Errorf("the error speaks of a function that nobody wrote: %v", err)
			}
		})
	}
	t.Run("and the error says what to do instead", func(t *testing.T) {
		_, err := Render(configMapWith(`{{ if secret "x" }}a{{ end }}`), input)
		wantError(t, err, `app.yaml:6:15: {{ if secret "x" }} cannot depend on a secret or param`, "decide by .Values or .Environment")
	})
}

func TestConditionsWithoutPlaceholdersAreAsTheyWere(t *testing.T) {
	for expression, want := range map[string]string{
		`{{ if .Values.nothing }}a{{ else }}b{{ end }}`:                                                 "b",
		`{{ if and .Values.nothing .Values.nothing.deeper }}a{{ else }}b{{ end }}`:                      "b", // and stops early
		`{{ if or .Values.replicas .Values.nowhere }}a{{ else }}b{{ end }}`:                             "a", // and so does or
		`{{ if or nil false 0 "" }}a{{ else }}b{{ end }}`:                                               "b",
		`{{ or nil "x" }}{{ and true "y" }}{{ "z" | and true }}`:                                        "xyz",
		`{{ if not .Values.nothing }}a{{ end }}{{ not true }}`:                                          "afalse",
		`{{ with .Values.hosts }}{{ .a }}{{ else }}none{{ end }}`:                                       "1",
		`{{ if $v := .Values.replicas }}{{ $v }}{{ end }}`:                                              "3",
		`{{ default "d" .Values.nothing }}{{ default "d" "" }}{{ "x" | default "d" }}{{ default "d" }}`: "ddxd",
		`{{ coalesce nil "" 0 "x" "y" }}{{ coalesce | toString }}`:                                      "x<nil>",
		`{{ ternary "a" "b" true }}{{ empty "" }}`:                                                      "atrue",
		`{{ range $i := list 1 2 }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ $i }}{{ break }}{{ end }}`: "2",
	} {
		t.Run(expression, func(t *testing.T) {
			objects := fill(t, configMapWith(`"`+strings.ReplaceAll(expression, `"`, "`")+`"`), nil)
			if got := at(t, objects[0], "data", "value"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	t.Run("and no template can call what promote adds", func(t *testing.T) {
		_, err := Render(configMapWith(`{{ `+decider+` "x" 1 }}`), input)
		wantError(t, err, "app.yaml:6", "not defined")
	})
}

// withoutTrace are the functions that may take a placeholder and give something without it: they look at containers or at what
// stands beside it, never at the placeholder.
var withoutTrace = map[string]string{
	"and": "stops at an argument before it", "or": "stops at an argument before it", "default": "the other argument was not empty",
	"coalesce": "stops at an argument before it", "ternary": "chose the other argument", "index": "gave another item",
	"len": "counts the items of a list", "hasKey": "looks at keys", "keys": "gives keys", "get": "another key was asked for",
	"pick": "another key was asked for", "omit": "the key was left out", "unset": "the key was taken out", "rest": "gives other items",
	"initial": "gives other items", "first": "gives another item", "last": "gives another item", "slice": "gives other items",
	"empty": "a list with a placeholder is not empty", "not": "a list with a placeholder is not empty",
}

func TestEveryFunctionCarriesASecretOrRefusesItByName(t *testing.T) {
	// Whatever text/template and sprig bring: called with a placeholder as any of up to three arguments, a function either fails
	// with its name and place, or the whole value, and no piece of a token, is in what it gives.
	const value = "the whole value"
	names := slices.Concat(slices.Collect(maps.Keys(sprig.TxtFuncMap())), slices.Collect(maps.Keys(templateOwn)), []string{"include", "required", "toYaml"})
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		for _, args := range []string{`(secret "x")`, `1 (secret "x")`, `"a" (secret "x")`, `(secret "x") "a"`, `(secret "x") 1`, `(list (secret "x"))`,
			`(list (secret "x")) 0`, `(list (secret "x")) (list 1)`, `"a" (list (secret "x"))`, `(dict "a" (secret "x"))`, `(dict "a" (secret "x")) "a"`,
			`"a" (dict "a" (secret "x"))`, `"a" "b" (secret "x")`, `(secret "x") (secret "x") true`, `(secret "x") "b" false`, `"%s" (secret "x")`,
			`"" (secret "x")`, `nil (secret "x")`, `1 2 (secret "x")`, `(dict) "a" (secret "x")`} {
			expression := fmt.Sprintf("{{ print (%s %s) | quote }}", name, args)
			rendered, err := Render(configMapWith(expression), input)
			if err != nil {
				if strings.Contains(err.Error(), tokenPrefix) {
					t.Errorf("%s: the error shows a token: %v", expression, err)
				}
				if !strings.Contains(err.Error(), "app.yaml:6:") || !strings.Contains(err.Error(), name) {
					t.Errorf("%s: the error does not name the place and the function: %v", expression, err)
				}
				if strings.Contains(err.Error(), "manifest.") {
					t.Errorf("%s: the error names a type of this package: %v", expression, err)
				}
				continue
			}
			values := ones(rendered)
			for ref, v := range values {
				v.Data = []byte(value)
				values[ref] = v
			}
			objects, err := rendered.Fill(values)
			if err != nil {
				if !strings.Contains(err.Error(), "not a") { // a whole number, a number
					t.Errorf("%s: %v", expression, err)
				}
				continue
			}
			text := fmt.Sprint(objects[0].Object)
			if strings.Contains(text, "promoteplace") || strings.Contains(text, rendered.ledger.marker[20:]) {
				t.Errorf("%s: a piece of a token is left: %s", expression, text)
			}
			encoded := strings.NewReplacer("the+whole+value", value, "dGhlIHdob2xlIHZhbHVl", value).Replace(text)
			if _, fine := withoutTrace[name]; !fine && !strings.Contains(encoded, value) {
				t.Errorf("%s: the value is not in %s", expression, text)
			}
		}
	}
}
