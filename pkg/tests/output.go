package tests

import (
	"errors"
	"fmt"
	"io"
)

// Output reads what a command prints while it passes it on for people: the events of `go test -json`, which tests were run
// again, what cargo's tests came to, and what was printed last.
type Output struct {
	watch  watch
	events *goReport
}

// NewOutput passes everything on to a writer.
func NewOutput(to io.Writer) *Output {
	o := &Output{watch: watch{out: to}}
	o.events = newGoReport(&o.watch)
	return o
}

// Stdout takes the command's standard output, in which events of go test are looked for.
func (o *Output) Stdout() io.Writer { return o.events }

// Stderr takes the command's standard error.
func (o *Output) Stderr() io.Writer { return &o.watch }

// End passes on a last line that does not end. Nothing may be written after it.
func (o *Output) End() { o.events.flush() }

// Last gives the last line that was printed, without colours.
func (o *Output) Last() string { return o.watch.last() }

// Results puts together what the output and the JUnit files of a command that ended with that exit code say. What it gives is
// as complete as can be even with an error.
func (o *Output) Results(at *Places, files []string, code int) (Results, error) {
	found := o.events.results(at)
	fromFiles, err := readJUnit(at, files)
	found = found.join(fromFiles)
	if !found.Known {
		found = o.watch.cargo.results(at)
	}
	found.retried(o.watch.retried())
	found.settle(code)
	if o.events.tooMany {
		err = errors.Join(err, fmt.Errorf("reading the events of go test: there are more than %d tests or %d packages, or their names have more than %d MiB", mostTests, mostPackages, namesCap>>20))
	}
	return found, err
}
