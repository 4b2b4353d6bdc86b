package sbom

import (
	"bytes"
	"context"
	"io"
	"path"
	"strings"

	"github.com/org/promote/pkg/contents"
)

const (
	// longestRecord in bytes of a package's own description, of which only the first lines count.
	longestRecord = 1 << 20
	// longestDatabase in bytes; Debian's with all packages of a desktop has 5 MiB.
	longestDatabase = 64 << 20
)

// Make reads the whole image and gives its bill of materials as JSON. Repository names the image; it has neither tag nor digest.
func Make(ctx context.Context, img contents.Image, repository string, limits contents.Limits) ([]byte, error) {
	c := NewCollector()
	defer c.Close()
	if err := contents.Walk(ctx, img, limits, c); err != nil {
		return nil, err
	}
	return c.Predicate(img, repository)
}

// Collector gathers packages as a visitor, for a walk that others share. Close it in the end.
type Collector struct {
	// facts are what each file tells of, by its path.
	facts   map[string]fact
	release map[string]string // os-release
	spool   spool
}

// fact is what one file tells.
type fact struct {
	layer    int
	packages []pkg
}

// NewCollector begins a bill of materials.
func NewCollector() *Collector { return &Collector{facts: map[string]fact{}} }

// Close removes the temporary file that programs were read from.
func (c *Collector) Close() { c.spool.remove() }

// Visit implements [contents.Visitor].
func (c *Collector) Visit(e contents.Entry) io.WriteCloser {
	c.hide(e)
	if e.Kind != contents.File || e.Size == 0 {
		return nil
	}
	if read := readerOf(e.Path); read != nil {
		return &record{collector: c, entry: e, read: read}
	}
	return &program{collector: c, entry: e}
}

// hide drops what a higher layer makes invisible.
func (c *Collector) hide(e contents.Entry) {
	switch e.Kind {
	case contents.Folder:
	case contents.Whiteout, contents.Opaque:
		for p, f := range c.facts {
			if f.layer < e.Layer && e.Hides(p) {
				delete(c.facts, p)
			}
		}
	default:
		delete(c.facts, e.Path)
	}
}

func (c *Collector) add(e contents.Entry, packages []pkg) {
	if len(packages) > 0 {
		c.facts[e.Path] = fact{e.Layer, packages}
	}
}

// reader reads a package manager's file.
type reader struct {
	most int
	read func(c *Collector, e contents.Entry, data []byte)
}

// readerOf knows the files of package managers by their place.
func readerOf(p string) *reader {
	folder, name := path.Split(p)
	switch {
	case p == "/var/lib/dpkg/status", strings.HasPrefix(p, "/var/lib/dpkg/status.d/") && !strings.HasSuffix(name, ".md5sums"):
		return &reader{longestDatabase, readDpkg}
	case p == "/lib/apk/db/installed", p == "/usr/lib/apk/db/installed":
		return &reader{longestDatabase, readApk}
	case p == "/etc/os-release", p == "/usr/lib/os-release":
		return &reader{longestRecord, readRelease}
	case name == "METADATA" && strings.HasSuffix(folder, ".dist-info/"), name == "PKG-INFO" && strings.HasSuffix(folder, ".egg-info/"),
		strings.HasSuffix(name, ".egg-info"):
		return &reader{longestRecord, readPython}
	case name == "package.json" && isNodePackage(folder):
		return &reader{longestRecord, readNode}
	}
	return nil
}

// isNodePackage says whether a folder is that of an installed package: node_modules/name/ or node_modules/@scope/name/. A
// package.json further down belongs to a package's own tests and builds.
func isNodePackage(folder string) bool {
	parent, _ := path.Split(strings.TrimSuffix(folder, "/"))
	if scope := path.Base(parent); strings.HasPrefix(scope, "@") {
		parent, _ = path.Split(strings.TrimSuffix(parent, "/"))
	}
	return path.Base(parent) == "node_modules"
}

// record keeps a file of a package manager up to its bound.
type record struct {
	collector *Collector
	entry     contents.Entry
	read      *reader
	data      bytes.Buffer
}

// Write implements [io.Writer].
func (r *record) Write(p []byte) (int, error) {
	r.data.Write(p[:min(len(p), r.read.most-r.data.Len())])
	return len(p), nil
}

// Close implements [io.Closer].
func (r *record) Close() error {
	r.read.read(r.collector, r.entry, r.data.Bytes())
	return nil
}
