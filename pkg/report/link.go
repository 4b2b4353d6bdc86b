package report

import (
	"net/url"
	"strings"
)

// Link gives a link with Markdown as its text. An address that is not http or https is no link: the text alone stays.
func Link(text, address string) string {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return text
	}
	// Characters that would end the address, or a cell of a table, are percent-encoded.
	safe := strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "|", "%7C", "<", "%3C", ">", "%3E", "\\", "%5C", "`", "%60").Replace(u.String())
	return "[" + text + "](" + safe + ")"
}
