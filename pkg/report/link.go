package report

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Link gives a link with Markdown as its text. An address that is not http or https is no link: the text alone stays.
func Link(text, address string) string {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return text
	}
	// Characters that would end the address, or a cell of a table, are percent-encoded, and so is what is not seen: a query may hold
	// any character.
	safe := strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "|", "%7C", "<", "%3C", ">", "%3E", "\\", "%5C", "`", "%60").Replace(u.String())
	var b strings.Builder
	for i := range len(safe) {
		if safe[i] < utf8.RuneSelf {
			b.WriteByte(safe[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", safe[i])
		}
	}
	return "[" + text + "](" + b.String() + ")"
}
