package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/org/promote/pkg/tests"
)

// deepestReport bounds how deep the elements of a Cobertura file may be nested. Folders need a handful.
const deepestReport = 64

// coverBlock is a line of a Go profile: file:startLine.column,endLine.column statements count
// (https://pkg.go.dev/golang.org/x/tools/cover).
var coverBlock = regexp.MustCompile(`^(.+):(\d+\.\d+,\d+\.\d+) (\d{1,9}) (\d+)$`)

// goCover reads a Go cover profile. With -coverpkg it has a block once for each test binary.
func goCover(in io.Reader) (coverage, error) {
	var c coverage
	err := eachLine(in, func(line string) error {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "mode:") { // profiles are often put together with cat
			return nil
		}
		m := coverBlock.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("%q is no block of a Go cover profile", shown(line))
		}
		size, _ := strconv.Atoi(m[3])
		return c.add(unit{m[1], m[2]}, weight{size: size, run: strings.Trim(m[4], "0") != ""})
	})
	return c, err
}

// lcov reads a tracefile: https://manpages.debian.org/lcov/geninfo.1. Of each file the lines count (DA); a file without
// lines may have totals (LF, LH).
func lcov(in io.Reader) (coverage, error) {
	var c coverage
	var file string
	lines, found, hit, read := 0, 0, 0, 0
	err := eachLine(in, func(line string) error {
		read++
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if file == "" && (key == "DA" || key == "LF" || key == "LH") {
			return fmt.Errorf("%q stands outside of a file (SF:)", shown(line))
		}
		var err error
		switch key {
		case "SF":
			file, lines, found, hit = value, 0, 0, 0
		case "DA":
			number, rest, ok := strings.Cut(value, ",")
			count, _, _ := strings.Cut(rest, ",") // a checksum may follow
			if _, err := strconv.ParseUint(number, 10, 32); err != nil || !ok {
				return fmt.Errorf("%q has no line number and count", shown(line))
			}
			n, err := strconv.ParseFloat(count, 64)
			if err != nil {
				return fmt.Errorf("%q has no count", shown(line))
			}
			lines++
			return c.add(unit{file, number}, weight{size: 1, run: n > 0})
		case "LF":
			found, err = strconv.Atoi(value)
		case "LH":
			hit, err = strconv.Atoi(value)
		case "end_of_record":
			if lines == 0 {
				c.valid, c.covered = c.valid+found, c.covered+min(hit, found)
			}
			file = ""
		}
		if err != nil || found < 0 || hit < 0 {
			return fmt.Errorf("%q has no count", shown(line))
		}
		return nil
	})
	if err == nil && file != "" {
		err = fmt.Errorf("line %d: the last record has no end_of_record: the file is cut off", read)
	}
	return c, err
}

// cobertura reads coverage.xml of Cobertura's schema, as coverage.py, gocover-cobertura, coverlet and istanbul write it. The
// lines of classes count; those of methods are the same ones again. A file without lines has totals at its root.
func cobertura(in io.Reader) (coverage, error) {
	var c coverage
	var open []string
	file, root := "", map[string]string{}
	d := tests.NewDecoder(in)
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := d.InputPos()
		if err != nil {
			return c, fmt.Errorf("line %d: %w", line, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			attributes := map[string]string{}
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
			}
			switch {
			case len(open) == 0 && e.Name.Local != "coverage":
				return c, fmt.Errorf("line %d: its first element is <%s>, and that of a Cobertura file is <coverage>", line, shown(e.Name.Local))
			case len(open) == 0:
				root = attributes
			case len(open) == deepestReport:
				return c, fmt.Errorf("line %d: its elements are nested more than %d deep", line, deepestReport)
			case e.Name.Local == "class":
				file = attributes["filename"]
			case e.Name.Local == "line" && slices.Equal(open[max(0, len(open)-2):], []string{"class", "lines"}):
				if err := coberturaLine(&c, file, attributes); err != nil {
					return c, fmt.Errorf("line %d: %w", line, err)
				}
			}
			open = append(open, e.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	if len(c.units) == 0 {
		c.valid, _ = strconv.Atoi(root["lines-valid"])
		c.covered, _ = strconv.Atoi(root["lines-covered"])
		c.valid, c.covered = max(c.valid, 0), min(max(c.covered, 0), max(c.valid, 0))
	}
	return c, nil
}

func coberturaLine(c *coverage, file string, attributes map[string]string) error {
	if _, err := strconv.ParseUint(attributes["number"], 10, 32); err != nil {
		return fmt.Errorf("a line has the number %q", shown(attributes["number"]))
	}
	hits, err := strconv.ParseFloat(attributes["hits"], 64)
	if err != nil {
		return fmt.Errorf("line number %s has the hits %q", attributes["number"], shown(attributes["hits"]))
	}
	return c.add(unit{file, attributes["number"]}, weight{size: 1, run: hits > 0})
}

// shown bounds a text from a file for an error.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// isCobertura says whether an XML file is about coverage and not about tests.
func isCobertura(path string) bool {
	f, err := tests.OpenReport(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	d := xml.NewDecoder(io.LimitReader(f, 64<<10))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if first, ok := token.(xml.StartElement); ok {
			return first.Name.Local == "coverage"
		}
	}
}
