package tests

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
)

// longestLine bounds, in bytes, a line that is looked at. Events of go test are far shorter, as test2json cuts the output that
// they carry; what is longer is passed on as it comes.
const longestLine = 256 << 10

// event is a line of `go test -json`: https://pkg.go.dev/cmd/test2json.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

// goReport reads the stdout of a command. Lines of `go test -json` become results, whatever command they come from; a person
// sees what go test prints without -json, plus all other lines as they are.
type goReport struct {
	out       io.Writer
	seen      bool
	pending   []byte
	long      bool // the line that has begun is too long to be an event
	packages  []*goPackage
	byName    map[string]*goPackage
	builds    map[string]*tailText // output of builds by import path
	tests     int
	names     int // bytes of all names
	live      live
	tooMany   bool
	allowance allowance
}

type goPackage struct {
	name    string
	tests   []*goTest // in the order in which they began
	byName  map[string]*goTest
	output  tailText
	outcome Outcome // of its last run
	// failedBefore says that the package failed and then passed when it was run again.
	failedBefore bool
	failedBuild  string
}

type goTest struct {
	name    string
	outcome Outcome // empty while it runs
	// failedBefore says that an earlier run of the test failed; output is then of that run.
	failedBefore bool
	paused       bool // waits for its turn among parallel tests
	took         time.Duration
	output       tailText
	kept         string // the output of a test that failed
	// subtests, failedSubtests and openSubtests count what is below this one, filled in by results.
	subtests, failedSubtests, openSubtests int
}

func newGoReport(out io.Writer) *goReport {
	return &goReport{out: out, byName: map[string]*goPackage{}, builds: map[string]*tailText{}}
}

func (g *goReport) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		g.piece(rest[:end], rest[end-1] == '\n')
		rest = rest[end:]
	}
	return len(p), nil
}

// piece takes a line or a part of one.
func (g *goReport) piece(part []byte, ends bool) {
	switch {
	case g.long:
		_, _ = g.out.Write(part)
		g.long = !ends
	case len(g.pending)+len(part) > longestLine:
		_, _ = g.out.Write(append(g.pending, part...))
		g.pending, g.long = nil, !ends
	case !ends:
		g.pending = append(g.pending, part...)
	case len(g.pending) > 0:
		g.line(append(g.pending, part...))
		g.pending = g.pending[:0]
	default:
		g.line(part)
	}
}

// flush takes a last line that does not end.
func (g *goReport) flush() {
	if len(g.pending) > 0 {
		g.line(append(g.pending, '\n'))
		g.pending = nil
	}
}

// eventStarts are how lines of go test begin: events of tests have the time first, those of builds the path.
var eventStarts = [][]byte{[]byte(`{"Time":"`), []byte(`{"ImportPath":"`), []byte(`{"Action":"`)}

func (g *goReport) line(line []byte) {
	// A program that printed without a newline before leaves the event in mid-line.
	for _, start := range eventStarts {
		if at := bytes.Index(line, start); at >= 0 {
			var e event
			if json.Unmarshal(line[at:], &e) != nil || e.Action == "" || (e.Package == "" && e.ImportPath == "") {
				break
			}
			if at > 0 {
				_, _ = g.out.Write(append(line[:at:at], '\n'))
			}
			g.event(e)
			return
		}
	}
	_, _ = g.out.Write(line)
}

func (g *goReport) event(e event) {
	g.seen = true
	switch {
	case strings.HasPrefix(e.Action, "build-"):
		if t := g.build(e.ImportPath); t != nil {
			g.live.add(t, e.Output)
		}
		_, _ = io.WriteString(g.out, e.Output)
	default:
		p := g.pkg(e.Package)
		switch {
		case p == nil:
			_, _ = io.WriteString(g.out, e.Output)
		case e.Test == "":
			g.packageEvent(p, e)
		default:
			if t := g.test(p, e.Test); t != nil {
				g.testEvent(t, e)
			}
		}
	}
}

// room says whether one more name can be remembered.
func (g *goReport) room(name string, count, most int) bool {
	if count >= most || g.names+len(name) > namesCap {
		g.tooMany = true
		return false
	}
	g.names += len(name)
	return true
}

// build gives the output of a build, or nil when there are too many to tell apart.
func (g *goReport) build(path string) *tailText {
	id := key(path)
	t := g.builds[id]
	if t == nil && g.room(id, len(g.builds), mostPackages) {
		t = &tailText{}
		g.builds[id] = t
	}
	return t
}

func (g *goReport) packageEvent(p *goPackage, e event) {
	switch e.Action {
	case "start":
		p.failedBefore = p.failedBefore || p.outcome == Failed
		p.outcome = ""
		g.live.drop(&p.output)
	case "output":
		g.live.add(&p.output, e.Output)
		// The bare words are said again, with the package's name, by the line that follows.
		if e.Output != "PASS\n" && e.Output != "FAIL\n" {
			_, _ = io.WriteString(g.out, e.Output)
		}
	case "fail":
		p.outcome, p.failedBuild = Failed, key(e.FailedBuild)
	case "pass", "skip":
		p.outcome = Passed
		g.live.drop(&p.output)
	}
}

func (g *goReport) testEvent(t *goTest, e event) {
	switch e.Action {
	case "run":
		t.failedBefore = t.failedBefore || t.outcome == Failed
		t.outcome, t.paused = "", false
		g.live.drop(&t.output)
	case "pause":
		t.paused = true
	case "cont":
		t.paused = false
	case "output":
		g.live.add(&t.output, e.Output)
	case "pass", "skip":
		t.outcome = map[string]Outcome{"pass": Passed, "skip": Skipped}[e.Action]
		t.took = max(t.took, seconds(e.Elapsed))
		g.live.drop(&t.output)
	case "fail":
		t.outcome = Failed
		t.took = max(t.took, seconds(e.Elapsed))
		shown := quiet(t.output.String())
		_, _ = io.WriteString(g.out, shown)
		t.kept = g.allowance.of(shown)
		g.live.drop(&t.output)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// pkg gives the package of that path, or nil when there are too many to tell apart.
func (g *goReport) pkg(path string) *goPackage {
	id := key(path)
	p := g.byName[id]
	if p == nil && g.room(id, len(g.packages), mostPackages) {
		p = &goPackage{name: name(path), byName: map[string]*goTest{}}
		g.byName[id] = p
		g.packages = append(g.packages, p)
	}
	return p
}

// test gives the test of that name, or nil when there are too many to tell apart.
func (g *goReport) test(p *goPackage, called string) *goTest {
	id := key(called)
	t := p.byName[id]
	if t == nil && g.room(id, g.tests, mostTests) {
		g.tests++
		t = &goTest{name: name(called)}
		p.byName[id] = t
		p.tests = append(p.tests, t)
	}
	return t
}

// quiet leaves out the lines that only say that a test began or went on.
func quiet(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(strings.TrimSpace(line), "=== ") {
			b.WriteString(line)
		}
	}
	return b.String()
}
