package agnostic

import (
	"bytes"
	"net"
	"regexp"
	"strings"
)

// address is a URL as far as this package wants to know it.
type address struct {
	scheme, host string
	login        bool // it has a user and a password
	placeholder  bool // the password is a word that stands for one
}

// String never has the login in it.
func (a address) String() string {
	if a.login {
		return a.scheme + "://***@" + a.host
	}
	return a.scheme + "://" + a.host
}

// longestAuthority in bytes of a URL: user, password, host and port.
const longestAuthority = 1024

var urlMark = []byte("://")

// addresses calls found with the place of every URL in text.
func addresses(text []byte, found func(at int, a address)) {
	for from := 0; ; {
		i := bytes.Index(text[from:], urlMark)
		if i < 0 {
			return
		}
		mark := from + i
		from = mark + len(urlMark)
		start := mark
		for start > 0 && mark-start < 24 && isScheme(text[start-1]) {
			start--
		}
		if start == mark {
			continue
		}
		end := from
		for end < len(text) && end-from < longestAuthority && isAuthority(text[end]) {
			end++
		}
		if a, ok := addressOf(string(text[start:mark]), string(text[from:end])); ok {
			found(start, a)
		}
	}
}

func isScheme(c byte) bool { return isAlphanumeric(c) || c == '+' || c == '-' || c == '.' }

// isAuthority: RFC 3986, section 3.2, with the characters of templates, so that ${USER} is seen whole, and without those that
// close a string or a list in programs: a minified script would run on into its next string.
func isAuthority(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("-._~%!$&*+=:@{}", c) >= 0
}

// addressOf splits what stands between the slashes.
func addressOf(scheme, authority string) (address, bool) {
	a := address{scheme: strings.ToLower(scheme)}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, both := strings.Cut(authority[:at], ":")
		a.login = both && password != ""
		a.placeholder = a.login && (isPlaceholder(password) || strings.EqualFold(user, password))
		authority = authority[at+1:]
	}
	// Up to the port, or to what belongs to the text around the URL.
	end := 0
	for end < len(authority) && isHost(authority[end]) {
		end++
	}
	a.host = strings.ToLower(authority[:end])
	return a, end > 0 && end <= longestHost
}

func isHost(c byte) bool { return isAlphanumeric(c) || c == '.' || c == '-' || c == '_' }

// isLocal says whether a host is the machine itself: what a developer's defaults name.
func (a address) isLocal() bool {
	ip := net.ParseIP(a.host)
	return a.host == "localhost" || strings.HasSuffix(a.host, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// placeholders stand where a password is to be put.
var placeholders = regexp.MustCompile(`(?i)^(|x+|\*+|\.+|-+|_+|none|null|nil|undefined|true|false|yes|no|on|off|dummy.*|change[-_]?me.*|changeit|your.*|my[-_]?(password|secret|token|key)|pass|passwd|password|pwd|pw|p|secret|token|todo|tbd|redacted|placeholder|example.*|sample|not[-_]?set|unset|empty)$`)

// isPlaceholder says whether a value stands for a secret instead of being one.
func isPlaceholder(value string) bool {
	value = strings.Trim(value, `"'`)
	return placeholders.MatchString(value) || references.MatchString(value)
}

// references are how shells, templates and formats name a value that comes from elsewhere.
var references = regexp.MustCompile(`\$\{|\$\(|\{\{|^\$[A-Za-z_]|^\{.*\}$|^<.*>$|^%[a-z(]|^%[A-Z_]+%$`)
