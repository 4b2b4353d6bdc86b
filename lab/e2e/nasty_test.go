//go:build lab

package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/org/promote/pkg/report"
)

// shortestMasked is the shortest text that is masked, in bytes; what is shorter stands in every log.
const shortestMasked = 4

// nasty makes fifty secrets that are hard to keep out of a text. Each holds salt, so that two generations differ in every line.
func nasty(salt string) map[string]string {
	var key strings.Builder
	key.WriteString("-----BEGIN EC PRIVATE KEY-----\n")
	for i := range 12 {
		key.WriteString(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%02d of a key that nobody knows-%d", salt, i, i*7919)) + "\n")
	}
	key.WriteString("-----END EC PRIVATE KEY-----\n")
	var long strings.Builder
	for i := 0; long.Len() < 64<<10-2000; i++ {
		fmt.Fprintf(&long, "%s:%x\n", salt, strings.Repeat(fmt.Sprint(i*104729, "-"), 40))
	}
	values := []string{
		salt + "-pa_ss*w0rd",
		salt + `-it's "quoted" \ and \n no line`,
		key.String(),
		`{"user": "` + salt + `-admin", "nested": [{"password": "` + salt + `-p4ss\nsecond-` + salt + `", "pin": 9182736455463728}], "on": true}`,
		long.String(),
		salt + strings.Repeat(" words that go on and on, past eighty columns and 'quoted'", 4),
		salt + "\ttab\vvertical\abell\x1b[31mred",
		"::set-output name=result::" + salt,
		"::error file=" + salt + ",line=1::it is%0Aout",
		"##[error]" + salt + "##[endgroup]",
		"pässwörd-" + salt + "-日本語-😀",
		"100%25-" + salt + "%0D\rhalf-" + salt,
		"https://user-" + salt + ":p%40ss@db.example.com:5432/x?sslmode=full&y=<z>",
		base64.StdEncoding.EncodeToString([]byte(salt + " is in here already")),
		"inner-" + salt,
		"outer before inner-" + salt + " outer after " + salt,
		"<b>" + salt + "</b> &amp; | `code` @all #12 ~~x~~",
		"{{ .Values." + salt + " }} ${{ secrets." + salt + " }} $(whoami-" + salt + ") `id`",
		"---\nkind: " + salt + "Kind\nmetadata: {name: " + salt + "}\n",
		"' " + salt + " \"; drop table",
		"  blanks around " + salt + "  \n",
		salt + "\u00a0no-break\u2028line\u200bzero",
		"no: " + salt + " # comment",
		"*" + salt + "* _" + salt + "_ [" + salt + "](x)",
		"C:\\temp\\" + salt + "\\new",
		"==" + salt + "==",
		"%!s(" + salt + ")%d%v",
	}
	for i := len(values); i < 50; i++ {
		values = append(values, fmt.Sprintf("%s-%02d-%s", salt, i, strings.Repeat("_-*'\"\\ ", i%5)+"end"))
	}
	found := map[string]string{}
	for i, v := range values {
		found[fmt.Sprintf("k%02d", i)] = v
	}
	return found
}

// forms are the ways in which a secret must not be found, made without the product's own list.
func forms(secret string) []string {
	texts := append([]string{secret, strings.TrimSpace(secret)}, leaves(secret)...)
	for _, text := range slices.Clone(texts) {
		for _, line := range regexp.MustCompile(`[\r\n]+`).Split(text, -1) {
			texts = append(texts, strings.TrimSpace(line))
		}
	}
	var found []string
	for _, text := range texts {
		if len(strings.TrimSpace(text)) < shortestMasked {
			continue
		}
		found = append(found, text, url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString([]byte(text)), html.EscapeString(text),
			report.Escape(text), strings.ReplaceAll(text, "'", "''"), strings.Join(strings.Fields(text), " "), base64.URLEncoding.EncodeToString([]byte(text)))
		for _, quoted := range []string{strconv.Quote(text), strconv.QuoteToASCII(text), asJSON(text)} {
			found = append(found, quoted[1:len(quoted)-1])
		}
		for before := range 3 { // base64 at each alignment, without what its neighbours decide
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text))
			end := (before + len(text)) / 3 * 4
			if inner := encoded[(before+2)/3*4 : end]; len(inner) > 2*shortestMasked {
				found = append(found, inner)
			}
		}
		for at := 0; at+40 < len(text); at += max(20, len(text)/100) { // and what is cut in the middle
			found = append(found, text[at:at+40])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func asJSON(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a form in JSON
	}
	return string(data)
}

func leaves(text string) []string {
	var parsed struct {
		User   string
		Nested []struct {
			Password string
			Pin      json.Number
		}
	}
	if json.Unmarshal([]byte(text), &parsed) != nil || len(parsed.Nested) == 0 {
		return nil
	}
	return []string{parsed.User, parsed.Nested[0].Password, parsed.Nested[0].Pin.String()}
}

// leaked names the secrets of which a form stands in text, with the form and what is around it. secrets holds the forms by name.
func leaked(secrets map[string][]string, text string) []string {
	var found []string
	for name, forms := range secrets {
		for _, form := range forms {
			if at := strings.Index(text, form); at >= 0 {
				found = append(found, fmt.Sprintf("%s as %.60q in %.200q", name, form, text[max(0, at-80):]))
			}
		}
	}
	slices.Sort(found)
	return found
}
