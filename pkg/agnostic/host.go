package agnostic

import (
	"regexp"
	"slices"
	"strings"
)

// hosts knows which hosts belong to one environment.
type hosts struct{ environments []string }

// publicHosts begin with an environment's name and have nothing to do with one.
var publicHosts = []string{
	"dev.mysql.com", "dev.w3.org", "dev.twitter.com", "dev.azure.com", "dev.virtualearth.net", "dev.apollodata.com", "dev.maxmind.com",
	"dev.java.net", "dev.bukkit.org", "dev.yorhel.nl", "dev.chromium.org", "dev.gnupg.org", "test.pypi.org", "test.mosquitto.org",
	"qa.debian.org", "qa.php.net", "qa.ubuntu.com",
}

// publicEndings are real top-level domains that read like an environment; behind them, it is the label before that counts.
var publicEndings = []string{"dev", "test", "qa", "stage", "production"}

// privateEndings are of names that only an organisation's own resolvers know.
var privateEndings = []string{"internal", "local", "lan", "corp", "intranet", "private", "svc", "consul", "home", "localdomain"}

// longestHost in bytes: RFC 1035, section 2.3.4, without the dots that are not written.
const longestHost = 253

var hostname = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$`)

// environment gives the environment that a host belongs to, "" if it belongs to none.
func (h hosts) environment(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	// Asked first because it is cheap, and a script has thousands of hosts.
	if len(host) > longestHost || !h.mentions(host) || !hostname.MatchString(host) {
		return ""
	}
	for _, public := range publicHosts {
		if before, found := strings.CutSuffix(host, public); found && (before == "" || strings.HasSuffix(before, ".")) {
			return ""
		}
	}
	labels := strings.Split(host, ".")
	last := len(labels) - 1
	if strings.Trim(labels[last], "0123456789") == "" {
		return "" // an address
	}
	for i, label := range labels {
		if i == last && i > 0 && slices.Contains(publicEndings, label) {
			continue
		}
		name, whole := h.inLabel(label)
		switch {
		case name == "":
		case len(labels) == 1 && whole:
			// "http://test" is what a program writes when it needs any URL.
		case len(labels) == 2 && i == 0 && (whole || name == "test" || name == "dev") && !slices.Contains(privateEndings, labels[last]):
			// dev.to, speed-test.net: somebody's name, and not part of one.
		default:
			return name
		}
	}
	return ""
}

// inLabel finds an environment's name as the label or as a part of it between dashes: stage, prod-db, api-dev2.
func (h hosts) inLabel(label string) (name string, whole bool) {
	parts := strings.FieldsFunc(label, func(r rune) bool { return r == '-' || r == '_' })
	for _, part := range parts {
		if part = strings.TrimRight(part, "0123456789"); slices.Contains(h.environments, part) {
			return part, len(parts) == 1
		}
	}
	return "", false
}

// isEnvironment says whether a word is the name of an environment.
func (h hosts) isEnvironment(word string) bool {
	return slices.Contains(h.environments, strings.ToLower(word))
}

// mentions says quickly whether text in lower case holds the name of an environment at all.
func (h hosts) mentions(text string) bool {
	return slices.ContainsFunc(h.environments, func(name string) bool { return strings.Contains(text, name) })
}

// fileEndings stand at the end of names that are files or code and no hosts, and are no top-level domain that services use.
var fileEndings = []string{
	"js", "ts", "mjs", "cjs", "jsx", "tsx", "json", "yaml", "yml", "toml", "ini", "conf", "cfg", "config", "properties", "xml", "env", "sh", "py",
	"go", "rb", "rs", "php", "java", "class", "jar", "war", "html", "htm", "css", "scss", "txt", "md", "log", "sql", "db", "pem", "crt", "key",
	"cert", "zip", "tar", "gz", "tgz", "so", "dll", "exe", "lock", "tmpl", "tpl", "template", "sock", "pid", "png", "svg", "cs", "ps1", "bat",
}

// commonEndings are those that make a dotted word a host without any other sign of it.
var commonEndings = []string{
	"com", "net", "org", "io", "app", "cloud", "example", "dev", "tech", "xyz", "info", "biz", "systems", "services", "site", "online", "aws",
}

// looksLikeHost says whether a bare word may be a host. A hint is that its name speaks of hosts.
func looksLikeHost(word string, hint bool) bool {
	word = strings.ToLower(word)
	if !hostname.MatchString(word) {
		return false
	}
	labels := strings.Split(word, ".")
	last := labels[len(labels)-1]
	switch {
	case len(labels) == 1:
		return hint
	case slices.Contains(fileEndings, last):
		return false
	case hint || len(last) == 2:
		return true
	}
	return slices.Contains(commonEndings, last) || slices.Contains(privateEndings, last)
}
