package sbom

import (
	"bufio"
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/org/promote/pkg/contents"
)

// paragraphs reads "Key: value" lines in blocks that empty lines part, as Debian's control files and mail headers are. Lines
// that begin with a space continue the one before, and none that is asked for has any.
func paragraphs(data []byte, separator string, each func(fields map[string]string)) {
	fields := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, longestDatabase)
	for lines.Scan() {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			if len(fields) > 0 {
				each(fields)
			}
			fields = map[string]string{}
			continue
		}
		key, value, found := strings.Cut(line, separator)
		if _, twice := fields[key]; found && !twice && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			fields[key] = strings.TrimSpace(value)
		}
	}
	if len(fields) > 0 {
		each(fields)
	}
}

// readDpkg reads Debian's database: one paragraph for each package, those that are removed among them (deb-control(5), dpkg(1)).
func readDpkg(c *Collector, e contents.Entry, data []byte) {
	var all []pkg
	paragraphs(data, ":", func(f map[string]string) {
		// Distroless images have no Status: what is there is installed.
		if status, found := f["Status"]; f["Package"] == "" || found && !strings.HasSuffix(status, " installed") {
			return
		}
		source, _, _ := strings.Cut(f["Source"], " ") // the version in brackets is that of the source, when it is another
		if source == f["Package"] {
			source = ""
		}
		all = append(all, pkg{kind: "deb", name: f["Package"], version: f["Version"], architecture: f["Architecture"], source: source})
	})
	c.add(e, all)
}

// readApk reads Alpine's database: keys of one letter (wiki.alpinelinux.org, "Apk spec").
func readApk(c *Collector, e contents.Entry, data []byte) {
	var all []pkg
	paragraphs(data, ":", func(f map[string]string) {
		if f["P"] == "" {
			return
		}
		source := f["o"]
		if source == f["P"] {
			source = ""
		}
		all = append(all, pkg{kind: "apk", name: f["P"], version: f["V"], architecture: f["A"], source: source})
	})
	c.add(e, all)
}

// readRelease reads which distribution this is (os-release(5)); /etc/os-release wins.
func readRelease(c *Collector, e contents.Entry, data []byte) {
	if c.release != nil && e.Path != "/etc/os-release" {
		return
	}
	c.release = map[string]string{}
	for line := range strings.SplitSeq(string(data), "\n") {
		key, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if !found {
			continue
		}
		if text, err := strconv.Unquote(value); err == nil {
			value = text
		}
		c.release[key] = strings.Trim(value, `'`)
	}
}

// separators are written alike in package URLs of pypi, as the index itself does (PEP 503).
var separators = regexp.MustCompile(`[-_.]+`)

// readPython reads a distribution's metadata: the headers of a mail (PEP 566).
func readPython(c *Collector, e contents.Entry, data []byte) {
	head, _, _ := bytes.Cut(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	paragraphs(head, ":", func(f map[string]string) {
		if f["Name"] != "" {
			c.add(e, []pkg{{kind: "pypi", name: strings.ToLower(separators.ReplaceAllString(f["Name"], "-")), version: f["Version"]}})
		}
	})
}

// readNode reads the description of an npm package.
func readNode(c *Collector, e contents.Entry, data []byte) {
	var described struct{ Name, Version string }
	if err := json.Unmarshal(data, &described); err != nil || described.Name == "" || described.Version == "" {
		return // packages have files of that name which describe no package
	}
	namespace, name, scoped := strings.Cut(described.Name, "/")
	if !scoped {
		namespace, name = "", described.Name
	}
	c.add(e, []pkg{{kind: "npm", namespace: namespace, name: name, version: described.Version}})
}
