package mask

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Forms returns every form in which value could show up in a text, sorted: see the package. Forms shorter than four bytes are
// left out, and so are the words true, false and null.
func Forms(value []byte) []string {
	forms := map[string]bool{}
	for _, text := range pieces(value) {
		for _, form := range encodings(text) {
			if maskable(form) {
				forms[form] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(forms))
}

// Lines returns what a runner has to be told so that it masks value in what others print: each line and each JSON leaf. It
// takes one line at a time, and makes base64 and escapes of it by itself.
func Lines(value []byte) []string {
	var found []string
	for _, text := range pieces(value) {
		if trimmed := strings.TrimSpace(text); maskable(trimmed) && !strings.ContainsAny(trimmed, "\r\n") {
			found = append(found, trimmed)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// plain are words that stand everywhere and give nothing away; masking them would drop outputs such as `changed`.
var plain = []string{"true", "false", "null"}

func maskable(text string) bool { return len(text) >= shortest && !slices.Contains(plain, text) }

// bare says whether value, or a text in the JSON that it holds, is secret and yet cannot be masked.
func bare(value []byte) bool {
	texts := leaves(value, false)
	if len(texts) == 0 {
		texts = []string{string(value)}
	}
	return slices.ContainsFunc(texts, func(text string) bool {
		text = strings.TrimSpace(text)
		return text != "" && !maskable(text)
	})
}

// pieces returns value, its lines and its JSON leaves with theirs, those worth masking. Lines are taken without the blanks around
// them: an indented brace stands in every file.
func pieces(value []byte) []string {
	var found []string
	for _, text := range append([]string{string(value)}, leaves(value, true)...) {
		if trimmed := strings.TrimSpace(text); maskable(trimmed) {
			found = append(found, text, trimmed)
		}
		for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if line = strings.TrimSpace(line); maskable(line) {
				found = append(found, line)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// leaves returns the strings, and the numbers if wanted, of the JSON object, list or string in data; keys are not secret.
func leaves(data []byte, numbers bool) []string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // A float64 would lose the last digits of a long number, and with them the match.
	var parsed any
	if decoder.Decode(&parsed) != nil {
		return nil
	}
	var found []string
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case string:
			found = append(found, v)
		case json.Number:
			if numbers {
				found = append(found, v.String())
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(parsed)
	return found
}
