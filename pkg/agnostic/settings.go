package agnostic

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// settingsEndings are of files that hold names and values, where a host may stand without a scheme.
var settingsEndings = []string{".yaml", ".yml", ".json", ".toml", ".ini", ".conf", ".cfg", ".properties", ".env", ".config"}

func isSettings(p string) bool {
	name := strings.ToLower(path.Base(p))
	return slices.Contains(settingsEndings, path.Ext(name)) || strings.HasPrefix(name, ".env")
}

// isProse says whether a file is documentation, a template, a test or a description of types: the passwords in URLs are examples.
func isProse(p string) bool {
	name := strings.ToLower(path.Base(p))
	return isTemplate(name) || isTrial(name) || strings.HasSuffix(name, ".d.ts") || inFolder(p, trialFolders) || slices.ContainsFunc(proseNames, func(word string) bool { return strings.HasPrefix(name, word) }) ||
		slices.Contains([]string{".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".map", ".po", ".pot"}, path.Ext(name))
}

// hostSetting matches a name that speaks of a host, and its value.
var hostSetting = regexp.MustCompile(`(?i)(?:host|hostname|hosts|url|uri|endpoint|endpoints|addr|address|server|servers|broker|brokers|domain|origin|upstream)["']?\s{0,4}[:=]\s{0,4}["']?([a-z0-9][a-z0-9_.-]*)`)

// longestLine in bytes that is searched for settings; a longer one is data.
const longestLine = 16 << 10

// settings finds hosts without a scheme, by the names of what they are the value of.
func (f *fileScan) settings(to int) {
	start := bytes.LastIndexByte(f.buffer[:f.from], '\n') + 1
	for start < to {
		end := len(f.buffer)
		if i := bytes.IndexByte(f.buffer[start:], '\n'); i >= 0 {
			end = start + i
		}
		f.setting(start, f.buffer[start:min(end, start+longestLine)], to)
		start = end + 1
	}
}

// setting looks at one line.
func (f *fileScan) setting(start int, line []byte, to int) {
	if !f.scan.hosts.mentions(strings.ToLower(string(line))) {
		return
	}
	for _, m := range hostSetting.FindAllSubmatchIndex(line, -1) {
		at := start + m[2]
		host := strings.ToLower(string(line[m[2]:m[3]]))
		if bytes.HasPrefix(line[m[3]:], urlMark) || at < f.from || at >= to {
			continue // a URL has been seen already
		}
		if looksLikeHost(host, true) && f.scan.hosts.environment(host) != "" && !f.inComment(at) {
			f.report(at, Endpoint, host)
		}
	}
}
