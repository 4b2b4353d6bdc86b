package tests

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// outputCap bounds, in bytes, what is kept of one test's output. Its end says why it failed, so the front is cut.
	outputCap = 64 << 10
	// outputsCap bounds what is kept of all failed tests together; past it each keeps its last lines alone.
	outputsCap = 16 << 20
	// scantCap is what a failed test keeps when outputsCap is used up.
	scantCap = 512
	// longestName bounds the name of a test or suite in bytes.
	longestName = 1 << 10
	// liveCap bounds what is kept of tests that have not ended, of packages and of builds together; past it each keeps its last
	// lines alone.
	liveCap = 64 << 20
	// namesCap bounds the names of all tests and packages together.
	namesCap = 128 << 20
	// mostPackages bounds how many packages, and how many builds, are told apart.
	mostPackages = 50_000
	// mostTests bounds how many tests of one run are told apart. Real suites stay far below.
	mostTests = 500_000
)

// tailText is the end of a text that grows.
type tailText struct{ data []byte }

// add appends, and cuts the front once there is twice the cap, so that a byte is moved once and not with each line.
func (t *tailText) add(text string) {
	if len(text) > outputCap {
		text = text[len(text)-outputCap:]
	}
	t.data = append(t.data, text...)
	if len(t.data) > 2*outputCap {
		t.data = append(t.data[:0], t.data[len(t.data)-outputCap:]...)
	}
}

// drop forgets the text.
func (t *tailText) drop() { t.data = nil }

// keep cuts all but the end.
func (t *tailText) keep(most int) { t.data = []byte(last(string(t.data), most)) }

// live counts what texts that still grow hold together.
type live struct{ used int }

// add appends to a text, of which only the end is kept once all together have too much.
func (l *live) add(t *tailText, text string) {
	before := len(t.data)
	t.add(text)
	if l.used+len(t.data)-before > liveCap {
		t.keep(scantCap)
	}
	l.used += len(t.data) - before
}

// drop forgets a text.
func (l *live) drop(t *tailText) {
	l.used -= len(t.data)
	t.drop()
}

func (t *tailText) String() string { return last(string(t.data), outputCap) }

// allowance is how much of the outputs of failed tests may still be kept.
type allowance struct{ used int }

// of gives what is kept of an output.
func (a *allowance) of(output string) string {
	most := outputCap
	if a.used+len(output) > outputsCap {
		most = scantCap
	}
	kept := last(output, most)
	if len(kept) < len(output) {
		kept = strings.Clone(kept) // a part would keep the whole in memory
	}
	a.used += len(kept)
	return kept
}

// last gives at most so many bytes from the end.
func last(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[len(text)-most:], "")
}

// key tells tests apart whose names are too long to be kept.
func key(text string) string {
	if len(text) <= longestName {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return name(text) + hex.EncodeToString(sum[:])
}

// name bounds the name of a test.
func name(text string) string {
	if len(text) <= longestName {
		return text
	}
	return strings.ToValidUTF8(text[:longestName], "") + "…" // a new text: a part would keep the whole in memory
}
