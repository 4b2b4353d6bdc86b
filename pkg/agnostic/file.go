package agnostic

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/org/promote/pkg/contents"
)

const (
	// window in bytes is how much of a file is held at once.
	window = 256 << 10
	// ahead in bytes is how much is kept for the next window, so that what begins near a window's end is seen whole. The longest
	// thing that is looked for is a key.
	ahead = longestKey + 1024
	// behind in bytes is kept before that: what stands before a word, and the beginning of its line.
	behind = 1024
	// sniffed in bytes tells text from binaries by a NUL, as git does it.
	sniffed = 8000
)

// fileScan looks at one file after the other, a window at a time.
type fileScan struct {
	scan   *Scan
	entry  contents.Entry
	where  place
	buffer []byte
	begun  bool
	binary bool
	packed bool // it is a file in an archive: its bytes are those of the archive
	from   int  // in the buffer: what is before it was looked at
	lines  int  // newlines before the buffer
	bytes  int64
	counts map[string]int
	seen   map[string]bool
}

// start begins a file; the buffer is used again.
func (f *fileScan) start(s *Scan, e contents.Entry, where place) {
	*f = fileScan{scan: s, entry: e, where: where, buffer: f.buffer[:0]}
	if f.buffer == nil {
		f.buffer = make([]byte, 0, window+256<<10)
	}
}

// Write implements [io.Writer].
func (f *fileScan) Write(p []byte) (int, error) {
	f.bytes += int64(len(p))
	n := len(p)
	for len(p) > 0 {
		take := min(len(p), cap(f.buffer)-len(f.buffer))
		f.buffer = append(f.buffer, p[:take]...)
		p = p[take:]
		if len(f.buffer) >= window {
			f.look(len(f.buffer) - ahead)
			f.slide()
		}
	}
	return n, nil
}

// Close implements [io.Closer]: it looks at the rest.
func (f *fileScan) Close() error {
	f.look(len(f.buffer))
	if f.packed {
		return nil
	}
	f.scan.bytes += f.bytes
	if f.bytes < f.entry.Size {
		f.scan.cut++
	}
	return nil
}

// slide drops what was looked at.
func (f *fileScan) slide() {
	drop := max(len(f.buffer)-ahead-behind, 0)
	f.lines += bytes.Count(f.buffer[:drop], newline)
	f.buffer = append(f.buffer[:0], f.buffer[drop:]...)
	f.from = len(f.buffer) - ahead
}

var newline = []byte("\n")

// look applies the rules to what begins between from and to.
func (f *fileScan) look(to int) {
	if !f.begun {
		f.begun = true
		head := f.buffer[:min(len(f.buffer), sniffed)]
		f.binary = bytes.IndexByte(head, 0) >= 0
		if !f.binary {
			f.byName(f.buffer)
		}
	}
	report := func(at int, kind Kind, excerpt string) {
		if at >= f.from && at < to {
			f.report(at, kind, excerpt)
		}
	}
	if mayHoldKey(f.where, f.entry.Path, f.binary) {
		privateKeys(f.buffer, func(at int, label string) { report(at, PrivateKey, "-----BEGIN "+printable(label)+"-----***") })
	}
	findTokens(f.buffer, func(at int, t token) { report(at, t.kind, t.begin+"***") })
	if f.binary {
		return
	}
	findAWSSecrets(f.buffer, func(at int) { report(at, AWSSecretKey, "secret access key = ***") })
	if f.where != own || isProse(f.entry.Path) {
		return
	}
	endpoints := speaksOfEndpoints(f.entry.Path)
	addresses(f.buffer, func(at int, a address) {
		if a.login && !a.placeholder && !a.isLocal() {
			report(at, Credential, a.String())
		}
		if endpoints && f.scan.hosts.environment(a.host) != "" && !f.inComment(at) {
			report(at, Endpoint, a.String())
		}
	})
	if endpoints && isSettings(f.entry.Path) {
		f.settings(to)
	}
}

// report adds a finding, the first few of a kind and each excerpt of a kind once.
func (f *fileScan) report(at int, kind Kind, excerpt string) {
	if f.seen == nil {
		f.seen, f.counts = map[string]bool{}, map[string]int{}
	}
	key := string(kind) + " " + excerpt
	if kind == Endpoint && f.seen[key] || f.counts[string(kind)] >= mostInFile {
		return
	}
	f.seen[key] = true
	f.counts[string(kind)]++
	line := 0
	if !f.binary && at >= 0 {
		line = f.lines + bytes.Count(f.buffer[:at], newline) + 1
	}
	f.scan.add(f.entry, Finding{Kind: kind, Line: line, Excerpt: excerpt})
}

// comments are how lines begin that configure nothing.
var comments = [][]byte{[]byte("#"), []byte(";"), []byte("//"), []byte("*"), []byte("/*"), []byte("--"), []byte("<!--"), []byte("REM "), []byte("!")}

// inComment says whether a place is in a line that is a comment.
func (f *fileScan) inComment(at int) bool {
	// A minified program is one long line: what it begins with says nothing about what is far behind.
	from := max(at-behind, 0)
	start := bytes.LastIndexByte(f.buffer[from:at], '\n') + 1
	if start == 0 && from > 0 {
		return false
	}
	line := bytes.TrimLeft(f.buffer[from+start:at], " \t")
	return slices.ContainsFunc(comments, func(mark []byte) bool { return bytes.HasPrefix(line, mark) })
}

// printable keeps what may stand in a log line, up to 40 characters.
func printable(text string) string {
	clean := make([]rune, 0, len(text))
	for _, r := range text {
		if r < ' ' || r == utf8.RuneError || r == 0x7f {
			r = '?'
		}
		if clean = append(clean, r); len(clean) == 40 {
			break
		}
	}
	return string(clean)
}
