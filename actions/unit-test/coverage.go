package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/tests"
)

// mostUnits bounds how many lines or blocks one coverage file may tell apart.
const mostUnits = 5_000_000

// unit is what a report counts: a line of a file, or a block of statements as Go has it.
type unit struct {
	file string
	// at is the line, or the range of a Go block.
	at string
}

// weight is how much a unit counts and whether it was run.
type weight struct {
	size int
	run  bool
}

// coverage is what one or more reports say. Two that speak of one unit are joined: it was run if one of them ran it.
type coverage struct {
	units map[unit]weight
	// totals are of reports that name no single line.
	covered, valid int
}

// add counts a unit; it is not ok when there are too many.
func (c *coverage) add(u unit, w weight) error {
	if c.units == nil {
		c.units = map[unit]weight{}
	}
	before, known := c.units[u]
	if !known && len(c.units) == mostUnits {
		return fmt.Errorf("there are more than %d lines or blocks", mostUnits)
	}
	c.units[u] = weight{size: max(w.size, before.size), run: w.run || before.run}
	return nil
}

// join adds another report.
func (c *coverage) join(other coverage) error {
	var err error
	for u, w := range other.units {
		err = cmp.Or(err, c.add(u, w))
	}
	c.covered, c.valid = c.covered+other.covered, c.valid+other.valid
	return err
}

// tenths gives the share in tenths of a percent, rounded; -1 when nothing could be run. Only all is 100 %.
func (c *coverage) tenths() int {
	covered, valid := c.covered, c.valid
	for _, w := range c.units {
		valid += w.size
		if w.run {
			covered += w.size
		}
	}
	switch {
	case valid == 0:
		return -1
	case covered == valid:
		return 1000
	}
	return min(999, (covered*2000+valid)/(2*valid))
}

// readCoverage reads the coverage files that match the patterns, and those that the command put beside its JUnit files. What
// does not read is a warning and left out: coverage tells, and decides nothing.
func readCoverage(a *gha.Action, in inputs, own []string, began time.Time) int {
	files, err := tests.FindReports("coverage", in.dir, in.coverage, began)
	if err != nil {
		a.Warningf("%v", err)
	}
	if files.Stale > 0 {
		a.Warningf("left out %d coverage files that are older than this run", files.Stale)
	}
	if len(in.coverage) > 0 && len(files.Found) == 0 && files.Stale == 0 && err == nil {
		a.Warningf("the command wrote no coverage file that matches the input `coverage`")
	}
	var all coverage
	for _, file := range append(files.Found, own...) {
		one, err := coverageFile(file)
		if err = cmp.Or(err, all.join(one)); err != nil {
			a.Warningf("reading coverage file %q: %v; it is left out", file, err)
		}
	}
	return all.tenths()
}

// coverageFile reads one file; what it holds tells the format.
func coverageFile(path string) (coverage, error) {
	f, err := tests.OpenReport(path)
	if err != nil {
		return coverage{}, err
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewReaderSize(f, 64<<10)
	head, err := in.Peek(512)
	if len(head) == 0 {
		return coverage{}, errors.Join(errors.New("line 1: it is empty"), ignoreEOF(err))
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("mode:")):
		return goCover(in)
	case bytes.HasPrefix(head, []byte("<")):
		return cobertura(in)
	case bytes.HasPrefix(head, []byte("TN:")), bytes.HasPrefix(head, []byte("SF:")):
		return lcov(in)
	}
	return coverage{}, errors.New("line 1: it is no Go cover profile (mode: …), no lcov (TN:, SF:) and no Cobertura file (<coverage>)")
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// eachLine calls take for each line, and says in which one it failed.
func eachLine(in io.Reader, take func(line string) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		if err := take(lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}
