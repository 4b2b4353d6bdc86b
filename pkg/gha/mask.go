package gha

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// shortestMask is the length in bytes from which values are masked. Masking "{" or "e" ruins every log (actions/runner
// issue 326), and what is this short is no secret.
const shortestMask = 4

// Mask keeps a secret out of the log: the value itself, each of its lines, each leaf if it is JSON, and the base64 of each.
// Values shorter than four bytes are skipped.
func (a *Action) Mask(secret string) {
	for _, form := range maskForms(secret) {
		if a.out.addMask(form) {
			a.inner.AddMask(form)
		}
	}
}

func maskForms(secret string) []string {
	var forms []string
	seen := map[string]bool{}
	add := func(s string) {
		if s = strings.TrimSpace(s); len(s) >= shortestMask && !seen[s] {
			seen[s] = true
			forms = append(forms, s)
		}
	}
	var plain []string
	if trimmed := strings.TrimSpace(secret); !strings.ContainsAny(trimmed, "\r\n") {
		plain = append(plain, trimmed)
	}
	plain = append(plain, strings.FieldsFunc(secret, func(r rune) bool { return r == '\n' || r == '\r' })...)
	plain = append(plain, jsonLeaves(secret)...)
	for _, s := range plain {
		add(s)
	}
	// What is encoded may be the value with or without its last newline; padding is left out, so both forms match.
	for _, s := range append([]string{secret, strings.TrimSpace(secret)}, plain...) {
		if len(strings.TrimSpace(s)) < shortestMask {
			continue
		}
		add(base64.RawStdEncoding.EncodeToString([]byte(s)))
		add(base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	return forms
}

// jsonLeaves gives the strings and numbers in a JSON object or array; true, false and null are no secrets.
func jsonLeaves(text string) []string {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	var leaves []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, each := range v {
				walk(each)
			}
		case []any:
			for _, each := range v {
				walk(each)
			}
		case string:
			leaves = append(leaves, v)
			leaves = append(leaves, strings.FieldsFunc(v, func(r rune) bool { return r == '\n' || r == '\r' })...)
		case json.Number:
			leaves = append(leaves, v.String())
		}
	}
	walk(value)
	return leaves
}
