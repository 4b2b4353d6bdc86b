package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/org/promote/pkg/report"
)

// encodings returns text and the ways it is written down.
func encodings(text string) []string {
	data := []byte(text)
	query := url.QueryEscape(text)
	forms := []string{
		text,
		base64.StdEncoding.EncodeToString(data), base64.RawStdEncoding.EncodeToString(data),
		base64.URLEncoding.EncodeToString(data), base64.RawURLEncoding.EncodeToString(data),
		hex.EncodeToString(data), strings.ToUpper(hex.EncodeToString(data)),
		query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(text),
		strings.ReplaceAll(text, "'", "''"),   // YAML and SQL
		strings.ReplaceAll(text, "'", `'\''`), // shells
		html.EscapeString(text), report.Escape(text),
		strings.Join(strings.Fields(text), " "),
	}
	forms = append(forms, embedded(data)...)
	if !utf8.Valid(data) {
		return append(forms, twice(strconv.Quote, text)...)
	}
	for _, quote := range []func(string) string{strconv.Quote, strconv.QuoteToASCII, jsonSafe, jsonPlain, jsonASCII, yamlQuoted} {
		forms = append(forms, twice(quote, text)...)
	}
	return forms
}

// twice returns what stands between the quotes of a quoted text, and of one that was quoted again: an API server quotes an
// object that holds JSON.
func twice(quote func(string) string, text string) []string {
	once := inner(quote(text))
	return []string{once, inner(quote(once))}
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// jsonSafe is JSON with Go's escapes of <, > and &; jsonPlain is without.
func jsonSafe(text string) string  { return jsonQuoted(text, true) }
func jsonPlain(text string) string { return jsonQuoted(text, false) }

func jsonQuoted(text string, safe bool) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(safe)
	if err := encoder.Encode(text); err != nil {
		return strconv.Quote(text) // Encoding a string into memory cannot fail.
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// jsonASCII is JSON in which everything beyond ASCII is \uXXXX, as Python and others write it.
func jsonASCII(text string) string {
	var out strings.Builder
	for _, r := range jsonPlain(text) {
		switch {
		case r < utf8.RuneSelf:
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// yamlEscapes are the escapes that YAML has a letter for (https://yaml.org/spec/1.2.2/#57-escaped-characters).
var yamlEscapes = map[rune]string{
	0: `\0`, '\a': `\a`, '\b': `\b`, '\t': `\t`, '\n': `\n`, '\v': `\v`, '\f': `\f`, '\r': `\r`, 0x1b: `\e`, '"': `\"`, '\\': `\\`,
	0x85: `\N`, 0xa0: `\_`, 0x2028: `\L`, 0x2029: `\P`,
}

// yamlQuoted is YAML's double-quoted form, as sigs.k8s.io/yaml writes it: nothing beyond the Basic Multilingual Plane is printed.
func yamlQuoted(text string) string {
	var out strings.Builder
	for _, r := range text {
		escape, named := yamlEscapes[r]
		switch {
		case named:
			out.WriteString(escape)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08X`, r)
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&out, `\x%02X`, r)
		case r >= 0xd800 && r < 0xe000 || r == 0xfeff || r >= 0xfffe:
			fmt.Fprintf(&out, `\u%04X`, r)
		default:
			out.WriteRune(r)
		}
	}
	return `"` + out.String() + `"`
}

// embedded returns the base64 of data as it reads when other bytes stand before and after it, such as in an encoded
// "user:password": base64 works in groups of three bytes, so there are three such readings, each without the characters that
// depend on the neighbours.
func embedded(data []byte) []string {
	const tooShort = 6 // Below this a reading is a few characters that any text may contain.
	if len(data) < tooShort {
		return nil
	}
	var forms []string
	for before := range 3 {
		padded := append(make([]byte, before), data...)
		start, end := []int{0, 2, 3}[before], len(padded)*8/6
		forms = append(forms, base64.RawStdEncoding.EncodeToString(padded)[start:end], base64.RawURLEncoding.EncodeToString(padded)[start:end])
	}
	return forms
}
