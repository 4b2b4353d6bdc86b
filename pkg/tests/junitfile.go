package tests

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// deepestReport bounds how deep the elements of a JUnit file may be nested. Suites within suites need a handful.
const deepestReport = 64

// junitFile reads one JUnit file as a stream: https://github.com/testmoapp/junitxml says what runners write. What it holds in
// memory is bounded whatever the file holds; entities that a file defines by itself are an error and not expanded.
type junitFile struct {
	base      string
	tests     []reported
	byName    map[string]int // index in tests of the last one of that name
	allowance *allowance
	room      int // how many more tests may come

	open  []string // names of the open elements
	suite []suiteElement
	test  *reported
	text  *tailText // of the failure that is open
	muted int       // elements of output that are open, which is no part of a failure
	state struct {
		failed, skipped, flaky bool
		output                 strings.Builder
	}
}

// reported is a test with the attributes that say where it is.
type reported struct {
	Test
	attrFile string
	attrLine int
}

type suiteElement struct{ name, file string }

// read takes the file to its end.
func (f *junitFile) read(in io.Reader) error {
	d := NewDecoder(&readable{in: bufio.NewReaderSize(in, 64<<10)})
	// What is not UTF-8 was replaced before it comes here, whatever the file says it is.
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(charset), "utf-16") {
			return nil, fmt.Errorf("it is in %s; write it in UTF-8", charset)
		}
		return in, nil
	}
	some := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if !some {
				return errors.New("it is empty")
			}
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := d.InputPos()
		switch token := token.(type) {
		case xml.StartElement:
			if err := f.start(token, !some); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			some = true
		case xml.EndElement:
			f.end(token.Name.Local)
		case xml.CharData:
			if f.text != nil && f.muted == 0 {
				f.text.add(string(token))
			}
		}
	}
}

func (f *junitFile) start(e xml.StartElement, root bool) error {
	element := e.Name.Local
	if root && element != "testsuites" && element != "testsuite" {
		return fmt.Errorf("its first element is <%s>, and that of a JUnit file is <testsuites> or <testsuite>", name(element))
	}
	if len(f.open) == deepestReport {
		return fmt.Errorf("its elements are nested more than %d deep", deepestReport)
	}
	f.open = append(f.open, element)
	attributes := map[string]string{}
	for _, a := range e.Attr {
		attributes[a.Name.Local] = a.Value
	}
	switch element {
	case "testsuite":
		f.suite = append(f.suite, suiteElement{name: name(attributes["name"]), file: attributes["file"]})
	case "testcase":
		return f.begin(attributes)
	case "skipped", "ignored", "disabled":
		f.state.skipped = f.test != nil
	case "failure", "error":
		f.fails(&f.state.failed, attributes["message"])
	case "flakyFailure", "flakyError":
		f.fails(&f.state.flaky, attributes["message"])
	case "system-out", "system-err", "properties":
		f.muted++
	}
	return nil
}

func (f *junitFile) begin(attributes map[string]string) error {
	if f.room--; f.room < 0 {
		return fmt.Errorf("there are more than %d tests", mostTests)
	}
	var above suiteElement
	if len(f.suite) > 0 {
		above = f.suite[len(f.suite)-1]
	}
	line, _ := strconv.Atoi(attributes["line"])
	f.test = &reported{
		Test: Test{
			Suite: name(cmp.Or(attributes["classname"], attributes["class"], above.name)),
			Name:  name(attributes["name"]), Took: duration(attributes["time"]), Outcome: Passed,
		},
		attrFile: cmp.Or(attributes["file"], above.file), attrLine: max(line, 0),
	}
	f.state.failed, f.state.skipped, f.state.flaky = false, false, false
	f.state.output.Reset()
	switch strings.ToLower(attributes["status"]) { // as googletest and others say it
	case "notrun", "skipped", "disabled", "ignored":
		f.state.skipped = true
	}
	return nil
}

// fails begins a failure, whose text follows.
func (f *junitFile) fails(which *bool, message string) {
	if f.test == nil {
		return
	}
	*which = true
	f.text = &tailText{}
	if f.state.output.Len() < outputCap {
		f.state.output.WriteString(last(message, outputCap))
		f.state.output.WriteByte('\n')
	}
}

func (f *junitFile) end(element string) {
	f.open = f.open[:len(f.open)-1]
	switch element {
	case "failure", "error", "flakyFailure", "flakyError":
		if f.text == nil || f.test == nil {
			return
		}
		// Runners repeat the message at the head of the text.
		text, message := strings.TrimSpace(f.text.String()), strings.TrimSpace(f.state.output.String())
		if text != "" {
			f.state.output.Reset()
			if !strings.Contains(text, message) {
				text = message + "\n" + text
			}
			f.state.output.WriteString(text + "\n")
		}
		f.text = nil
	case "system-out", "system-err", "properties":
		f.muted--
	case "testsuite":
		f.suite = f.suite[:len(f.suite)-1]
	case "testcase":
		f.done()
	}
}

// done takes a test that ended. Runners that run a failed test again write it twice; a failure and then a pass may be one
// test that is flaky.
func (f *junitFile) done() {
	if f.test == nil {
		return
	}
	t := *f.test
	f.test = nil
	switch {
	case f.state.failed:
		t.Outcome = Failed
	case f.state.skipped:
		t.Outcome = Skipped
	case f.state.flaky:
		t.Flaky = true
	}
	if f.state.failed || f.state.flaky {
		t.Output = f.allowance.of(strings.TrimSpace(f.state.output.String()))
	}
	key := t.String()
	i, again := f.byName[key]
	if again && f.tests[i].Outcome == Failed && t.Outcome != Skipped {
		before := &f.tests[i]
		before.recovered = t.Outcome == Passed
		before.Took = max(before.Took, t.Took)
		if t.Outcome == Failed {
			before.Output = t.Output
		}
		return
	}
	f.byName[key] = len(f.tests)
	f.tests = append(f.tests, t)
}

// duration reads seconds, which some runners write with separators for thousands.
func duration(text string) time.Duration {
	s, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil || s != s || s < 0 || s > 1e6 {
		return 0
	}
	return seconds(s)
}
