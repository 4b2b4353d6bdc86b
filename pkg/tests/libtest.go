package tests

import (
	"regexp"
	"strconv"
	"strings"
)

// libtest reads what the tests of cargo print: https://doc.rust-lang.org/rustc/tests/index.html. Stable Rust has no other
// report. Where the lines are not whole, as when tests print in between, the counts at the end differ; then nothing is
// reported and the exit code speaks alone.
type libtest struct {
	tests   []Test
	reading bool // between "running … tests" and "test result: …"
	from    int  // where in tests this binary's begin
	wrong   bool
	output  map[string]*tailText // of failed tests
	current *tailText
	live    live
}

var (
	libtestBegin  = regexp.MustCompile(`^running \d+ tests?$`)
	libtestTest   = regexp.MustCompile(`^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored(?:, .*)?)$`)
	libtestOutput = regexp.MustCompile(`^---- (.+) stdout ----$`)
	libtestEnd    = regexp.MustCompile(`^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored;`)
)

func (l *libtest) take(line string) {
	if !l.reading {
		if strings.HasPrefix(line, "running ") && libtestBegin.MatchString(line) {
			l.reading, l.from, l.output, l.current = true, len(l.tests), map[string]*tailText{}, nil
		}
		return
	}
	switch m := libtestTest.FindStringSubmatch(line); {
	case m != nil && l.current == nil:
		outcomes := map[string]Outcome{"ok": Passed, "FAILED": Failed}
		one := Test{Name: name(m[1]), Outcome: outcomes[m[2]]}
		if one.Outcome == "" {
			one.Outcome = Skipped
		}
		if len(l.tests) == mostTests {
			l.wrong = true
			return
		}
		l.tests = append(l.tests, one)
	case strings.HasPrefix(line, "test result: "):
		l.end(line)
	case libtestOutput.MatchString(line):
		l.current = &tailText{}
		if of := libtestOutput.FindStringSubmatch(line)[1]; len(l.output) < mostTests {
			l.output[name(of)] = l.current
		}
	case line == "failures:":
		l.current = nil
	case l.current != nil:
		l.live.add(l.current, line+"\n")
	}
}

// end takes the line that ends a binary's tests and gives the counts.
func (l *libtest) end(line string) {
	l.reading = false
	m := libtestEnd.FindStringSubmatch(line)
	if m == nil {
		l.wrong = true
		return
	}
	found := Results{Tests: l.tests[l.from:]}
	for i, want := range []int{found.Count(Passed), found.Count(Failed), found.Count(Skipped)} {
		if m[i+1] != strconv.Itoa(want) {
			l.wrong = true
		}
	}
	for i := l.from; i < len(l.tests); i++ {
		if output := l.output[l.tests[i].Name]; output != nil && l.tests[i].Outcome == Failed {
			l.tests[i].Output = strings.TrimSpace(output.String())
		}
	}
}

// results gives the tests with their places.
func (l *libtest) results(at *Places) Results {
	if l.wrong || l.reading || len(l.tests) == 0 {
		return Results{}
	}
	var kept allowance
	for i := range l.tests {
		t := &l.tests[i]
		t.Output = kept.of(t.Output)
		t.File, t.Line = at.in(t.Output, at.dir, at.workspace)
	}
	return Results{Known: true, Tests: l.tests}
}
