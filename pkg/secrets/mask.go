package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// minMasked is the shortest text worth masking: masking "{" or "e" would ruin a whole log (actions/runner#326) and hide
// nothing.
const minMasked = 4

// MaskForms returns every form in which data could show up in a log: itself, each of its lines, each leaf of the JSON it may
// hold, and for each of those base64 (padded, unpadded, URL alphabet, and as the middle of a longer encoding), hex, URL
// escapes and the escapes of JSON and Go strings. Forms shorter than four bytes are left out. The order is the longest first, so
// that replacing them one by one never leaves the rest of a longer one behind.
func MaskForms(data []byte) []string {
	forms := map[string]bool{}
	for _, text := range pieces(data) {
		for _, form := range encodings(text) {
			if len(form) >= minMasked {
				forms[form] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(forms), func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
}

// pieces returns data, its lines and its JSON leaves, those worth masking.
func pieces(data []byte) []string {
	text := string(data)
	found := []string{text, strings.TrimSpace(text)}
	for line := range strings.Lines(text) {
		found = append(found, strings.TrimSpace(line))
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // A float64 would lose the last digits of a long number, and with them the match.
	var parsed any
	if decoder.Decode(&parsed) == nil {
		found = append(found, leaves(parsed)...)
	}
	return slices.DeleteFunc(found, func(s string) bool { return len(s) < minMasked })
}

// leaves returns the strings and numbers in a parsed JSON value; keys, true, false and null are not secret.
func leaves(value any) []string {
	switch v := value.(type) {
	case string:
		return append([]string{v}, slices.Collect(trimmedLines(v))...)
	case json.Number:
		return []string{v.String()}
	case []any:
		var found []string
		for _, item := range v {
			found = append(found, leaves(item)...)
		}
		return found
	case map[string]any:
		var found []string
		for _, item := range v {
			found = append(found, leaves(item)...)
		}
		return found
	}
	return nil
}

func trimmedLines(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(s) {
			if !yield(strings.TrimSpace(line)) {
				return
			}
		}
	}
}

// encodings returns text and the ways it is usually written down.
func encodings(text string) []string {
	forms := []string{
		text,
		base64.StdEncoding.EncodeToString([]byte(text)),
		base64.RawStdEncoding.EncodeToString([]byte(text)),
		base64.URLEncoding.EncodeToString([]byte(text)),
		base64.RawURLEncoding.EncodeToString([]byte(text)),
		fmt.Sprintf("%x", text),
		url.QueryEscape(text),
		url.PathEscape(text),
	}
	forms = append(forms, embedded(text)...)
	if utf8.ValidString(text) {
		forms = append(forms, jsonEscaped(text, true), jsonEscaped(text, false))
		quoted := strconv.Quote(text)
		forms = append(forms, quoted[1:len(quoted)-1])
	}
	return forms
}

// jsonEscaped returns text as it stands between the quotes of a JSON string, with or without Go's escapes of <, > and &.
func jsonEscaped(text string, html bool) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(html)
	if err := encoder.Encode(text); err != nil {
		return text // Encoding a string into memory cannot fail.
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(out.String()), `"`), `"`)
}

// embedded returns the base64 of text as it reads when other bytes stand before and after it, such as in an encoded
// "user:password": base64 works in groups of three bytes, so there are three such readings, each without the characters that
// depend on the neighbours.
func embedded(text string) []string {
	const tooShort = 8 // Below this a reading is a few characters that any text may contain.
	if len(text) < tooShort {
		return nil
	}
	var forms []string
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), text...))
		start := []int{0, 2, 3}[before]
		end := (before + len(text)) * 8 / 6
		forms = append(forms, encoded[start:end])
	}
	return forms
}
